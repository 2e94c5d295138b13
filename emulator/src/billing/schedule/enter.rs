//! Makes a managed subscription what a phase says: its items, trial, metadata and planned end. What a phase
//! leaves out, and what the default settings leave out too, stays as it is; metadata of items is theirs when the
//! phase begins. Where the phase begins in the second
//! in which a period ends, the next period is that of the new items, and nothing is prorated.

use serde_json::{Value, json};

use super::{phases, set_cancellation};
use crate::billing::change::{self, Anchor, Change, ItemChange, Planned, Prorate, items_of};
use crate::billing::payment::Authentication;
use crate::billing::subscription::period_ends;
use crate::billing::update::{self, Behavior, How};
use crate::billing::{pending_update, renewal, sending, trial};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// The word of `proration_behavior`.
pub fn prorate(word: &str) -> Prorate {
    match word {
        "always_invoice" => Prorate::Always,
        "none" => Prorate::Never,
        _ => Prorate::Create,
    }
}

/// A phase begins.
pub fn begin(tx: &mut Tx, schedule: &Value, phase: &Value) -> Result<(), ApiError> {
    let Some(before) = changeable(tx, schedule) else {
        return Ok(());
    };
    let mut wanted = before.clone();
    merge_metadata(&mut wanted["metadata"], &phase["metadata"]);
    let anchor = match phases::setting(schedule, phase, "billing_cycle_anchor").as_str() {
        Some("phase_start") => Anchor::Now,
        _ => Anchor::Unchanged,
    };
    let prorate = prorate(text(phase, "proration_behavior"));
    become_it(tx, &before, wanted, schedule, phase, Way { prorate, anchor, begins: true })
}

/// The present phase says something else than before.
pub fn stay(tx: &mut Tx, schedule: &Value, phase: &Value, prorate: Prorate) -> Result<(), ApiError> {
    let Some(before) = changeable(tx, schedule) else {
        return Ok(());
    };
    let way = Way { prorate, anchor: Anchor::Unchanged, begins: false };
    become_it(tx, &before, before.clone(), schedule, phase, way)
}

/// The subscription, where it can still change. A change that waits for its payment gives way.
fn changeable(tx: &mut Tx, schedule: &Value) -> Option<Value> {
    let id = text(schedule, "subscription");
    let subscription = tx.copy(Kind::Subscription, id)?;
    if matches!(text(&subscription, "status"), "incomplete" | "canceled" | "incomplete_expired") {
        return None;
    }
    if subscription["pending_update"].is_null() {
        return Some(subscription);
    }
    pending_update::expire(tx, subscription);
    tx.copy(Kind::Subscription, id)
}

/// How the subscription gets to be what the phase says.
#[derive(Clone, Copy, Debug)]
struct Way {
    prorate: Prorate,
    anchor: Anchor,
    /// Whether the phase begins.
    begins: bool,
}

fn become_it(
    tx: &mut Tx,
    before: &Value,
    mut wanted: Value,
    schedule: &Value,
    phase: &Value,
    way: Way,
) -> Result<(), ApiError> {
    let now = tx.now();
    for field in ["default_payment_method", "description"] {
        let setting = phases::setting(schedule, phase, field);
        if !setting.is_null() {
            wanted[field] = setting;
        }
    }
    sending::set(&mut wanted, phases::days_until_due(schedule, phase));
    set_cancellation(&mut wanted, planned_end(schedule), now);
    let change = Change {
        items: item_changes(tx, before, phase),
        prorate: way.prorate,
        date: None,
        anchor: way.anchor,
        trial_end: trial_change(before, phase, now),
    };
    let mut planned = change::plan(tx, &wanted, &change)?;
    if way.begins {
        mark_items(&mut planned.subscription, phase);
    }
    if is_renewed_now(before, &planned, now) {
        renew(tx, before, planned.subscription);
        return Ok(());
    }
    let how =
        How { prorate: way.prorate, behavior: Behavior::Allow, authentication: Authentication::OffSession };
    update::apply(tx, &planned, how).map(drop)
}

/// Merges the metadata that a phase has for its items into those of the subscription.
pub fn mark_items(subscription: &mut Value, phase: &Value) {
    let wanted = phase["items"].as_array().into_iter().flatten();
    let wanted: Vec<_> = wanted.filter(|item| item["metadata"] != json!({})).collect();
    for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
        if let Some(wanted) = wanted.iter().find(|wanted| wanted["price"] == item["price"]["id"]) {
            merge_metadata(&mut item["metadata"], &wanted["metadata"]);
        }
    }
}

/// When the schedule will cancel its subscription, if it will.
pub fn planned_end(schedule: &Value) -> Option<i64> {
    (schedule["end_behavior"] == "cancel").then(|| phases::end(schedule))
}

/// Whether a period ends in this second, and no trial begins.
fn is_renewed_now(before: &Value, planned: &Planned, now: i64) -> bool {
    let runs = matches!(text(before, "status"), "active" | "past_due" | "unpaid" | "trialing");
    let after = &planned.subscription;
    let trial_begins = after["status"] == "trialing" && number(after, "trial_end") > now;
    runs && period_ends(before).0 <= now && !trial_begins
}

fn renew(tx: &mut Tx, before: &Value, after: Value) {
    if after["status"] == "trialing" {
        trial::end(tx, after);
    } else {
        renewal::renew_from(tx, before, after);
    }
}

/// What is to happen to the items. One with the same price stays the same item; any other is a new one.
fn item_changes(tx: &Tx, subscription: &Value, phase: &Value) -> Vec<ItemChange> {
    let old = items_of(subscription);
    let wanted = phase["items"].as_array().cloned().unwrap_or_default();
    let mut changes = Vec::new();
    for item in &wanted {
        let quantity = Some(number(item, "quantity"));
        match old.iter().find(|old| old["price"]["id"] == item["price"]) {
            Some(old) if old["quantity"] == item["quantity"] => {}
            Some(old) => {
                let id = Some(text(old, "id").to_owned());
                changes.push(ItemChange { id, price: None, quantity, deleted: false });
            }
            None => {
                let price = tx.copy(Kind::Price, text(item, "price"));
                changes.push(ItemChange { id: None, price, quantity, deleted: false });
            }
        }
    }
    // Last, as a new item takes its period from one that is there.
    let gone = old.iter().filter(|old| wanted.iter().all(|item| item["price"] != old["price"]["id"]));
    changes.extend(gone.map(|old| ItemChange {
        id: Some(text(old, "id").to_owned()),
        price: None,
        quantity: None,
        deleted: true,
    }));
    changes
}

/// The trial that the phase wants, if it is not the one that there is: a time that has come ends it.
fn trial_change(before: &Value, phase: &Value, now: i64) -> Option<i64> {
    let is_trial = before["status"] == "trialing";
    let until = before["trial_end"].as_i64().filter(|end| is_trial && *end > now);
    let wanted = phases::trial_end(phase).filter(|end| *end > now);
    match (wanted, until) {
        (Some(wanted), until) if until != Some(wanted) => Some(wanted),
        (None, Some(_)) => Some(now),
        _ => None,
    }
}

/// Adds and replaces what the phase says; what it has as an empty text goes.
pub fn merge_metadata(metadata: &mut Value, wanted: &Value) {
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    for (key, value) in wanted.as_object().into_iter().flatten() {
        if value == "" {
            metadata.remove(key);
        } else {
            metadata.insert(key.clone(), value.clone());
        }
    }
}
