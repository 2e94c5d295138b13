//! A customer's tax ids, which their invoices show. Nobody verifies them here: one of the EU, the UK or Australia
//! stays pending, as it does at Stripe until the registry answers; the others cannot be verified there either.
//! Whether a value has the form that its country gives it is not checked.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::Params;
use crate::state::{Key, Kind, Tx, ids, text};

/// Those that Stripe asks a registry about.
const VERIFIED: &[&str] = &["au_abn", "eu_vat", "gb_vat"];
/// A customer has at most so many.
const MOST: usize = 5;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    let customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    add(call.tx, params, &customer)
}

/// Reads one and gives it to the customer. Fails if they have five.
pub fn add(tx: &mut Tx, mut params: Params, customer: &Value) -> Result<Value, ApiError> {
    let (name, id) = (params.full_name("type"), text(customer, "id"));
    let (kind, value) = (params.required_text("type")?, params.required_text("value")?);
    params.finish()?;
    let well_formed = kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let Some((country, _)) = kind.split_once('_').filter(|(country, _)| country.len() == 2 && well_formed)
    else {
        let message = format!("Invalid {name}: must be one of Stripe's types of tax ids, for example eu_vat");
        return Err(ApiError::invalid(message).param(name));
    };
    if tx.of_customer(Kind::TaxId, id).len() >= MOST {
        let message = format!("You can add at most {MOST} tax IDs to a customer.");
        return Err(ApiError::invalid(message).param(name));
    }
    // One of the EU begins with its country.
    let country = if country == "eu" { value.get(..2).unwrap_or_default() } else { country };
    let status = if VERIFIED.contains(&kind.as_str()) { "pending" } else { "unavailable" };
    let tax_id = json!({
        "id": ids::new("txi_"),
        "object": "tax_id",
        "country": country.to_uppercase(),
        "created": tx.now(),
        "customer": id,
        "customer_account": null,
        "livemode": false,
        "owner": { "customer": id, "customer_account": null, "type": "customer" },
        "type": kind,
        "value": value,
        "verification": { "status": status, "verified_address": null, "verified_name": null },
    });
    tx.create(Kind::TaxId, tax_id.clone(), "customer.tax_id.created");
    Ok(tax_id)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    require(call)
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let tax_id = require(call)?;
    call.tx.remove(Kind::TaxId, text(&tax_id, "id"));
    call.tx.emit("customer.tax_id.deleted", &tax_id);
    Ok(json!({ "id": tax_id["id"], "object": "tax_id", "deleted": true }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let customer = text(&call.tx.require(Kind::Customer, call.id(), Place::Path)?, "id").to_owned();
    let page = Page::read(&mut params)?;
    params.finish()?;
    let url = format!("/v1/customers/{customer}/tax_ids");
    page.of(call.tx, Kind::TaxId, &url, Key::Customer.of(Some(&customer)), |_| true)
}

/// The tax id in the path, which must be the customer's.
fn require(call: &Call) -> Result<Value, ApiError> {
    let customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let id = call.path.get(1).map_or("", String::as_str);
    let tax_id = call.tx.require(Kind::TaxId, id, Place::Path)?;
    if tax_id["customer"] == customer["id"] {
        Ok(tax_id)
    } else {
        Err(ApiError::no_such(Kind::TaxId, id, Place::Path))
    }
}
