//! Invoice items: amounts that somebody puts on a customer's next invoice, or on a draft.

use serde_json::{Value, json};

use super::Call;
use super::discounts::{self, Sale};
use crate::billing::discount::lines::names;
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::discount::{Applied, Part};
use crate::billing::invoice_item;
use crate::billing::money::{MOST_AMOUNT, MOST_QUANTITY};
use crate::billing::subscription::ids_of;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, ids, number, text};

const UNSUPPORTED: &[&str] = &["price_data", "tax_behavior", "tax_code", "tax_rates", "unit_amount_decimal"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let customer = params.required_text("customer")?;
    let customer = call.tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    let mut item = read_new(call.tx, &mut params, &customer)?;
    if let Some(id) = params.text("subscription")? {
        let subscription = call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?;
        item["parent"] = invoice_item::parent_of(&subscription);
    }
    let draft = params.text("invoice")?;
    params.finish()?;
    redeem::announce(call.tx, &names(&item["discounts"]));
    put_on(call.tx, item, draft)
}

/// A new item without a subscription or an invoice. Its discounts are stored; it is not.
fn read_new(tx: &mut Tx, params: &mut Params, customer: &Value) -> Result<Value, ApiError> {
    let (amount, currency, pricing, quantity) = read_amount(tx, params)?;
    let discounts = read_discounts(tx, params, customer, (&currency, &pricing, amount), &[])?;
    let discounts = discounts.unwrap_or_default();
    let now = tx.now();
    let item = json!({
        "id": ids::new("ii_"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": null,
        "date": now,
        "description": params.clearable("description")?.map_or(Value::Null, Change::into_json),
        "discountable": params.boolean("discountable")?.unwrap_or(amount >= 0),
        "discounts": ids_of(&discounts),
        "invoice": null,
        "livemode": false,
        "metadata": params.metadata(&json!({}))?,
        "net_amount": amount,
        "parent": null,
        "period": read_period(params, now)?,
        "pricing": pricing,
        "proration": false,
        "quantity": quantity,
        "quantity_decimal": quantity.to_string(),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
    });
    let owner =
        Owner { customer: text(customer, "id"), invoice_item: item["id"].as_str(), ..Owner::default() };
    redeem::store(tx, &discounts, owner);
    Ok(item)
}

/// `discounts` of one item of this currency, pricing and amount, where these ids are known; `None` if not said.
fn read_discounts(
    tx: &Tx,
    params: &mut Params,
    customer: &Value,
    (currency, pricing, amount): (&str, &Value, i64),
    known: &[String],
) -> Result<Option<Vec<Applied>>, ApiError> {
    let part = Part { product: text(&pricing["price_details"], "product").to_owned(), amount };
    let sale = Sale { customer: customer["id"].as_str(), currency, parts: &[part], most: 20, known };
    discounts::read_change(tx, params, &sale)
}

/// `invoice_items` of a preview. Those of a subscription wait as if they had been made, until the preview is taken back.
pub fn read_for_preview(
    tx: &mut Tx,
    params: &mut Params,
    customer: &str,
    subscription: &Value,
) -> Result<Vec<Value>, ApiError> {
    let mut items = Vec::new();
    for mut one in params.list("invoice_items")?.unwrap_or_default() {
        one.refuse(UNSUPPORTED)?;
        one.refuse(&["invoiceitem", "price"])?;
        let customer = tx.require(Kind::Customer, customer, Place::Param("customer"))?;
        let mut item = read_new(tx, &mut one, &customer)?;
        one.finish()?;
        if !subscription.is_null() {
            item["parent"] = invoice_item::parent_of(subscription);
            tx.put(Kind::InvoiceItem, item.clone());
        }
        items.push(item);
    }
    Ok(items)
}

/// Stores the item, on a draft if one is named.
fn put_on(tx: &mut Tx, mut item: Value, draft: Option<String>) -> Result<Value, ApiError> {
    let Some(id) = draft else {
        invoice_item::add(tx, item.clone());
        return Ok(item);
    };
    let mut invoice = tx.require(Kind::Invoice, &id, Place::Param("invoice"))?;
    if invoice["status"] != "draft" {
        let message = "You can only add items to a draft invoice.";
        return Err(ApiError::invalid(message).code("invoice_not_editable").param("invoice"));
    }
    item["invoice"] = json!(id);
    let mut line = invoice_item::line(&item);
    line["invoice"] = json!(id);
    if let Some(lines) = invoice["lines"]["data"].as_array_mut() {
        lines.push(line);
        let count = lines.len();
        invoice["lines"]["total_count"] = json!(count);
    }
    redeem::put_on_again(tx, &mut invoice);
    invoice_item::add(tx, item.clone());
    tx.update(Kind::Invoice, invoice, "invoice.updated");
    Ok(item)
}

/// `amount` and `currency`, or a price and how many of it.
fn read_amount(tx: &Tx, params: &mut Params) -> Result<(i64, String, Value, i64), ApiError> {
    let amount = params.integer_within("amount", -MOST_AMOUNT, MOST_AMOUNT)?;
    let currency = params.text("currency")?.map(|currency| currency.to_lowercase());
    let quantity = params.integer_within("quantity", 0, MOST_QUANTITY)?.unwrap_or(1);
    let Some(mut pricing) = params.children("pricing")? else {
        let amount = amount.ok_or_else(|| ApiError::missing_param("amount"))?;
        let currency = currency.ok_or_else(|| ApiError::missing_param("currency"))?;
        return Ok((amount, currency, Value::Null, quantity));
    };
    let param = pricing.full_name("price");
    let price = tx.require(Kind::Price, &pricing.required_text("price")?, Place::Param(&param))?;
    pricing.finish()?;
    if amount.is_some() {
        let message = "You may only specify one of these parameters: amount, pricing.";
        return Err(ApiError::invalid(message).param("amount"));
    }
    if !price["recurring"].is_null() {
        let message = "The price specified is recurring, and an invoice item takes one that is charged once.";
        return Err(ApiError::invalid(message).param(param));
    }
    let total = number(&price, "unit_amount") * quantity;
    let currency = text(&price, "currency").to_owned();
    Ok((total, currency, invoice_item::pricing(&price, total, quantity), quantity))
}

fn read_period(params: &mut Params, now: i64) -> Result<Value, ApiError> {
    let Some(mut period) = params.children("period")? else {
        return Ok(json!({ "start": now, "end": now }));
    };
    let start = period.integer("start")?.ok_or_else(|| ApiError::missing_param("period[start]"))?;
    let end = period.integer("end")?.ok_or_else(|| ApiError::missing_param("period[end]"))?;
    period.finish()?;
    if end < start {
        return Err(ApiError::invalid("The period must not end before it starts.").param("period[end]"));
    }
    Ok(json!({ "start": start, "end": end }))
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    params.refuse(&["amount", "period", "pricing", "quantity"])?;
    let mut item = call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)?;
    let draft = editable(call.tx, &params, &item)?;
    let before = names(&item["discounts"]);
    change_discounts(call.tx, &mut params, &mut item)?;
    item["metadata"] = params.metadata(&item["metadata"])?;
    if let Some(description) = params.clearable("description")? {
        item["description"] = description.into_json();
    }
    params.finish()?;
    call.tx.put(Kind::InvoiceItem, item.clone());
    let new: Vec<String> = names(&item["discounts"]).into_iter().filter(|id| !before.contains(id)).collect();
    redeem::announce(call.tx, &new);
    if let Some(mut draft) = draft {
        invoice_item::write_again(&mut draft, &item);
        redeem::put_on_again(call.tx, &mut draft);
        call.tx.update(Kind::Invoice, draft, "invoice.updated");
    }
    Ok(item)
}

