//! The customer's billing information in the portal: the fields that the configuration lets them change.
//! `tax_id` may be allowed, but the pages have no field for it.

use serde_json::{Value, json};

use super::{Visit, visit};
use crate::error::ApiError;
use crate::state::{Kind, Tx};

const FEATURE: &str = "customer_update";
/// The parts of an address, as Stripe names them.
pub const ADDRESS: &[&str] = &["line1", "line2", "city", "state", "postal_code", "country"];

/// The name of the shipping address's field for a part.
pub fn of_shipping(part: &str) -> String {
    format!("shipping_{part}")
}

/// What one may change: of `name`, `email`, `phone`, `address` and `shipping` those that are allowed.
pub fn allowed(visit: &Visit) -> Vec<&str> {
    let allowed =
        visit.configuration["features"][FEATURE]["allowed_updates"].as_array().into_iter().flatten();
    let known = allowed.filter_map(Value::as_str);
    let known = known.filter(|field| ["name", "email", "phone", "address", "shipping"].contains(field));
    if visit.allows(FEATURE) { known.collect() } else { Vec::new() }
}

/// Changes what may be changed. `read` gives a field's new text, where an empty one clears it.
pub fn change(tx: &mut Tx, session: &str, read: impl Fn(&str) -> Option<String>) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    let mut customer = visit.customer.clone();
    for field in allowed(&visit) {
        match field {
            "address" => change_address(&mut customer["address"], &read),
            "shipping" => change_shipping(&mut customer["shipping"], &read),
            _ => {
                if let Some(text) = read(field) {
                    customer[field] = value(text);
                }
            }
        }
    }
    tx.update(Kind::Customer, customer, "customer.updated");
    Ok(visit.finish(tx, FEATURE, "details_changed"))
}

fn value(text: String) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

/// An address without any part is none.
fn change_address(address: &mut Value, read: &impl Fn(&str) -> Option<String>) {
    let given: Vec<_> = ADDRESS.iter().filter_map(|part| Some((*part, read(part)?))).collect();
    if given.iter().all(|(_, text)| text.is_empty()) {
        if !given.is_empty() {
            *address = Value::Null;
        }
        return;
    }
    if address.is_null() {
        let parts = ADDRESS.iter().map(|part| ((*part).to_owned(), Value::Null));
        *address = Value::Object(parts.collect());
    }
    for (part, text) in given {
        address[part] = value(text);
    }
}

/// Without a name and an address there is nobody to ship to.
fn change_shipping(shipping: &mut Value, read: &impl Fn(&str) -> Option<String>) {
    let Some(name) = read(&of_shipping("name")) else {
        return;
    };
    let mut address = shipping["address"].take();
    change_address(&mut address, &|part: &str| read(&of_shipping(part)));
    *shipping = if name.is_empty() && address.is_null() {
        Value::Null
    } else {
        let phone = value(read(&of_shipping("phone")).unwrap_or_default());
        json!({ "address": address, "name": name, "phone": phone })
    };
}
