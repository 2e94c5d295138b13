//! Changing what a subscription sells, in the middle of a period or in a trial. `plan` works out what would be,
//! without storing anything, for a preview as for the change itself; `apply` does it.

use serde_json::{Value, json};

use super::proration::{self, Proration};
use super::subscription::{self, Line, period_ends};
use super::{charges, debits, invoice_item, period};
use crate::error::ApiError;
use crate::state::{Tx, number, text};

/// What is wanted of one item.
#[derive(Clone, Debug, Default)]
pub struct ItemChange {
    /// A new one if `None`.
    pub id: Option<String>,
    pub price: Option<Value>,
    pub quantity: Option<i64>,
    pub deleted: bool,
    /// The ids of those that it then has.
    pub discounts: Option<Value>,
    pub metadata: Option<Value>,
}

/// Only flexible billing mode has items of several intervals.
pub const ONE_INTERVAL: &str =
    "Currency and interval fields must match across all plans on this subscription.";

/// How the difference in the middle of a period is billed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prorate {
    /// With the next invoice.
    Create,
    /// At once.
    Always,
    /// Not at all.
    Never,
}

/// When the next period begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Unchanged,
    Now,
}

#[derive(Clone, Debug)]
pub struct Change {
    pub items: Vec<ItemChange>,
    pub prorate: Prorate,
    /// From when on the difference counts.
    pub date: Option<i64>,
    pub anchor: Anchor,
    /// A time that is not later than now ends the trial.
    pub trial_end: Option<i64>,
}

/// What a change would make of a subscription.
#[derive(Clone, Debug)]
pub struct Planned {
    pub subscription: Value,
    pub prorations: Vec<Proration>,
    /// Whether it begins a new period, which is billed at once.
    pub begins_period: bool,
}

/// Works the change out. Stores nothing.
pub fn plan(tx: &Tx, before: &Value, change: &Change) -> Result<Planned, ApiError> {
    let now = tx.now();
    let old = items_of(before);
    let mut new = old.clone();
    for wanted in &change.items {
        change_item(tx, before, &mut new, wanted)?;
    }
    ensure_sound(before, &new)?;
    let from = proration_date(before, change, now)?;
    let mut after = before.clone();
    let was_trial = before["status"] == "trialing";
    let trial_end = change.trial_end.filter(|end| *end > now);
    let ends_trial = was_trial && change.trial_end.is_some_and(|end| end <= now);
    let is_trial = trial_end.is_some() || (was_trial && !ends_trial);
    let begins_period = !is_trial && (ends_trial || change.anchor == Anchor::Now || restarts(&old, &new));
    let credits_all = begins_period || (trial_end.is_some() && !was_trial);
    if !credits_all && !was_trial {
        move_to_own_periods(before, &old, &mut new, from);
    }
    let at_once = change.prorate == Prorate::Always;
    let moved = charges::Change { subscription: before, old: &old, new: &new, from, at_once };
    let prorations = match () {
        () if was_trial || change.prorate == Prorate::Never || before["status"] == "paused" => Vec::new(),
        () if credits_all => old.iter().flat_map(|item| debits::credits(tx, before, item, from)).collect(),
        () => charges::between(tx, &moved),
    };
    begin_anew(&mut after, &mut new, now, (trial_end, ends_trial, begins_period));
    set_items(&mut after, new);
    end_with_period(&mut after);
    Ok(Planned { subscription: after, prorations, begins_period })
}

/// A trial or a period begins, if one does.
fn begin_anew(
    after: &mut Value,
    new: &mut [Value],
    now: i64,
    (trial_end, ends_trial, begins_period): (Option<i64>, bool, bool),
) {
    let was_trial = after["status"] == "trialing";
    if let Some(end) = trial_end {
        after["status"] = json!("trialing");
        after["trial_end"] = json!(end);
        // https://docs.stripe.com/changelog/basil/2025-04-30/subscriptions-billing-mode
        if after["trial_start"].is_null() || !(was_trial || debits::is_classic(after)) {
            after["trial_start"] = json!(now);
        }
        begin_period(after, new, now, Some(end));
    } else if begins_period {
        if ends_trial {
            after["status"] = json!("active");
            after["trial_end"] = json!(now);
        }
        begin_period(after, new, now, None);
    }
}

/// Whoever leaves with the period leaves with the one that there is now.
pub fn end_with_period(subscription: &mut Value) {
    if subscription["cancel_at_period_end"] == true {
        subscription["cancel_at"] = json!(period_ends(subscription).1);
    }
}

pub fn items_of(subscription: &Value) -> Vec<Value> {
    subscription["items"]["data"].as_array().cloned().unwrap_or_default()
}

pub fn set_items(subscription: &mut Value, items: Vec<Value>) {
    subscription["items"]["total_count"] = json!(items.len());
    subscription["items"]["data"] = json!(items);
}

fn change_item(
    tx: &Tx,
    subscription: &Value,
    items: &mut Vec<Value>,
    wanted: &ItemChange,
) -> Result<(), ApiError> {
    let Some(id) = &wanted.id else {
        return add_item(tx, subscription, items, wanted);
    };
    let Some(at) = items.iter().position(|item| text(item, "id") == id) else {
        let message = format!("No such subscription item: '{id}'");
        return Err(ApiError::invalid(message).code("resource_missing").param("items[0][id]"));
    };
    if wanted.deleted {
        items.remove(at);
        return Ok(());
    }
    if let Some(price) = &wanted.price {
        items[at]["plan"] = subscription::plan_of(price);
        items[at]["price"] = price.clone();
    }
    if let Some(quantity) = wanted.quantity {
        items[at]["quantity"] = json!(quantity);
    }
    describe(&mut items[at], wanted);
    Ok(())
}

