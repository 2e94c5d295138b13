//! Reading what a request says of an invoice item, or of a line: what it is for and what it costs. Items, and the
//! lines of drafts, share it. Writes into the object what was said; stores nothing but a price that is made on the way.

use serde_json::{Value, json};

use crate::billing::draft_lines::{times, unit};
use crate::billing::invoice_item;
use crate::billing::money::{MOST_AMOUNT, MOST_QUANTITY};
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, ids, number, text};

/// Parameters that Stripe has and that this emulator would have to ignore.
pub const UNSUPPORTED: &[&str] = &["discounts", "tax_amounts", "tax_behavior", "tax_code", "tax_rates"];

/// An item that costs nothing yet.
pub fn blank(tx: &Tx, customer: &Value, currency: &str) -> Value {
    let now = tx.now();
    json!({
        "id": ids::new("ii_"),
        "object": "invoiceitem",
        "amount": null,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": null,
        "date": now,
        "description": null,
        "discountable": null,
        "discounts": [],
        "invoice": null,
        "livemode": false,
        "metadata": {},
        "net_amount": 0,
        "parent": null,
        "period": { "start": now, "end": now },
        "pricing": null,
        "proration": false,
        "quantity": 1,
        "quantity_decimal": "1",
        "tax_rates": [],
        "test_clock": customer["test_clock"],
    })
}

/// Reads everything into an item or a line. A new item has no amount yet and must be given one.
pub fn read(tx: &mut Tx, params: &mut Params, item: &mut Value) -> Result<(), ApiError> {
    params.refuse(UNSUPPORTED)?;
    if let Some(description) = params.clearable("description")? {
        item["description"] = description.into_json();
    }
    item["metadata"] = params.metadata(&item["metadata"])?;
    if let Some(period) = read_period(params)? {
        item["period"] = period;
    }
    read_amount(tx, params, item)?;
    let discountable = params.boolean("discountable")?;
    if discountable == Some(true) && item["proration"] == true {
        let message = "A proration cannot be discountable.";
        return Err(ApiError::invalid(message).param(params.full_name("discountable")));
    }
    if let Some(discountable) = discountable {
        item["discountable"] = json!(discountable);
    } else if item["discountable"].is_null() {
        item["discountable"] = json!(number(item, "amount") >= 0);
    }
    Ok(())
}

fn read_period(params: &mut Params) -> Result<Option<Value>, ApiError> {
    let Some(mut period) = params.children("period")? else {
        return Ok(None);
    };
    let [start, end] = ["start", "end"]
        .map(|name| period.integer(name)?.ok_or_else(|| ApiError::missing_param(&period.full_name(name))));
    let (start, end) = (start?, end?);
    let name = period.full_name("end");
    period.finish()?;
    if end < start {
        return Err(ApiError::invalid("The period must not end before it starts.").param(name));
    }
    Ok(Some(json!({ "start": start, "end": end })))
}

/// An amount, or a unit's price and how many of it.
fn read_amount(tx: &mut Tx, params: &mut Params, item: &mut Value) -> Result<(), ApiError> {
    let excluding = one_of_them(params);
    let amount = params.integer_within("amount", -MOST_AMOUNT, MOST_AMOUNT)?;
    let quantity = read_quantity(params)?;
    let price = read_price(tx, params, item)?;
    let decimal = params.text("unit_amount_decimal")?;
    excluding?;
    let known = unit(item).filter(|_| !item["amount"].is_null());
    if let Some(quantity) = quantity {
        item["quantity"] = json!(quantity);
        item["quantity_decimal"] = json!(quantity.to_string());
    }
    if let Some(amount) = amount {
        item["amount"] = json!(amount);
        item["pricing"] = Value::Null;
    } else if let Some(price) = price {
        item["currency"] = price["currency"].clone();
        let pricing = invoice_item::pricing(&price, 0, 1);
        cost(params, item, text(&price, "unit_amount_decimal"), pricing)?;
    } else if let Some(decimal) = decimal {
        cost(params, item, &decimal, json!({ "type": "price_details" }))?;
    } else if let Some(known) = known.filter(|_| quantity.is_some()) {
        let pricing = item["pricing"].clone();
        cost(params, item, &known, pricing)?;
    }
    if item["amount"].is_null() {
        return Err(ApiError::missing_param(&params.full_name("amount")));
    }
    if item["object"] == "invoiceitem" {
        item["net_amount"] = item["amount"].clone();
    }
    Ok(())
}

