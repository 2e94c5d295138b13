//! What the rest of an item's period costs, less the discounts that are in force, as on an invoice over full
//! periods. Reads only.
//!
//! Not sure: that a discount which is good for one invoice reduces a proration that is billed at once, and none that
//! waits for the next invoice, which it reduces itself.

use serde_json::Value;

use super::discount::lines::{Taken, per_line};
use super::discount::{Applied, Part, redeem};
use super::proration::{Proration, cost, share};
use super::{debits, period};
use crate::state::{Tx, number, text};

/// The items before and after a change, from when on it counts, and whether it is billed at once.
pub struct Change<'c> {
    pub subscription: &'c Value,
    pub old: &'c [Value],
    pub new: &'c [Value],
    pub from: i64,
    pub at_once: bool,
}

/// What the items that differ give back and cost, in the order of the items.
pub fn between(tx: &Tx, change: &Change) -> Vec<Proration> {
    let remaining = remaining(tx, change);
    let position = |id: &str| change.new.iter().position(|item| text(item, "id") == id);
    let mut found = Vec::new();
    for old in change.old {
        let new = position(text(old, "id"));
        if new.is_none_or(|at| differs(old, &change.new[at])) {
            found.extend(debits::credits(tx, change.subscription, old, change.from));
            found.extend(new.and_then(|at| remaining[at].clone()));
        }
    }
    let is_new = |item: &Value| change.old.iter().all(|old| old["id"] != item["id"]);
    let added = change.new.iter().zip(remaining).filter(|(item, _)| is_new(item));
    found.extend(added.filter_map(|(_, proration)| proration));
    found
}

fn differs(old: &Value, new: &Value) -> bool {
    ["quantity", "current_period_start", "current_period_end"].iter().any(|field| old[field] != new[field])
        || old["price"]["id"] != new["price"]["id"]
}

/// What each item costs from then on.
fn remaining(tx: &Tx, change: &Change) -> Vec<Option<Proration>> {
    let in_force = |discounts: Vec<Applied>| -> Vec<Applied> {
        let counts = |one: &Applied| change.at_once || one.coupon["duration"] != "once";
        discounts.into_iter().filter(counts).collect()
    };
    let own: Vec<Vec<Applied>> =
        change.new.iter().map(|item| in_force(redeem::of_item(tx, item, change.from))).collect();
    let all = in_force(redeem::of_subscription_at(tx, change.subscription, change.from));
    let parts: Vec<Part> = change.new.iter().map(part).collect();
    let taken = per_line(&parts, &own, &all);
    let anchor = number(change.subscription, "billing_cycle_anchor");
    let of_items = change.new.iter().zip(taken);
    of_items.map(|(item, taken)| left(item, &taken, anchor, change.from)).collect()
}

fn part(item: &Value) -> Part {
    Part { product: text(&item["price"], "product").to_owned(), amount: cost(item) }
}

/// The share of a full period, of which the present one may be the end only.
fn left(item: &Value, taken: &Taken, anchor: i64, from: i64) -> Option<Proration> {
    let (start, end) = full_period(item, anchor);
    let discounts: Taken = taken
        .iter()
        .map(|(id, amount)| (id.clone(), share(*amount, start, end, from)))
        .filter(|(_, amount)| *amount != 0)
        .collect();
    let gross = share(cost(item), start, end, from);
    let amount = gross - discounts.iter().map(|(_, amount)| amount).sum::<i64>();
    (gross != 0).then(|| Proration {
        item: item.clone(),
        amount: amount.max(0),
        discounts,
        period: (from, end),
        credited: Value::Null,
    })
}

/// The period that the item's price is for: from one boundary of its interval to the next.
pub fn full_period(item: &Value, anchor: i64) -> (i64, i64) {
    let (start, end) = (number(item, "current_period_start"), number(item, "current_period_end"));
    let recurring = &item["price"]["recurring"];
    let (interval, count) = (text(recurring, "interval"), number(recurring, "interval_count"));
    if period::next(anchor, interval, count, end - 1) != end {
        return (start, end);
    }
    (period::before(anchor, interval, count, end).min(start), end)
}
