//! Invoice items: amounts that somebody puts on a customer's next invoice, or on a draft. What they say is read in
//! `invoice_item_params`.

use serde_json::{Value, json};

use super::{Call, invoice_item_params};
use crate::billing::{draft_lines, invoice_item};
use crate::error::{ApiError, Place};
use crate::list::{Page, Range};
use crate::params::Params;
use crate::state::{Key, Kind, Tx, text};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let customer = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    let currency = invoice_item_params::read_currency(&mut params)?;
    let mut item = invoice_item_params::blank(call.tx, &customer, &currency);
    item["parent"] = read_parent(call.tx, &mut params)?;
    let draft = params.text("invoice")?;
    invoice_item_params::read(call.tx, &mut params, &mut item)?;
    params.finish()?;
    let Some(id) = draft else {
        invoice_item::add(call.tx, item.clone());
        return Ok(item);
    };
    let mut invoice = call.tx.require(Kind::Invoice, &id, Place::Param("invoice"))?;
    if invoice["status"] != "draft" {
        let message = "You can only add items to a draft invoice.";
        return Err(ApiError::invalid(message).code("invoice_not_editable").param("invoice"));
    }
    draft_lines::put_on(&mut invoice, &mut item);
    invoice_item::add(call.tx, item.clone());
    draft_lines::store(call.tx, invoice);
    Ok(item)
}

/// The subscription that it is for.
fn read_parent(tx: &Tx, params: &mut Params) -> Result<Value, ApiError> {
    let Some(id) = params.text("subscription")? else {
        return Ok(Value::Null);
    };
    tx.require(Kind::Subscription, &id, Place::Param("subscription"))?;
    Ok(json!({ "subscription_details": { "subscription": id }, "type": "subscription_details" }))
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut item = call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)?;
    let on = call.tx.copy(Kind::Invoice, text(&item, "invoice"));
    ensure_draft(on.as_ref(), "update")?;
    invoice_item_params::read(call.tx, &mut params, &mut item)?;
    params.finish()?;
    match on {
        None => call.tx.put(Kind::InvoiceItem, item.clone()),
        Some(mut draft) => {
            draft_lines::change(call.tx, &mut draft, item.clone());
            draft_lines::store(call.tx, draft);
        }
    }
    Ok(item)
}

/// What is on a finalised invoice stays as it is.
fn ensure_draft(on: Option<&Value>, what: &str) -> Result<(), ApiError> {
    if on.is_none_or(|invoice| invoice["status"] == "draft") {
        return Ok(());
    }
    let message = format!("You can't {what} an invoice item that is on a finalized invoice.");
    Err(ApiError::invalid(message).code("invoice_not_editable"))
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let item = call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)?;
    ensure_draft(call.tx.copy(Kind::Invoice, text(&item, "invoice")).as_ref(), "delete")?;
    invoice_item::remove(call.tx, &item);
    Ok(json!({ "id": call.id(), "object": "invoiceitem", "deleted": true }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    // An item says `date` for when it was created.
    let created = Range::read(&mut params, "created")?;
    let customer = params.text("customer")?;
    let invoice = params.text("invoice")?;
    let pending = params.boolean("pending")?;
    params.finish()?;
    page.named(
        call.tx,
        Kind::InvoiceItem,
        "/v1/invoiceitems",
        Key::Customer.of(customer.as_deref()),
        |item| {
            invoice.as_ref().is_none_or(|invoice| item["invoice"] == **invoice)
                && pending.is_none_or(|pending| item["invoice"].is_null() == pending)
                && created.has(&item["date"])
        },
    )
}
