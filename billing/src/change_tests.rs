#![expect(clippy::unwrap_used)]
use super::*;
use crate::subscription::Snapshot;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn catalog() -> Catalog {
    let price = |plan: &str, interval: &str, amount: i64| {
        let key = format!("{plan}_{interval}");
        json!({ "lookup_key": key, "interval": interval, "amount": amount, "currency": "usd" })
    };
    let plan = |id: &str, month: i64, year: i64| {
        json!({
            "id": id, "name": id, "tagline": "", "features": [], "recommended": false, "trial_days": null,
            "trial_card": "required", "limits": {},
            "prices": [price(id, "month", month), price(id, "year", year)],
        })
    };
    let plans = json!([plan("pro", 1200, 12000), plan("team", 4000, 40000)]);
    Catalog::new(serde_json::from_value(plans).unwrap()).unwrap()
}

/// On Pro, monthly, with these fields changed.
fn subscription(change: Value) -> Subscription {
    let mut value = json!({
        "subscriptionId": "sub_1", "itemId": "si_1", "status": "active", "priceId": "price_1", "plan": "pro",
        "interval": "month", "intervalCount": 1, "currentPeriodStart": NOW - 1000,
        "currentPeriodEnd": NOW + 1000, "cancelAtPeriodEnd": false, "paymentMethod": null,
        "latestInvoice": { "id": "in_1", "status": "paid", "url": null },
    });
    for (key, field) in change.as_object().unwrap() {
        value[key] = field.clone();
    }
    serde_json::from_value::<Snapshot>(value).unwrap().subscription.unwrap()
}

fn planned() -> Value {
    json!({ "scheduleId": "sub_sched_1", "scheduledChange": {
        "scheduleId": "sub_sched_1", "startsAt": NOW + 1000, "priceId": "price_0", "plan": "pro", "interval": "month",
        "quantity": 1, "amount": 1200, "currency": "usd", "intervalCount": 1,
    }})
}

fn waiting() -> Value {
    json!({
        "pendingUpdate": { "expiresAt": NOW + 500, "terms": null },
        "latestInvoice": { "id": "in_2", "status": "open", "url": null },
    })
}

fn to(plan: &str, interval: Interval) -> Wish {
    Wish::Change { plan: PlanId::parse(plan).unwrap(), interval }
}

/// The decision in a word or two, as docs/changes.md writes it.
fn word(change: &Value, wish: &Wish) -> String {
    match decide(Some(&subscription(change.clone())), wish, &catalog(), NOW) {
        Err(refusal) => format!("{refusal:?}"),
        Ok(Steps { release, void, then }) => {
            let first = [release.map(|_| "release, "), void.map(|_| "void, ")];
            first.into_iter().flatten().collect::<String>() + &format!("{then:?}")
        }
    }
}

/// Each wish in each state. On Team, monthly: up is Team yearly, down is Pro monthly.
#[test]
fn every_wish_in_every_state() {
    let team = |mut more: Value| {
        more["plan"] = json!("team");
        more
    };
    let ending = json!({ "cancelAtPeriodEnd": true });
    let portal = json!({ "cancelAt": NOW + 1000 });
    let states = [
        ("nothing", json!({})),
        ("planned", planned()),
        ("waiting", waiting()),
        ("trial", json!({ "status": "trialing", "trialEnd": NOW + 1000 })),
        ("ending", ending),
        ("ending by the portal", portal),
        ("past_due", json!({ "status": "past_due" })),
        ("paused", json!({ "status": "paused" })),
        ("incomplete", json!({ "status": "incomplete" })),
        ("canceled", json!({ "status": "canceled" })),
    ];
    let wishes = [
        ("up", to("team", Interval::Year)),
        ("down", to("pro", Interval::Month)),
        ("cancel later", Wish::CancelLater),
        ("cancel now", Wish::CancelNow),
        ("keep", Wish::Keep),
        ("drop planned", Wish::DropPlanned),
        ("drop waiting", Wish::DropWaiting),
        ("resume", Wish::Resume),
    ];
    let mut table = String::new();
    for (state, change) in states {
        for (name, wish) in &wishes {
            table += &format!("| {state} | {name} | {} |\n", word(&team(change.clone()), wish));
        }
    }
    let documented = include_str!("../../docs/changes.md");
    let start = documented.find("| nothing | up |").unwrap();
    assert!(documented[start..].starts_with(&table), "docs/changes.md must have this table:\n{table}");
}

#[test]
fn up_is_more_or_for_longer() {
    let on = |plan: &str, interval: &str| subscription(json!({ "plan": plan, "interval": interval }));
    let (month, year) = (Interval::Month, Interval::Year);
    let cases = [
        (("pro", "month"), ("pro", year), Some(Direction::Up)),
        (("pro", "month"), ("team", month), Some(Direction::Up)),
        (("pro", "year"), ("team", month), Some(Direction::Up)),
        (("team", "month"), ("pro", year), Some(Direction::Down)),
        (("team", "year"), ("team", month), Some(Direction::Down)),
        (("pro", "year"), ("pro", year), None),
        (("gone", "month"), ("pro", month), None),
        (("pro", "week"), ("pro", month), None),
    ];
    for (present, (plan, interval), expected) in cases {
        let plan = PlanId::parse(plan).unwrap();
        let found = direction(&on(present.0, present.1), &plan, interval, &catalog());
        assert_eq!(found, expected, "{present:?} {plan} {interval:?}");
    }
}

#[test]
fn what_ended_by_itself_is_not_kept_and_what_we_do_not_know_is_not_changed() {
    assert_eq!(word(&json!({ "cancelAt": NOW }), &Wish::Keep), "NotEnding");
    assert_eq!(word(&json!({ "plan": null }), &to("team", Interval::Month)), "Unknown");
    assert_eq!(word(&json!({ "interval": "week" }), &to("team", Interval::Month)), "Unknown");
    assert_eq!(word(&json!({}), &to("pro", Interval::Month)), "SamePlan");
    assert_eq!(decide(None, &Wish::CancelNow, &catalog(), NOW), Err(Refusal::NoSubscription));
    // A schedule of somebody else's that ends the subscription.
    let ended_by = json!({ "scheduleId": "sub_sched_1", "cancelAt": NOW + 1000 });
    assert_eq!(word(&ended_by, &Wish::Keep), "release, Nothing");
}
