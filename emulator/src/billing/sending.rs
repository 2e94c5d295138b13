//! Invoices that are sent to their customer, who is to pay them by a date: what makes an invoice or a subscription
//! one of these, and what follows when nobody has paid in time. Nothing is charged here by itself, and nobody is
//! sent an e-mail, as in Stripe's test mode.
//!
//! Known from Stripe's documents: the first invoice of such a subscription too is a draft for an hour, and the
//! subscription is past due once the date has passed. `invoice.will_be_due` and `invoice.overdue` come only if the
//! Dashboard's automations say so (`/_emulator/billing`). Not sure: that the date counts from when the draft was
//! made, that the invoice of a change is sent at once, and that a subscription stays past due for good, as Stripe has
//! a setting for that.

use serde_json::{Value, json};

use super::subscription::{self, Draft};
use super::{discount, invoice, purchase, renewal, standing};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

const DAY: i64 = 86_400;
pub const WORD: &str = "send_invoice";
/// The note that has what is to happen to an open invoice: `at` and `what`, the earliest first.
const STEPS: &str = "steps";
const PASSES: &str = "due_date";

/// Whether an invoice or a subscription is one of these.
pub fn is_sent(object: &Value) -> bool {
    object["collection_method"] == WORD
}

/// How an invoice or a subscription is paid: with days it is sent, without it is charged.
pub fn set(object: &mut Value, days: Option<i64>) {
    object["collection_method"] = json!(if days.is_some() { WORD } else { "charge_automatically" });
    if object["object"] == "subscription" {
        object["days_until_due"] = json!(days);
    } else {
        object["due_date"] = json!(days.map(|days| number(object, "created") + days * DAY));
    }
}

/// Makes a draft what its subscription says.
pub fn follow(invoice: &mut Value, subscription: &Value) {
    if is_sent(subscription) {
        set(invoice, Some(number(subscription, "days_until_due")));
    }
}

/// Nobody can be sent anything without an address.
pub fn ensure_address(customer: &Value) -> Result<(), ApiError> {
    if customer["email"].is_string() {
        return Ok(());
    }
    let message = "Missing email. In order to create invoices that are sent to the customer, the customer must have a \
                   valid email.";
    Err(ApiError::invalid(message))
}

/// A new subscription whose first invoice waits an hour as a draft. Tells of both, and gives the subscription.
pub fn begin(tx: &mut Tx, draft: &Draft, days: i64) -> Value {
    let status = if draft.trial_end.is_some() { "trialing" } else { "active" };
    let mut subscription = subscription::build(tx, draft, status);
    set(&mut subscription, Some(days));
    let mut first = invoice::draft(tx, draft, &subscription);
    first["automatically_finalizes_at"] = json!(tx.now() + renewal::DRAFT);
    subscription["latest_invoice"] = first["id"].clone();
    discount::redeem::store(tx, &draft.discounts, &subscription);
    discount::redeem::announce(tx, &first);
    tx.create(Kind::Subscription, subscription.clone(), "customer.subscription.created");
    tx.create(Kind::Invoice, first, "invoice.created");
    purchase::set_currency(tx, draft);
    subscription
}

/// Tells that the invoice is on its way.
pub fn send(tx: &mut Tx, invoice: &Value) {
    tx.emit("invoice.sent", invoice);
}

/// Notes what is to happen to an invoice that is about to be open, unless it is paid before.
pub fn plan(tx: &mut Tx, invoice: &Value) {
    let Some(due) = invoice["due_date"].as_i64().filter(|_| is_sent(invoice)) else {
        return;
    };
    let settings = tx.billing_settings();
    let before = settings.will_be_due_days.map(|days| (due - days * DAY, "invoice.will_be_due"));
    let after = settings.overdue_days.map(|days| (due + days * DAY, "invoice.overdue"));
    let steps = [before, Some((due, PASSES)), after].into_iter().flatten();
    let steps: Value = steps.map(|(at, what)| json!({ "at": at, "what": what })).collect();
    tx.put_with(Kind::Invoice, text(invoice, "id"), invoice.clone(), json!({ STEPS: steps }));
}

/// Something is due of an open invoice that was sent: its date passes, or an automation tells of that.
pub fn go_on(tx: &mut Tx, invoice: &Value) {
    let id = text(invoice, "id");
    let mut notes = tx.private(Kind::Invoice, id).clone();
    let Some(steps) = notes[STEPS].as_array_mut().filter(|steps| !steps.is_empty()) else {
        return;
    };
    let step = steps.remove(0);
    tx.put_with(Kind::Invoice, id, invoice.clone(), notes);
    match text(&step, "what") {
        PASSES => standing::overdue(tx, invoice),
        event => tx.emit(event, invoice),
    }
}