fn add_item(
    tx: &Tx,
    subscription: &Value,
    items: &mut Vec<Value>,
    wanted: &ItemChange,
) -> Result<(), ApiError> {
    let Some(price) = wanted.price.clone() else {
        return Err(ApiError::missing_param("items[0][price]"));
    };
    if items.iter().any(|item| item["price"]["id"] == price["id"]) {
        let message =
            format!("Cannot add multiple subscription items with the same plan: {}", text(&price, "id"));
        return Err(ApiError::invalid(message));
    }
    let line = Line::new(price, wanted.quantity.unwrap_or(1));
    let mut item = subscription::item(text(subscription, "id"), &line, None, tx.now());
    describe(&mut item, wanted);
    // Not one of those that are left: it may take the place of the last of them.
    if let Some(first) = items_of(subscription).first() {
        item["current_period_start"] = first["current_period_start"].clone();
        item["current_period_end"] = first["current_period_end"].clone();
    }
    items.push(item);
    Ok(())
}

fn describe(item: &mut Value, wanted: &ItemChange) {
    if let Some(discounts) = &wanted.discounts {
        item["discounts"] = discounts.clone();
    }
    if let Some(metadata) = &wanted.metadata {
        item["metadata"] = metadata.clone();
    }
}

/// Where items have several intervals, one that comes or changes to another begins now, and runs to the next boundary
/// of its own interval.
fn move_to_own_periods(subscription: &Value, old: &[Value], new: &mut [Value], now: i64) {
    let anchor = number(subscription, "billing_cycle_anchor");
    for item in new {
        let before = old.iter().find(|old| old["id"] == item["id"]);
        let like = before.or(old.first());
        if like.is_none_or(|like| interval(like) != interval(item)) {
            let (interval, count) = interval(item);
            let end = period::next(anchor, interval, count, now);
            item["current_period_start"] = json!(now);
            item["current_period_end"] = json!(end);
        }
    }
}

/// Something must be left, in one currency, and in classic billing mode with one interval.
fn ensure_sound(subscription: &Value, items: &[Value]) -> Result<(), ApiError> {
    let Some(first) = items.first() else {
        let message =
            "A subscription must have at least one active plan. To end it, cancel the subscription.";
        return Err(ApiError::invalid(message).param("items"));
    };
    if items.iter().any(|item| item["price"]["currency"] != subscription["currency"]) {
        let message = format!(
            "The price specified only supports another currency than the subscription's, {}.",
            text(subscription, "currency")
        );
        return Err(ApiError::invalid(message).param("items"));
    }
    if debits::is_classic(subscription) && items.iter().any(|item| interval(item) != interval(first)) {
        return Err(ApiError::invalid(ONE_INTERVAL).param("items"));
    }
    Ok(())
}

fn proration_date(before: &Value, change: &Change, now: i64) -> Result<i64, ApiError> {
    let Some(date) = change.date else {
        return Ok(now);
    };
    let start = items_of(before).iter().map(|item| number(item, "current_period_start")).min();
    let (end, _) = period_ends(before);
    if start.is_some_and(|start| date < start) || date > end {
        let message = "Cannot specify a `proration_date` outside of the current subscription period.";
        return Err(ApiError::invalid(message).param("proration_date"));
    }
    Ok(date)
}

/// Whether the change begins a new period by itself: another interval, or something to pay where all was free.
fn restarts(old: &[Value], new: &[Value]) -> bool {
    let total = |items: &[Value]| items.iter().map(proration::cost).sum::<i64>();
    let only = |items: &[Value]| {
        let first = items.first().map(interval).map(|(interval, count)| (interval.to_owned(), count));
        let is_only =
            items.iter().all(|item| Some(interval(item)) == first.as_ref().map(|(it, n)| (it.as_str(), *n)));
        first.filter(|_| is_only)
    };
    let other_interval = only(old).zip(only(new)).is_some_and(|(old, new)| old != new);
    other_interval || (total(old) == 0 && total(new) > 0)
}

fn interval(item: &Value) -> (&str, i64) {
    let recurring = &item["price"]["recurring"];
    (text(recurring, "interval"), number(recurring, "interval_count"))
}

/// All items begin now, and run for their interval or until the trial ends.
fn begin_period(subscription: &mut Value, items: &mut [Value], now: i64, trial_end: Option<i64>) {
    subscription["billing_cycle_anchor"] = json!(trial_end.unwrap_or(now));
    for item in items {
        let (interval, count) = interval(item);
        let end = trial_end.unwrap_or_else(|| period::after(now, interval, count, 1));
        item["current_period_start"] = json!(now);
        item["current_period_end"] = json!(end);
    }
}

/// The items that the prorations of a change leave. They are not stored.
pub fn invoice_items(tx: &Tx, planned: &Planned) -> Vec<Value> {
    let all = planned.prorations.iter();
    all.map(|proration| invoice_item::of_proration(tx, &planned.subscription, proration)).collect()
}
