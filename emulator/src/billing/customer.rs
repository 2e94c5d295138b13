//! A customer as Stripe shows a new one, and what goes with one who is deleted.

use serde_json::{Value, json};

use super::subscription::has_ended;
use super::{ending, schedule};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, text};

/// A new customer object with an e-mail or `null`. It is not stored.
pub fn build(tx: &Tx, email: Value) -> Value {
    shapes::filled(
        Shape::Customer,
        json!({
            "id": ids::new("cus_"),
            "created": tx.now(),
            "email": email,
            "invoice_prefix": ids::random(8).to_uppercase(),
        }),
    )
}

/// The customer's tax ids as an invoice shows them.
pub fn tax_ids(tx: &Tx, customer: &str) -> Value {
    let all = tx.of_customer(Kind::TaxId, customer).into_iter().rev();
    all.map(|tax_id| json!({ "type": tax_id["type"], "value": tax_id["value"] })).collect()
}

/// Ends what the customer subscribes to, lets their cards go, and tells of it. What is left says only that they
/// were there.
pub fn delete(tx: &mut Tx, customer: &Value) -> Value {
    let id = text(customer, "id").to_owned();
    for subscription in tx.of_customer(Kind::Subscription, &id) {
        if !has_ended(&subscription) {
            ending::cancel(tx, subscription, Some("cancellation_requested"));
        }
    }
    schedule::ending::with_customer(tx, &id);
    for mut method in tx.of_customer(Kind::PaymentMethod, &id) {
        method["customer"] = Value::Null;
        tx.put(Kind::PaymentMethod, method);
    }
    for tax_id in tx.of_customer(Kind::TaxId, &id) {
        tx.remove(Kind::TaxId, text(&tax_id, "id"));
    }
    tx.emit("customer.deleted", customer);
    let tombstone = json!({ "id": id, "object": "customer", "deleted": true });
    let notes = json!({ "created": customer["created"] });
    tx.put_with(Kind::Customer, &id, tombstone.clone(), notes);
    tombstone
}

/// Something before an @ and a domain after it; more is the mail server's business.
pub fn is_email(email: &str) -> bool {
    let (local, domain) = email.rsplit_once('@').unwrap_or_default();
    !local.is_empty() && !domain.is_empty() && !email.contains(char::is_whitespace)
}

/// Tells that the customer is billed in a currency from now on.
pub fn announce_currency(tx: &mut Tx, before: &Value) {
    let customer = tx.copy(Kind::Customer, text(before, "id")).unwrap_or_default();
    if customer["currency"] != before["currency"] {
        let previous = json!({ "currency": before["currency"] });
        tx.emit_with("customer.updated", &customer, Some(previous));
    }
}
