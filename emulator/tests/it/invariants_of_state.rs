//! What must be true of subscriptions and invoices at any time: legal changes of status, invoices that add up, one a
//! period, each paid once, and events that tell of everything. `invariants` asks after any sequence of steps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::invariants_of_money;
use crate::invariants_of_schedules;
use crate::invariants_world::World;
use crate::support::{Stripe, id};

/// Which status may follow which (https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses).
const LEGAL: &[(&str, &[&str])] = &[
    ("incomplete", &["active", "incomplete_expired", "canceled"]),
    ("trialing", &["active", "past_due", "paused", "canceled"]),
    ("active", &["past_due", "trialing", "unpaid", "canceled"]),
    ("past_due", &["active", "unpaid", "trialing", "canceled"]),
    ("unpaid", &["active", "trialing", "canceled"]),
    ("paused", &["active", "past_due", "trialing", "canceled"]),
    ("canceled", &[]),
    ("incomplete_expired", &[]),
];

async fn events(stripe: &Stripe) -> Vec<Value> {
    let all = stripe.http.get(stripe.url("/_emulator/events?limit=100000")).send().await.unwrap();
    let mut all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
    let mut all = std::mem::take(all["data"].as_array_mut().unwrap());
    all.reverse();
    all
}

/// What is wrong with how things are, a line each.
pub async fn wrong(world: &World, customer: &str) -> Vec<String> {
    let stripe = &world.stripe;
    let events = events(stripe).await;
    let mut wrong = illegal_changes(&events, "subscription", LEGAL);
    let invoices = stripe.invoices(customer).await;
    wrong.extend(invoices.iter().filter_map(does_not_add_up));
    wrong.extend(billed_twice(&invoices));
    wrong.extend(paid_twice(&events));
    let schedules = stripe.get(&format!("/v1/subscription_schedules?customer={customer}&limit=100")).await;
    let schedules = schedules["data"].as_array().unwrap();
    let subscriptions = stripe.subscriptions(customer).await;
    wrong.extend(invariants_of_schedules::wrong(schedules, &subscriptions, &events, world.now().await));
    let mut now = [subscriptions, invoices.clone(), schedules.clone()].concat();
    now.push(stripe.get(&format!("/v1/customers/{customer}")).await);
    wrong.extend(not_told(now, &events));
    wrong.extend(invariants_of_money::wrong(stripe, customer, &invoices).await);
    wrong
}

/// Which statuses of the objects of a kind have followed others that they may not follow.
pub fn illegal_changes(events: &[Value], kind: &str, legal: &[(&str, &[&str])]) -> Vec<String> {
    let mut statuses: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for event in events.iter().filter(|it| it["data"]["object"]["object"] == *kind) {
        let object = &event["data"]["object"];
        let now = object["status"].as_str().unwrap().to_owned();
        let before = statuses.insert(id(object), now.clone());
        let is_legal =
            |before: &str| legal.iter().any(|(from, to)| *from == before && to.contains(&now.as_str()));
        if let Some(before) = before.filter(|before| *before != now && !is_legal(before)) {
            wrong.push(format!("{} went from {before} to {now}", id(object)));
        }
    }
    wrong
}

fn does_not_add_up(invoice: &Value) -> Option<String> {
    let number = |field: &str| invoice[field].as_i64().unwrap();
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let sum: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
    let owed = number("total") + number("starting_balance");
    // Less than 50 cents cannot be charged, and goes to the balance.
    let due = if owed < 50 { 0 } else { owed };
    let paid = if invoice["status"] == "paid" { due } else { 0 };
    let taken: i64 = invoice["total_discount_amounts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| one["amount"].as_i64().unwrap())
        .sum();
    let expected = (sum, sum - taken, due, paid, due - paid);
    let found = (
        number("subtotal"),
        number("total"),
        number("amount_due"),
        number("amount_paid"),
        number("amount_remaining"),
    );
    (found != expected).then(|| format!("{} has {found:?}, and not {expected:?}", id(invoice)))
}

/// Two renewals of one period.
fn billed_twice(invoices: &[Value]) -> Vec<String> {
    let mut periods = BTreeSet::new();
    let renewals = invoices.iter().filter(|it| it["billing_reason"] == "subscription_cycle");
    let twice = renewals.filter(|invoice| {
        let of = invoice["parent"]["subscription_details"]["subscription"].as_str().unwrap().to_owned();
        !periods.insert((of, invoice["period_end"].as_i64()))
    });
    twice.map(|invoice| format!("{} bills a period that is billed already", id(invoice))).collect()
}

fn paid_twice(events: &[Value]) -> Vec<String> {
    let mut paid = BTreeSet::new();
    let payments =
        events.iter().filter(|it| it["type"] == "invoice.paid").map(|it| id(&it["data"]["object"]));
    payments
        .filter(|invoice| !paid.insert(invoice.clone()))
        .map(|invoice| format!("{invoice} is paid twice"))
        .collect()
}

/// Every object is what the last event about it says.
fn not_told(now: Vec<Value>, events: &[Value]) -> Vec<String> {
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for object in events.iter().map(|it| &it["data"]["object"]) {
        if let Some(id) = object["id"].as_str() {
            known.insert(id.to_owned(), object.clone());
        }
    }
    let mut wrong = Vec::new();
    for mut object in now {
        let mut told = known.remove(&id(&object)).unwrap_or(json!({}));
        // Which number comes next is told by the invoices.
        for one in [&mut object, &mut told] {
            one.as_object_mut().unwrap().remove("next_invoice_sequence");
        }
        if object != told {
            let differs =
                object.as_object().unwrap().iter().filter(|(name, value)| told[name.as_str()] != **value);
            let names: Vec<_> =
                differs.map(|(name, value)| format!("{name} {} -> {value}", told[name.as_str()])).collect();
            wrong.push(format!("nobody was told of {}: {}", id(&object), names.join(", ")));
        }
    }
    wrong
}
