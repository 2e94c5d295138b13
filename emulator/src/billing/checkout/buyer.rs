//! Who buys: the session's customer or a new one, what checkout learns about them, and how a finished session
//! shows them.

use serde_json::{Value, json};

use crate::billing::customer;
use crate::state::diff::previous_attributes;
use crate::state::{Kind, Tx, text};

/// The session's customer, or a new one made from what the buyer typed.
pub fn ensure_customer(tx: &mut Tx, session: &Value, email: Option<&str>) -> Value {
    if let Some(customer) = tx.copy(Kind::Customer, text(session, "customer")) {
        return customer;
    }
    let email = session["customer_email"].as_str().or(email).map_or(Value::Null, |email| json!(email));
    let customer = customer::build(tx, email);
    tx.put(Kind::Customer, customer.clone());
    customer
}

/// Keeps what checkout learned about the customer: an e-mail they lacked, and their name where that is wanted.
pub fn announce_customer(
    tx: &mut Tx,
    session: &Value,
    before: &Value,
    email: Option<&str>,
    method: Option<&Value>,
) {
    let id = text(before, "id").to_owned();
    let mut customer = tx.copy(Kind::Customer, &id).unwrap_or_default();
    let name = method.map(|method| method["billing_details"]["name"].clone()).unwrap_or_default();
    let may_rename =
        tx.private(Kind::CheckoutSession, text(session, "id"))["customer_update"]["name"] == "auto";
    let is_new = session["customer"].is_null();
    if (may_rename || is_new) && !name.is_null() {
        customer["name"] = name;
    }
    if customer["email"].is_null() {
        customer["email"] = json!(email);
    }
    tx.put(Kind::Customer, customer.clone());
    if is_new {
        tx.emit("customer.created", before);
    }
    if let Some(previous) = previous_attributes(before, &customer) {
        tx.emit_with("customer.updated", &customer, Some(previous));
    }
}

/// `customer_details` of a finished session, from the customer, if there is one, and the card.
pub fn details(
    session: &Value,
    customer: Option<&Value>,
    email: Option<&str>,
    method: Option<&Value>,
) -> Value {
    let known = customer.map(|customer| customer["email"].clone()).filter(|email| !email.is_null());
    let typed = session["customer_email"].as_str().or(email).map_or(Value::Null, |email| json!(email));
    let name = method.map(|method| method["billing_details"]["name"].clone());
    let name = name.or_else(|| customer.map(|customer| customer["name"].clone()));
    json!({
        "address": method.map(|method| method["billing_details"]["address"].clone()),
        "business_name": null,
        "email": known.unwrap_or(typed),
        "individual_name": null,
        "name": name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}
