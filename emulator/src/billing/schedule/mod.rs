//! Subscription schedules: what a subscription is to be from when to when. `phases` reads and writes the phases
//! themselves, `enter` makes the subscription what one of them says, `time` does so when its time has come, and
//! `ending` lets the subscription go. Whatever else changes a managed subscription calls `follow`, so that the
//! schedule does not take the change back.

pub mod ending;
mod enter;
pub mod phases;
pub mod time;

use serde_json::{Value, json};

use super::change::Prorate;
use crate::error::ApiError;
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, due, ids, text};

/// The note that has the end of which it was told.
const TOLD: &str = "expiry_told";

/// A new schedule of a customer, without phases. It is not stored.
pub fn build(tx: &Tx, customer: &str) -> Value {
    let test_clock = tx.find(Kind::Customer, customer).map(|customer| customer["test_clock"].clone());
    shapes::filled(
        Shape::SubscriptionSchedule,
        json!({
            "id": ids::new("sub_sched_"),
            "created": tx.now(),
            "customer": customer,
            "test_clock": test_clock,
        }),
    )
}

/// Whether it still has something to do.
pub fn is_open(schedule: &Value) -> bool {
    matches!(text(schedule, "status"), "not_started" | "active")
}

/// The schedule that manages a subscription, if one does.
pub fn managing(tx: &Tx, subscription: &Value) -> Option<Value> {
    let schedule = tx.copy(Kind::SubscriptionSchedule, text(subscription, "schedule"))?;
    is_open(&schedule).then_some(schedule)
}

/// Refuses to plan the end of a subscription directly where a schedule plans it.
pub fn ensure_unmanaged(tx: &Tx, subscription: &Value) -> Result<(), ApiError> {
    match managing(tx, subscription) {
        None => Ok(()),
        Some(schedule) => Err(ApiError::invalid(format!(
            "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior \
             directly is not allowed. Please update the schedule instead.",
            text(&schedule, "id")
        ))),
    }
}

/// A new schedule that takes an existing subscription over.
pub fn take_over(tx: &mut Tx, subscription: &Value) -> Value {
    let mut schedule = build(tx, text(subscription, "customer"));
    schedule["status"] = json!("active");
    schedule["subscription"] = subscription["id"].clone();
    let phase = phases::of_subscription(subscription);
    schedule["current_phase"] = phases::dates(&phase);
    schedule["phases"] = json!([phase]);
    // What its phases to come do not say stays as it is.
    let settings = &mut schedule["default_settings"];
    settings["collection_method"] = subscription["collection_method"].clone();
    settings["invoice_settings"]["days_until_due"] = subscription["days_until_due"].clone();
    if !subscription["cancel_at"].is_null() {
        schedule["end_behavior"] = json!("cancel");
    }
    tx.create(Kind::SubscriptionSchedule, schedule.clone(), "subscription_schedule.created");
    hush_late_notice(tx, &schedule);
    let mut managed = subscription.clone();
    managed["schedule"] = schedule["id"].clone();
    tx.update(Kind::Subscription, managed, "customer.subscription.updated");
    schedule
}

/// Stores a new schedule, and begins it if its first phase begins now.
pub fn create(tx: &mut Tx, mut schedule: Value) -> Value {
    if phases::start(&schedule) <= tx.now() {
        time::start(tx, &mut schedule);
    }
    tx.create(Kind::SubscriptionSchedule, schedule.clone(), "subscription_schedule.created");
    hush_late_notice(tx, &schedule);
    schedule
}

/// Stores a changed schedule. What it changes about the present phase happens at once, and is prorated so.
pub fn revise(tx: &mut Tx, mut schedule: Value, prorate: Prorate) -> Result<Value, ApiError> {
    let id = text(&schedule, "id").to_owned();
    let event = "subscription_schedule.updated";
    if schedule["status"] == "not_started" {
        if phases::start(&schedule) <= tx.now() {
            time::start(tx, &mut schedule);
        }
        tx.update(Kind::SubscriptionSchedule, schedule.clone(), event);
        hush_late_notice(tx, &schedule);
        return Ok(schedule);
    }
    let phase = phases::current(&schedule).and_then(|at| phases::get(&schedule, at)).unwrap_or_default();
    schedule["current_phase"] = phases::dates(&phase);
    tx.update(Kind::SubscriptionSchedule, schedule.clone(), event);
    hush_late_notice(tx, &schedule);
    enter::stay(tx, &schedule, &phase, prorate)?;
    if phase["end_date"].as_i64().is_some_and(|end| end <= tx.now()) {
        time::next(tx, schedule)?;
    }
    Ok(tx.copy(Kind::SubscriptionSchedule, &id).unwrap_or_default())
}

/// A managed subscription was changed directly: from now on the present phase says the same. Gives the
/// subscription as it is.
pub fn follow(tx: &mut Tx, subscription: &str) -> Value {
    let subscription = tx.copy(Kind::Subscription, subscription).unwrap_or_default();
    let Some(mut schedule) = managing(tx, &subscription) else {
        return subscription;
    };
    if let Some(at) = phases::current(&schedule) {
        phases::follow(&mut schedule["phases"][at], &subscription);
        tx.update(Kind::SubscriptionSchedule, schedule, "subscription_schedule.updated");
    }
    subscription
}

/// Remembers that the end was told of, beside whatever else is known.
fn note_told(tx: &mut Tx, id: &str, schedule: Value, end: i64) {
    let mut notes = tx.private(Kind::SubscriptionSchedule, id).clone();
    notes[TOLD] = json!(end);
    tx.put_with(Kind::SubscriptionSchedule, id, schedule, notes);
}

/// A notice whose time was over before anybody knew of the end is not given.
fn hush_late_notice(tx: &mut Tx, schedule: &Value) {
    let end = phases::end(schedule);
    if end - due::EXPIRY_NOTICE <= tx.now() {
        let id = text(schedule, "id").to_owned();
        note_told(tx, &id, schedule.clone(), end);
    }
}

/// Plans the end of a subscription, or takes the plan back. Says nothing of it.
fn set_cancellation(subscription: &mut Value, at: Option<i64>, now: i64) {
    if subscription["cancel_at"].as_i64() == at {
        return;
    }
    if at.is_none() || subscription["canceled_at"].is_null() {
        subscription["canceled_at"] = json!(at.map(|_| now));
    }
    subscription["cancel_at"] = json!(at);
    subscription["cancel_at_period_end"] = json!(false);
    subscription["cancellation_details"]["reason"] = json!(at.map(|_| "cancellation_requested"));
}
