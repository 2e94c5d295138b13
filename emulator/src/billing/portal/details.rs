//! The customer's billing information in the portal: the fields that the configuration lets them change.
//! `shipping` and `tax_id` may be allowed, but the pages have no fields for them.

use serde_json::{Value, json};

use super::{Visit, visit};
use crate::error::ApiError;
use crate::state::{Kind, Tx};

const FEATURE: &str = "customer_update";
/// The parts of an address, as Stripe names them.
pub const ADDRESS: &[&str] = &["line1", "line2", "city", "state", "postal_code", "country"];

/// What one may change: of `name`, `email`, `phone` and `address` those that are allowed.
pub fn allowed(visit: &Visit) -> Vec<&str> {
    let allowed =
        visit.configuration["features"][FEATURE]["allowed_updates"].as_array().into_iter().flatten();
    let known = allowed.filter_map(Value::as_str);
    let known = known.filter(|field| ["name", "email", "phone", "address"].contains(field));
    if visit.allows(FEATURE) { known.collect() } else { Vec::new() }
}

/// Changes what may be changed. `read` gives a field's new text, where an empty one clears it.
pub fn change(tx: &mut Tx, session: &str, read: impl Fn(&str) -> Option<String>) -> Result<String, ApiError> {
    let visit = visit(tx, session)?;
    visit.ensure(FEATURE)?;
    let mut customer = visit.customer.clone();
    let value = |text: String| if text.is_empty() { Value::Null } else { json!(text) };
    for field in allowed(&visit) {
        if field == "address" {
            let given: Vec<_> = ADDRESS.iter().filter_map(|part| Some((*part, read(part)?))).collect();
            let is_empty = given.iter().all(|(_, text)| text.is_empty());
            if given.is_empty() || (is_empty && customer["address"].is_null()) {
                continue;
            }
            if is_empty {
                customer["address"] = Value::Null;
                continue;
            }
            if customer["address"].is_null() {
                let parts = ADDRESS.iter().map(|part| ((*part).to_owned(), Value::Null));
                customer["address"] = Value::Object(parts.collect());
            }
            for (part, text) in given {
                customer["address"][part] = value(text);
            }
        } else if let Some(text) = read(field) {
            customer[field] = value(text);
        }
    }
    tx.update(Kind::Customer, customer, "customer.updated");
    Ok(visit.finish(tx, FEATURE, "details_changed"))
}
