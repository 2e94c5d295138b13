//! How schedules end: released, completed, canceled, or taken along by their subscription. A schedule that has
//! ended changes nothing any more.

use serde_json::{Value, json};

use super::{is_open, managing, set_cancellation};
use crate::billing::ending as subscription_ending;
use crate::billing::subscription::has_ended;
use crate::state::{Kind, Tx};

/// Lets the subscription go on as it is, with or without the end that the schedule has planned for it.
pub fn release(tx: &mut Tx, mut schedule: Value, keep_cancel_date: bool) -> Value {
    let subscription = schedule["subscription"].take();
    schedule["status"] = json!("released");
    schedule["released_at"] = json!(tx.now());
    schedule["released_subscription"] = subscription.clone();
    schedule["current_phase"] = Value::Null;
    tx.update(Kind::SubscriptionSchedule, schedule.clone(), "subscription_schedule.updated");
    let_go(tx, &subscription, keep_cancel_date);
    tx.emit("subscription_schedule.released", &schedule);
    schedule
}

fn let_go(tx: &mut Tx, subscription: &Value, keep_cancel_date: bool) {
    let Some(mut subscription) = tx.copy(Kind::Subscription, subscription.as_str().unwrap_or_default())
    else {
        return;
    };
    subscription["schedule"] = Value::Null;
    if !keep_cancel_date {
        set_cancellation(&mut subscription, None, tx.now());
    }
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
}

/// The last phase is over.
pub fn complete(tx: &mut Tx, mut schedule: Value) {
    let subscription = schedule["subscription"].clone();
    schedule["status"] = json!("completed");
    schedule["completed_at"] = json!(tx.now());
    schedule["current_phase"] = Value::Null;
    if schedule["end_behavior"] == "cancel" {
        tx.put(Kind::SubscriptionSchedule, schedule.clone());
        if let Some(mut subscription) = live(tx, &subscription) {
            subscription["schedule"] = Value::Null;
            subscription_ending::as_planned(tx, subscription);
        }
    } else {
        schedule["subscription"] = Value::Null;
        schedule["released_subscription"] = subscription.clone();
        tx.put(Kind::SubscriptionSchedule, schedule.clone());
        let_go(tx, &subscription, false);
    }
    tx.emit("subscription_schedule.completed", &schedule);
}

/// Ends the schedule and its subscription now.
pub fn cancel(tx: &mut Tx, schedule: Value, prorate: bool, invoice_now: bool) -> Value {
    let subscription = live(tx, &schedule["subscription"]);
    let schedule = close(tx, schedule);
    if let Some(mut subscription) = subscription {
        if prorate {
            subscription_ending::credit_unused(tx, &subscription);
        }
        if invoice_now {
            subscription_ending::bill_what_waits(tx, &mut subscription);
        }
        subscription_ending::cancel(tx, subscription, Some("cancellation_requested"));
    }
    tx.emit("subscription_schedule.canceled", &schedule);
    schedule
}

/// The subscription has ended, and its schedule with it. Without payment that is an abortion.
pub fn with_subscription(tx: &mut Tx, subscription: &Value, reason: Option<&str>) {
    if let Some(schedule) = managing(tx, subscription) {
        let schedule = close(tx, schedule);
        let is_unpaid = reason == Some("payment_failed");
        tx.emit(if is_unpaid { ABORTED } else { "subscription_schedule.canceled" }, &schedule);
    }
}

const ABORTED: &str = "subscription_schedule.aborted";

/// The customer is deleted: what was to begin for them does not.
pub fn with_customer(tx: &mut Tx, customer: &str) {
    for schedule in tx.of_customer(Kind::SubscriptionSchedule, customer) {
        if is_open(&schedule) {
            cancel(tx, schedule, false, false);
        }
    }
}

fn close(tx: &mut Tx, mut schedule: Value) -> Value {
    schedule["status"] = json!("canceled");
    schedule["canceled_at"] = json!(tx.now());
    schedule["current_phase"] = Value::Null;
    tx.put(Kind::SubscriptionSchedule, schedule.clone());
    schedule
}

/// The subscription, unless it has ended already.
fn live(tx: &Tx, id: &Value) -> Option<Value> {
    let subscription = tx.copy(Kind::Subscription, id.as_str()?)?;
    (!has_ended(&subscription)).then_some(subscription)
}
