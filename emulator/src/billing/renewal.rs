//! A subscription's next period: its invoice, which waits an hour as a draft, and the announcement a week before.

use serde_json::{Value, json};

use super::collect::{self, Attempt};
use super::discount::{self, redeem};
use super::invoice::{self, Bill, lines};
use super::subscription::period_ends;
use super::{invoice_item, period, schedule, sending};
use crate::state::{Kind, Tx, number, text};

/// How long an invoice that goes on by itself stays a draft.
pub const DRAFT: i64 = 3_600;

/// Begins the next period of the items whose period is over, and drafts its invoice.
pub fn renew(tx: &mut Tx, before: &Value) {
    renew_from(tx, before, before.clone());
}

/// The same for a subscription that has changed besides, which one event tells of.
pub fn renew_from(tx: &mut Tx, before: &Value, mut subscription: Value) {
    let now = tx.now();
    advance_items(&mut subscription, now);
    let over = before["items"]["data"].as_array().into_iter().flatten();
    let over = over.filter(|item| number(item, "current_period_end") <= now);
    let period = over.map(|item| (number(item, "current_period_start"), number(item, "current_period_end")));
    let waiting = invoice_item::pending(tx, text(&subscription, "customer"), text(&subscription, "id"));
    let period = period.max_by_key(|(_, end)| *end).unwrap_or((now, now));
    let mut draft = draft(tx, &subscription, &waiting, period);
    // Whoever does not pay is billed, but not charged again and again.
    if before["status"] == "unpaid" || before["pause_collection"]["behavior"] == "keep_as_draft" {
        invoice::stop_collection(&mut draft);
    } else {
        draft["automatically_finalizes_at"] = json!(now + DRAFT);
    }
    invoice_item::bill(tx, waiting, &draft);
    subscription["discounts"] =
        discount::left_after(&redeem::of_subscription(tx, &subscription), number(&draft, "subtotal"));
    subscription["latest_invoice"] = draft["id"].clone();
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
    tx.create(Kind::Invoice, draft, "invoice.created");
}

/// The invoice of the items whose period begins when the one before ends, and of what waits.
pub fn draft(tx: &Tx, subscription: &Value, waiting: &[Value], period: (i64, i64)) -> Value {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let begun = items.filter(|item| number(item, "current_period_start") >= period.1);
    let begun = begun.map(|item| lines::of_item(tx, subscription, item, false));
    let bill = Bill {
        customer: text(subscription, "customer"),
        currency: text(subscription, "currency"),
        subscription,
        reason: "subscription_cycle",
        period,
        lines: waiting.iter().map(invoice_item::line).chain(begun).collect(),
    };
    let mut draft = invoice::build(tx, bill);
    let discounts = redeem::of_subscription_at(tx, subscription, period.1.max(tx.now()));
    discount::put_on_invoice(&mut draft, &discounts);
    draft
}

fn advance_items(subscription: &mut Value, now: i64) {
    let anchor = number(subscription, "billing_cycle_anchor");
    for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
        let end = number(item, "current_period_end");
        if end <= now {
            let recurring = &item["price"]["recurring"];
            let (interval, count) = (text(recurring, "interval"), number(recurring, "interval_count"));
            let next = period::next(anchor, interval, count, end);
            item["current_period_start"] = json!(end);
            item["current_period_end"] = json!(next);
        }
    }
}

/// The draft's hour is over, or an open invoice is to be tried again.
pub fn go_on(tx: &mut Tx, mut invoice: Value) {
    if invoice["status"] == "draft" {
        invoice::finalize(tx, &mut invoice);
        tx.put(Kind::Invoice, invoice.clone());
        tx.emit("invoice.finalized", &invoice);
        if invoice["auto_advance"] != true || skip(tx, &invoice) {
            return;
        }
    } else if sending::is_sent(&invoice) {
        return sending::go_on(tx, &invoice);
    }
    collect::collect(tx, invoice, &Attempt::automatic());
}

/// Closes an invoice of a subscription whose collection is paused. Whether it is.
fn skip(tx: &mut Tx, invoice: &Value) -> bool {
    let subscription = tx.copy(Kind::Subscription, invoice::subscription_of(invoice)).unwrap_or_default();
    match subscription["pause_collection"]["behavior"].as_str() {
        Some("void") => drop(invoice::void(tx, invoice.clone())),
        Some("mark_uncollectible") => drop(invoice::give_up(tx, invoice.clone(), "subscription_paused")),
        _ => return false,
    }
    true
}

/// The pause of collection is over.
pub fn unpause(tx: &mut Tx, mut subscription: Value) {
    subscription["pause_collection"] = Value::Null;
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
}

/// The next renewal as it would be, with these items besides what waits. It has no id, as it does not exist yet.
pub fn upcoming(tx: &Tx, subscription: &Value, items: &[Value]) -> Value {
    let waiting = invoice_item::pending(tx, text(subscription, "customer"), text(subscription, "id"));
    next(tx, subscription, &[&waiting[..], items].concat())
}

/// The next renewal as it would be if nothing waited.
pub fn upcoming_alone(tx: &Tx, subscription: &Value) -> Value {
    next(tx, subscription, &[])
}

fn next(tx: &Tx, subscription: &Value, waiting: &[Value]) -> Value {
    let (end, _) = period_ends(subscription);
    let mut next = subscription.clone();
    advance_items(&mut next, end);
    let start = subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap_or(end);
    as_upcoming(draft(tx, &next, waiting, (start, end)), end)
}

/// An invoice that will be made at this time, as it is shown before.
pub fn as_upcoming(mut invoice: Value, at: i64) -> Value {
    if let Some(fields) = invoice.as_object_mut() {
        fields.remove("id");
    }
    invoice["automatically_finalizes_at"] = Value::Null;
    if sending::is_sent(&invoice) {
        invoice["due_date"] = json!(number(&invoice, "due_date") - number(&invoice, "created") + at);
    } else {
        invoice["next_payment_attempt"] = json!(at + DRAFT);
    }
    invoice["created"] = json!(at);
    invoice
}

/// The same where nothing is changed: a schedule may have planned another phase for that time.
pub fn foreseen(tx: &mut Tx, subscription: &Value) -> Value {
    let (end, _) = period_ends(subscription);
    match schedule::time::foresee(tx, subscription) {
        Some(invoice) => as_upcoming(invoice, end),
        None => upcoming(tx, subscription, &[]),
    }
}

/// Tells of the invoice that the end of the period will bring.
pub fn announce(tx: &mut Tx, subscription: &Value) {
    let invoice = foreseen(tx, subscription);
    tx.emit("invoice.upcoming", &invoice);
    let (end, _) = period_ends(subscription);
    note(tx, subscription, "upcoming_told", json!(end));
}

/// Remembers what was told, beside the subscription.
pub fn note(tx: &mut Tx, subscription: &Value, name: &str, value: Value) {
    let id = text(subscription, "id").to_owned();
    let mut notes = tx.private(Kind::Subscription, &id).clone();
    if notes.is_null() {
        notes = json!({});
    }
    notes[name] = value;
    tx.put_with(Kind::Subscription, &id, subscription.clone(), notes);
}
