//! Invoices, to read; `invoice_actions` changes them.

use serde_json::{Value, json};

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind};

/// Parameters of making and of changing one that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED: &[&str] = &[
    "account_tax_ids",
    "application_fee_amount",
    "automatic_tax",
    "automatically_finalizes_at",
    "custom_fields",
    "days_until_due",
    "default_source",
    "default_tax_rates",
    "due_date",
    "effective_at",
    "issuer",
    "number",
    "on_behalf_of",
    "payment_settings",
    "rendering",
    "shipping_cost",
    "shipping_details",
    "statement_descriptor",
    "transfer_data",
];

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Invoice, call.id(), Place::Path)
}

pub fn lines(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let limit = crate::list::limit(&mut params)?;
    params.refuse(&["starting_after", "ending_before"])?;
    params.finish()?;
    let invoice = call.tx.require(Kind::Invoice, call.id(), Place::Path)?;
    let all = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
    Ok(json!({
        "object": "list",
        "data": all.iter().take(limit).collect::<Vec<_>>(),
        "has_more": all.len() > limit,
        "url": invoice["lines"]["url"],
    }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    let subscription = params.text("subscription")?;
    let status = params.one_of("status", &["draft", "open", "paid", "uncollectible", "void"])?;
    let collection = params.one_of("collection_method", &["charge_automatically", "send_invoice"])?;
    params.finish()?;
    let is = |value: &Value, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| value == wanted);
    page.of(call.tx, Kind::Invoice, "/v1/invoices", Key::Customer.of(customer.as_deref()), |invoice| {
        is(&invoice["parent"]["subscription_details"]["subscription"], &subscription)
            && is(&invoice["status"], &status)
            && is(&invoice["collection_method"], &collection)
    })
}
