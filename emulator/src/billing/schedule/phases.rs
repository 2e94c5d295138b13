//! The phases of a schedule as JSON: finding one, its dates, and writing down what a subscription is. Changes
//! nothing but the values it is given.

use serde_json::{Value, json};

use crate::billing::change::items_of;
use crate::billing::sending;
use crate::billing::subscription::period_ends;
use crate::state::{number, text};

fn all(schedule: &Value) -> &[Value] {
    schedule["phases"].as_array().map_or(&[], Vec::as_slice)
}

pub fn get(schedule: &Value, at: usize) -> Option<Value> {
    all(schedule).get(at).cloned()
}

/// When the first phase begins, in seconds since 1970.
pub fn start(schedule: &Value) -> i64 {
    all(schedule).first().map_or(0, |phase| number(phase, "start_date"))
}

/// When the last phase ends.
pub fn end(schedule: &Value) -> i64 {
    all(schedule).last().map_or(0, |phase| number(phase, "end_date"))
}

/// The position of the phase that is now.
pub fn current(schedule: &Value) -> Option<usize> {
    let start = schedule["current_phase"]["start_date"].as_i64()?;
    all(schedule).iter().position(|phase| number(phase, "start_date") == start)
}

/// What stands in `current_phase` while this is the phase.
pub fn dates(phase: &Value) -> Value {
    json!({ "end_date": phase["end_date"], "start_date": phase["start_date"] })
}

/// When the trial of a phase ends, if it has one.
pub fn trial_end(phase: &Value) -> Option<i64> {
    if phase["trial"] == true { phase["end_date"].as_i64() } else { phase["trial_end"].as_i64() }
}

/// What a phase says, or what the schedule says for all phases.
pub fn setting(schedule: &Value, phase: &Value, field: &str) -> Value {
    if phase[field].is_null() { schedule["default_settings"][field].clone() } else { phase[field].clone() }
}

/// The days that somebody has to pay an invoice which is sent to them; `None` if a phase charges by itself.
pub fn days_until_due(schedule: &Value, phase: &Value) -> Option<i64> {
    let is_sent = setting(schedule, phase, "collection_method") == sending::WORD;
    let of = |settings: &Value| settings["invoice_settings"]["days_until_due"].as_i64();
    is_sent.then(|| of(phase).or_else(|| of(&schedule["default_settings"])).unwrap_or_default())
}

/// The invoice settings of a phase that says only this.
pub fn invoice_settings(days_until_due: Option<i64>) -> Value {
    json!({
        "account_tax_ids": null,
        "custom_fields": null,
        "days_until_due": days_until_due,
        "description": null,
        "footer": null,
        "issuer": null,
    })
}

/// One thing that a phase sells.
pub fn item(price: &str, quantity: i64) -> Value {
    json!({
        "billing_thresholds": null,
        "discounts": [],
        "metadata": {},
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    })
}

/// A phase that says nothing but what it sells, without dates.
pub fn plain(currency: &str, items: Vec<Value>) -> Value {
    json!({
        "add_invoice_items": [],
        "application_fee_percent": null,
        "billing_cycle_anchor": null,
        "billing_thresholds": null,
        "collection_method": null,
        "currency": currency,
        "default_payment_method": null,
        "default_tax_rates": [],
        "description": null,
        "discounts": [],
        "end_date": null,
        "invoice_settings": null,
        "items": items,
        "metadata": {},
        "on_behalf_of": null,
        "proration_behavior": "create_prorations",
        "start_date": null,
        "transfer_data": null,
        "trial_end": null,
    })
}

/// The present period of a subscription, or what is left until its planned end.
pub fn of_subscription(subscription: &Value) -> Value {
    let starts = items_of(subscription).into_iter().map(|item| number(&item, "current_period_start"));
    let (_, period_end) = period_ends(subscription);
    let mut phase = plain(text(subscription, "currency"), items_like(subscription));
    phase["start_date"] = json!(starts.min().unwrap_or_default());
    phase["end_date"] = json!(subscription["cancel_at"].as_i64().unwrap_or(period_end));
    follow_collection(&mut phase, subscription);
    phase["metadata"] = subscription["metadata"].clone();
    if subscription["status"] == "trialing" {
        phase["trial_end"] = subscription["trial_end"].clone();
    }
    phase
}

fn items_like(subscription: &Value) -> Vec<Value> {
    let items = items_of(subscription).into_iter();
    items.map(|it| item(text(&it["price"], "id"), number(&it, "quantity"))).collect()
}

/// Writes down whether the subscription is charged or sent its invoices.
fn follow_collection(phase: &mut Value, subscription: &Value) {
    phase["collection_method"] = subscription["collection_method"].clone();
    let days = subscription["days_until_due"].as_i64();
    if days.is_some() || !phase["invoice_settings"].is_null() {
        phase["invoice_settings"] = invoice_settings(days);
    }
}

/// Writes down what the subscription sells now, how it is paid, and until when it is on trial.
pub fn follow(phase: &mut Value, subscription: &Value) {
    let is_said = !phase["collection_method"].is_null();
    if sending::is_sent(subscription)
        || (is_said && phase["collection_method"] != subscription["collection_method"])
    {
        follow_collection(phase, subscription);
    }
    let items = items_like(subscription);
    let known = phase["items"].as_array().cloned().unwrap_or_default();
    let items: Vec<Value> = items.into_iter().map(|item| with_metadata(item, &known)).collect();
    if items.len() != known.len() || items.iter().any(|item| !known.contains(item)) {
        phase["items"] = json!(items);
    }
    let trial_end = subscription["trial_end"].as_i64().filter(|_| subscription["status"] == "trialing");
    if trial_end != self::trial_end(phase) && (trial_end.is_some() || has_trial_after(phase, subscription)) {
        if let Some(phase) = phase.as_object_mut() {
            phase.remove("trial");
        }
        phase["trial_end"] = json!(trial_end);
    }
}

/// The item with the metadata that the phase has for the same price.
fn with_metadata(mut item: Value, known: &[Value]) -> Value {
    if let Some(known) = known.iter().find(|known| known["price"] == item["price"]) {
        item["metadata"] = known["metadata"].clone();
    }
    item
}

/// Whether the phase would still be on trial when the subscription no longer is.
fn has_trial_after(phase: &Value, subscription: &Value) -> bool {
    trial_end(phase).is_some_and(|end| end > number(subscription, "trial_end"))
}