/// The draft that the item is on, if the request changes what it is charged. On a finalized invoice that is over.
fn editable(tx: &Tx, params: &Params, item: &Value) -> Result<Option<Value>, ApiError> {
    if !params.has("discounts") && !params.has("discountable") {
        return Ok(None);
    }
    let invoice = tx.copy(Kind::Invoice, text(item, "invoice"));
    if invoice.as_ref().is_some_and(|invoice| invoice["status"] != "draft") {
        let message = "You can't modify an invoice item that is on a finalized invoice.";
        return Err(ApiError::invalid(message).code("invoice_not_editable"));
    }
    Ok(invoice)
}

/// `discountable` and `discounts`, but not of prorations, whose discounts are in their amounts.
fn change_discounts(tx: &mut Tx, params: &mut Params, item: &mut Value) -> Result<(), ApiError> {
    if item["proration"] == true && (params.has("discounts") || params.has("discountable")) {
        let message = "You can't change the discounts of a proration.";
        return Err(ApiError::invalid(message).param("discounts"));
    }
    if let Some(discountable) = params.boolean("discountable")? {
        item["discountable"] = json!(discountable);
    }
    let known = names(&item["discounts"]);
    let customer = json!({ "id": item["customer"] });
    let of = (text(item, "currency"), &item["pricing"], number(item, "amount"));
    if let Some(discounts) = read_discounts(tx, params, &customer, of, &known)? {
        let owner =
            Owner { customer: text(item, "customer"), invoice_item: item["id"].as_str(), ..Owner::default() };
        redeem::store(tx, &discounts, owner);
        item["discounts"] = ids_of(&discounts);
    }
    Ok(())
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let item = call.tx.require(Kind::InvoiceItem, call.id(), Place::Path)?;
    let on = call.tx.copy(Kind::Invoice, text(&item, "invoice"));
    if on.is_some_and(|invoice| invoice["status"] != "draft") {
        let message = "You can't delete an invoice item that is on a finalized invoice.";
        return Err(ApiError::invalid(message).code("invoice_not_editable"));
    }
    invoice_item::remove(call.tx, &item);
    Ok(json!({ "id": call.id(), "object": "invoiceitem", "deleted": true }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    let customer = params.text("customer")?;
    let invoice = params.text("invoice")?;
    let pending = params.boolean("pending")?;
    params.finish()?;
    page.of(call.tx, Kind::InvoiceItem, "/v1/invoiceitems", Key::Customer.of(customer.as_deref()), |item| {
        invoice.as_ref().is_none_or(|invoice| item["invoice"] == **invoice)
            && pending.is_none_or(|pending| item["invoice"].is_null() == pending)
    })
}
