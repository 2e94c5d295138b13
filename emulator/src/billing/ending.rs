//! How things end: subscriptions that are canceled or never paid for, and checkout sessions that expire.

use serde_json::{Value, json};

use super::change::{self, Planned};
use super::payment::Authentication;
use super::subscription::period_ends;
use super::{intent, invoice, invoice_item, pending_update, proration, schedule, update};
use crate::state::{Kind, Tx, text};

/// Ends a subscription now, and tells of it. Nobody is charged any more for what is still open.
pub fn cancel(tx: &mut Tx, mut subscription: Value, reason: Option<&str>) -> Value {
    let now = tx.now();
    pending_update::forget(tx, &mut subscription);
    subscription["status"] = json!("canceled");
    // A cancellation that was planned shows as it was planned.
    if subscription["cancel_at"].as_i64().is_none_or(|at| at > now) {
        subscription["cancel_at"] = Value::Null;
        subscription["cancel_at_period_end"] = json!(false);
    }
    if subscription["canceled_at"].is_null() {
        subscription["canceled_at"] = json!(now);
    }
    subscription["ended_at"] = json!(now);
    if let Some(reason) = reason {
        subscription["cancellation_details"]["reason"] = json!(reason);
    }
    tx.put(Kind::Subscription, subscription.clone());
    tx.emit("customer.subscription.deleted", &subscription);
    schedule::ending::with_subscription(tx, &subscription, reason);
    for mut invoice in invoices_of(tx, &subscription) {
        invoice::stop_collection(&mut invoice);
        tx.update(Kind::Invoice, invoice, "invoice.updated");
    }
    subscription
}

/// Gives what is left of the period back, with the customer's next invoice.
pub fn credit_unused(tx: &mut Tx, subscription: &Value) {
    if matches!(text(subscription, "status"), "trialing" | "paused" | "incomplete") {
        return;
    }
    let now = tx.now();
    for item in change::items_of(subscription) {
        if let Some(credit) = proration::unused(&item, now) {
            let item = invoice_item::of_proration(tx, subscription, &credit);
            invoice_item::add(tx, item);
        }
    }
}

/// What changes in the middle of the period have left is not billed any more.
pub fn forget_prorations(tx: &mut Tx, subscription: &Value) {
    let (customer, id) = (text(subscription, "customer"), text(subscription, "id"));
    let ours = |item: &Value| item["parent"]["subscription_details"]["subscription"] == *id;
    for item in invoice_item::pending(tx, customer, id) {
        if item["proration"] == true && ours(&item) {
            invoice_item::remove(tx, &item);
        }
    }
}

/// Ends a subscription as it was planned. What waits for the end of its period is collected then.
pub fn as_planned(tx: &mut Tx, mut subscription: Value) {
    if subscription["cancel_at"].as_i64().is_some_and(|at| at >= period_ends(&subscription).0) {
        bill_what_waits(tx, &mut subscription);
    }
    cancel(tx, subscription, None);
}

/// A last invoice for what waits, if anything does. It is tried once.
pub fn bill_what_waits(tx: &mut Tx, subscription: &mut Value) {
    pending_update::forget(tx, subscription);
    let (customer, id) = (text(subscription, "customer").to_owned(), text(subscription, "id").to_owned());
    let waiting = invoice_item::pending(tx, &customer, &id);
    if waiting.is_empty() {
        return;
    }
    let planned =
        Planned { subscription: subscription.clone(), prorations: Vec::new(), begins_period: false };
    let mut draft = update::draft(tx, &planned, &waiting);
    invoice::stop_collection(&mut draft);
    invoice_item::bill(tx, waiting, &draft);
    subscription["latest_invoice"] = draft["id"].clone();
    let invoice = update::open(tx, draft);
    update::collect(tx, invoice, Authentication::OffSession);
}

/// A subscription whose first invoice was not paid in time.
pub fn expire_incomplete(tx: &mut Tx, mut subscription: Value) {
    let now = tx.now();
    invoice::void_if_open(tx, text(&subscription, "latest_invoice"));
    subscription["status"] = json!("incomplete_expired");
    subscription["ended_at"] = json!(now);
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
}

/// Those that may still be paid.
fn invoices_of(tx: &Tx, subscription: &Value) -> Vec<Value> {
    let all = tx.of_customer(Kind::Invoice, text(subscription, "customer"));
    let ours = all.into_iter().filter(|it| invoice::subscription_of(it) == text(subscription, "id"));
    ours.filter(|it| matches!(text(it, "status"), "draft" | "open")).collect()
}

/// Closes an open checkout session, and the intent of a payment that was tried on it.
pub fn expire_session(tx: &mut Tx, mut session: Value) -> Value {
    session["status"] = json!("expired");
    session["url"] = Value::Null;
    tx.put(Kind::CheckoutSession, session.clone());
    if let Some(intent) = tx.copy(Kind::PaymentIntent, text(&session, "payment_intent")) {
        // Not sure: the reason, and that it is canceled at all.
        intent::cancel(tx, intent, Some("expired"));
    }
    tx.emit("checkout.session.expired", &session);
    session
}