/// So many of what costs `unit` each. `pricing` is `null` where nobody said what one costs.
fn cost(params: &Params, item: &mut Value, unit: &str, mut pricing: Value) -> Result<(), ApiError> {
    let total = times(unit, number(item, "quantity"));
    let total = total.filter(|total| total.abs() <= MOST_AMOUNT * MOST_QUANTITY).ok_or_else(|| {
        let message = format!("Invalid decimal: {unit}; it can have at most 12 places");
        ApiError::invalid(message).param(params.full_name("unit_amount_decimal"))
    })?;
    if pricing.is_object() {
        pricing["unit_amount_decimal"] = json!(unit);
    }
    item["amount"] = json!(total);
    item["pricing"] = pricing;
    Ok(())
}

fn one_of_them(params: &Params) -> Result<(), ApiError> {
    let all = ["amount", "price_data", "pricing", "unit_amount_decimal"];
    let said: Vec<&str> = all.into_iter().filter(|name| params.has(name)).collect();
    match said.first() {
        Some(first) if said.len() > 1 => {
            let message = format!("You may only specify one of these parameters: {}.", said.join(", "));
            Err(ApiError::invalid(message).param(params.full_name(first)))
        }
        _ => Ok(()),
    }
}

/// How many, whole: a part of a unit would not fit this emulator's sums.
fn read_quantity(params: &mut Params) -> Result<Option<i64>, ApiError> {
    if params.has("quantity") && params.has("quantity_decimal") {
        let message = "You may only specify one of these parameters: quantity, quantity_decimal.";
        return Err(ApiError::invalid(message).param(params.full_name("quantity")));
    }
    let name = if params.has("quantity") { "quantity" } else { "quantity_decimal" };
    params.integer_within(name, 0, MOST_QUANTITY)
}

fn read_price(tx: &mut Tx, params: &mut Params, item: &Value) -> Result<Option<Value>, ApiError> {
    let (price, param) = if let Some(mut pricing) = params.children("pricing")? {
        let param = pricing.full_name("price");
        let price = tx.require(Kind::Price, &pricing.required_text("price")?, Place::Param(&param))?;
        pricing.finish()?;
        (price, param)
    } else if let Some(data) = params.children("price_data")? {
        let param = data.full_name("currency");
        (make_price(tx, data)?, param)
    } else {
        return Ok(None);
    };
    if !price["recurring"].is_null() {
        let message = "The price specified is recurring, and an invoice item takes one that is charged once.";
        return Err(ApiError::invalid(message).param(param));
    }
    let known = item["currency"].as_str().filter(|known| !known.is_empty());
    if known.is_some_and(|known| price["currency"] != *known) {
        let message = format!(
            "The price specified only supports `{}`, and the item is in another currency.",
            text(&price, "currency")
        );
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(Some(price))
}

/// A price for this item alone. Like those that Stripe makes on the way it is not active, and no event tells of it,
/// of which we are not sure.
fn make_price(tx: &mut Tx, mut data: Params) -> Result<Value, ApiError> {
    data.refuse(&["product_data", "tax_behavior"])?;
    let currency = super::prices::read_currency(&mut data)?;
    let param = data.full_name("product");
    let product = tx.require(Kind::Product, &data.required_text("product")?, Place::Param(&param))?;
    let (amount, decimal) = super::prices::read_amount(&mut data)?;
    data.finish()?;
    let price = json!({
        "id": ids::new("price_"),
        "object": "price",
        "active": false,
        "billing_scheme": "per_unit",
        "created": tx.now(),
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product["id"],
        "recurring": null,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "type": "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    });
    tx.put(Kind::Price, price.clone());
    Ok(price)
}

/// The currency of a new item: what is said, or what its price says.
pub fn read_currency(params: &mut Params) -> Result<String, ApiError> {
    let currency = params.clearable("currency")?.map(Change::into_json);
    let currency = currency.as_ref().and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let has_price = params.has("pricing") || params.has("price_data");
    let missing = match () {
        () if has_price => return Ok(currency),
        () if !params.has("amount") && !params.has("unit_amount_decimal") => "amount",
        () if currency.is_empty() => "currency",
        () => return Ok(currency),
    };
    Err(ApiError::missing_param(&params.full_name(missing)))
}
