//! What must be true of subscription schedules at any time: legal changes of status, phases that follow each other
//! and of which the present one is now, and a subscription and a schedule that name each other.

use serde_json::Value;

use crate::invariants_of_state::illegal_changes;
use crate::support::id;

/// Which status may follow which (https://docs.stripe.com/billing/subscriptions/subscription-schedules).
const LEGAL: &[(&str, &[&str])] = &[
    ("not_started", &["active", "canceled", "released"]),
    ("active", &["completed", "released", "canceled"]),
    ("completed", &[]),
    ("released", &[]),
    ("canceled", &[]),
];

/// What is wrong, a line each.
pub fn wrong(schedules: &[Value], subscriptions: &[Value], events: &[Value], now: i64) -> Vec<String> {
    let mut wrong = illegal_changes(events, "subscription_schedule", LEGAL);
    wrong.extend(schedules.iter().flat_map(|schedule| inside(schedule, now)));
    wrong.extend(schedules.iter().filter_map(|schedule| between(schedule, subscriptions)));
    let is_active = |schedule: &&Value| schedule["status"] == "active";
    for subscription in
        subscriptions.iter().filter(|it| it["schedule"].is_string() && it["ended_at"].is_null())
    {
        let own = schedules.iter().filter(is_active).filter(|it| it["id"] == subscription["schedule"]);
        if own.count() != 1 {
            wrong.push(format!("{} names the schedule {}", id(subscription), subscription["schedule"]));
        }
    }
    wrong
}

/// Of the schedule alone: its phases, and whether the present one is now.
fn inside(schedule: &Value, now: i64) -> Vec<String> {
    let mut wrong = Vec::new();
    let phases = schedule["phases"].as_array().unwrap();
    let at = |phase: &Value, field: &str| phase[field].as_i64().unwrap();
    if phases.windows(2).any(|two| two[0]["end_date"] != two[1]["start_date"])
        || phases.iter().any(|phase| at(phase, "start_date") >= at(phase, "end_date"))
    {
        wrong.push(format!("{} has phases that do not follow each other", id(schedule)));
    }
    let present = &schedule["current_phase"];
    let is_one = |phase: &&Value| {
        phase["start_date"] == present["start_date"] && phase["end_date"] == present["end_date"]
    };
    match schedule["status"].as_str().unwrap() {
        "active" if phases.iter().filter(is_one).count() != 1 => {
            wrong.push(format!("{} is in {present}, which is none of its phases", id(schedule)));
        }
        "active" if !(at(present, "start_date")..at(present, "end_date")).contains(&now) => {
            wrong.push(format!("{} is in {present}, and it is {now}", id(schedule)));
        }
        "not_started" if at(&phases[0], "start_date") <= now => {
            wrong.push(format!("{} has not started, and it is {now}", id(schedule)));
        }
        "active" | "not_started" => {}
        _ if !present.is_null() => wrong.push(format!("{} is over and in {present}", id(schedule))),
        _ => {}
    }
    wrong
}

/// Whether an active schedule has a subscription that names it, and only one that was released another.
fn between(schedule: &Value, subscriptions: &[Value]) -> Option<String> {
    let named = |field: &str| subscriptions.iter().find(|it| it["id"] == schedule[field]);
    let is_wrong = match schedule["status"].as_str().unwrap() {
        "active" => named("subscription")
            .is_none_or(|own| own["schedule"] != schedule["id"] || own["ended_at"].is_i64()),
        "not_started" => schedule["subscription"].is_string(),
        "released" => {
            schedule["subscription"].is_string()
                || named("released_subscription").is_some_and(|own| own["schedule"] == schedule["id"])
        }
        _ => false,
    };
    is_wrong.then(|| {
        let status = schedule["status"].as_str().unwrap();
        format!("{} is {status} with the subscription {}", id(schedule), schedule["subscription"])
    })
}
