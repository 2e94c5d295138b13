//! How things end: subscriptions that are canceled or never paid for, and checkout sessions that expire.

use serde_json::{Value, json};

use crate::state::{Kind, Tx, text};

/// Ends a subscription now, and tells of it.
pub fn cancel(tx: &mut Tx, mut subscription: Value, reason: &str) -> Value {
    let now = tx.now();
    subscription["status"] = json!("canceled");
    subscription["cancel_at"] = Value::Null;
    subscription["cancel_at_period_end"] = json!(false);
    if subscription["canceled_at"].is_null() {
        subscription["canceled_at"] = json!(now);
    }
    subscription["ended_at"] = json!(now);
    subscription["cancellation_details"]["reason"] = json!(reason);
    tx.put(Kind::Subscription, subscription.clone());
    tx.emit("customer.subscription.deleted", &subscription);
    subscription
}

/// A subscription whose first invoice was not paid in time.
pub fn expire_incomplete(tx: &mut Tx, mut subscription: Value) {
    let now = tx.now();
    if let Some(mut invoice) = tx.copy(Kind::Invoice, text(&subscription, "latest_invoice")) {
        invoice["status"] = json!("void");
        invoice["status_transitions"]["voided_at"] = json!(now);
        tx.put(Kind::Invoice, invoice.clone());
        tx.emit("invoice.voided", &invoice);
    }
    subscription["status"] = json!("incomplete_expired");
    subscription["ended_at"] = json!(now);
    tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
}

/// Closes an open checkout session.
pub fn expire_session(tx: &mut Tx, mut session: Value) -> Value {
    session["status"] = json!("expired");
    session["url"] = Value::Null;
    tx.put(Kind::CheckoutSession, session.clone());
    tx.emit("checkout.session.expired", &session);
    session
}
