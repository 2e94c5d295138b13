//! POST /v1/invoices: a draft of somebody's own making, for what waits to be billed, or one that revises an invoice.

use serde_json::{Value, json};

use super::{Call, invoice_params};
use crate::billing::invoice::{self, Bill, revision};
use crate::billing::invoice_item;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, text};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(invoice_params::UNSUPPORTED)?;
    params.refuse(&["customer_account"])?;
    if let Some(from) = params.children("from_invoice")? {
        return revise(call, from, params);
    }
    let id = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &id, Place::Param("customer"))?;
    let subscription = match params.text("subscription")? {
        None => Value::Null,
        Some(id) => call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?,
    };
    let behavior = params.one_of("pending_invoice_items_behavior", &["exclude", "include"])?;
    let takes = behavior.as_deref() == Some("include") || !subscription.is_null();
    let mut waiting = invoice_item::pending(call.tx, &id, text(&subscription, "id"));
    waiting.retain(|_| takes);
    let currency = read_currency(&mut params, waiting.first().unwrap_or(&customer))?;
    waiting.retain(|item| item["currency"] == *currency);
    let now = call.tx.now();
    let bill = Bill {
        customer: &id,
        currency: &currency,
        subscription: &subscription,
        reason: if subscription.is_null() { "manual" } else { "subscription_update" },
        period: (now, now),
        lines: waiting.iter().map(invoice_item::line).collect(),
    };
    let mut draft = invoice::build(call.tx, bill);
    draft["metadata"] = json!({});
    read(call, params, &mut draft)?;
    invoice_item::bill(call.tx, waiting, &draft);
    call.tx.create(Kind::Invoice, draft.clone(), "invoice.created");
    Ok(draft)
}

fn read(call: &Call, mut params: Params, draft: &mut Value) -> Result<(), ApiError> {
    invoice_params::read(call.tx, &mut params, draft)?;
    invoice_params::read_advance(call.tx, &mut params, draft, true)?;
    params.finish()
}

/// The currency that is asked for, or that of the first thing to bill or of the customer.
fn read_currency(params: &mut Params, known: &Value) -> Result<String, ApiError> {
    let currency = params.text("currency")?;
    Ok(currency.as_deref().or(known["currency"].as_str()).unwrap_or("usd").to_lowercase())
}

/// A draft that is to take the place of an open invoice.
fn revise(call: &mut Call, mut from: Params, mut params: Params) -> Result<Value, ApiError> {
    from.one_of("action", &["revision"])?.ok_or_else(|| ApiError::missing_param("from_invoice[action]"))?;
    let (id, place) = (from.required_text("invoice")?, Place::Param("from_invoice[invoice]"));
    from.finish()?;
    let given = ["currency", "pending_invoice_items_behavior", "subscription"];
    if let Some(name) = given.into_iter().find(|name| params.has(name)) {
        let message = format!("You cannot set `{name}` if `from_invoice` is set.");
        return Err(ApiError::invalid(message).param(name));
    }
    let original = call.tx.require(Kind::Invoice, &id, place)?;
    if params.text("customer")?.is_some_and(|customer| original["customer"] != *customer) {
        let message = "The revision's customer must be the customer of the invoice that it revises.";
        return Err(ApiError::invalid(message).param("customer"));
    }
    let is_open = matches!(text(&original, "status"), "open" | "uncollectible");
    if !is_open || !original["parent"].is_null() {
        let message = "You can only revise an invoice whose status is open or uncollectible, and that is not one of a \
                       subscription.";
        return Err(ApiError::invalid(message).param("from_invoice[invoice]"));
    }
    let (mut draft, items) = revision::of(call.tx, &original);
    read(call, params, &mut draft)?;
    revision::store(call.tx, draft.clone(), items, original);
    Ok(draft)
}
