//! What a session sells: reads `line_items` and refuses what Stripe refuses to sell together.

use serde_json::{Value, json};

use crate::api::price_data;
use crate::billing::checkout::quantities::due;
use crate::billing::money::MOST_QUANTITY;
use crate::billing::subscription::{Line, product_name};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids, text};

/// The greatest quantity that a buyer may choose, if the shop names none.
const MOST_CHOSEN: i64 = 99;

/// One thing that is sold.
pub struct Item {
    pub line: Line,
    /// `adjustable_quantity`, or `null`.
    adjustable: Value,
    metadata: Value,
}

/// What the session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Payment,
    Subscription,
}

/// Reads the lines: active prices of one currency, for a payment none that recurs, and for a subscription those that
/// recur all with one interval.
pub fn read(tx: &mut Tx, params: &mut Params, mode: Mode) -> Result<Vec<Item>, ApiError> {
    let given = params.list("line_items")?.ok_or_else(|| ApiError::missing_param("line_items"))?;
    let mut items = Vec::new();
    for item in given {
        items.push(read_item(tx, item, mode)?);
    }
    let first = items.first().ok_or_else(|| ApiError::missing_param("line_items"))?;
    let currency = first.line.price["currency"].clone();
    if items.iter().any(|item| item.line.price["currency"] != currency) {
        return Err(ApiError::invalid("All line items must have the same currency.").param("line_items"));
    }
    let mut recurring = items.iter().map(|item| &item.line.price["recurring"]).filter(|it| !it.is_null());
    match (mode, recurring.next()) {
        (Mode::Payment, _) => {}
        (Mode::Subscription, None) => {
            let message =
                "You must provide at least one recurring price in `subscription` mode when using prices.";
            return Err(ApiError::invalid(message).param("line_items"));
        }
        (Mode::Subscription, Some(first)) => {
            if recurring.any(|it| it["interval"] != first["interval"]) {
                let message = "Checkout does not support multiple prices with different billing intervals.";
                return Err(ApiError::invalid(message).param("line_items"));
            }
        }
    }
    Ok(items)
}

fn read_item(tx: &mut Tx, mut item: Params, mode: Mode) -> Result<Item, ApiError> {
    item.refuse(&["dynamic_tax_rates", "tax_rates"])?;
    let name = item.full_name("quantity").replace("[quantity]", "");
    let price = read_price(tx, &mut item)?;
    let Some(quantity) = item.integer_within("quantity", 1, MOST_QUANTITY)? else {
        let message = format!("Quantity is required. Add `quantity` to `{name}`");
        let error = ApiError::invalid(message).code("parameter_missing");
        return Err(error.param(item.full_name("quantity")));
    };
    let adjustable = read_adjustable(&mut item)?;
    let metadata = item.metadata(&json!({}))?;
    item.finish()?;
    if mode == Mode::Payment && !price["recurring"].is_null() {
        let message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode \
                       or use only one-time prices.";
        return Err(ApiError::invalid(message).param(name));
    }
    Ok(Item { line: Line { price, quantity }, adjustable, metadata })
}

/// The price that is named, or a new one from `price_data`.
fn read_price(tx: &mut Tx, item: &mut Params) -> Result<Value, ApiError> {
    let param = item.full_name("price");
    match (item.text("price")?, item.children("price_data")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: price, price_data.";
            Err(ApiError::invalid(message).param(param))
        }
        (None, Some(data)) => price_data::of_line(tx, data),
        (None, None) => Err(ApiError::missing_param(&param)),
        (Some(id), None) => {
            let price = tx.require(Kind::Price, &id, Place::Param(&param))?;
            ensure_sellable(tx, &price, &param)?;
            Ok(price)
        }
    }
}

/// Not sure: that what the shop leaves out shows as the number that then counts.
fn read_adjustable(item: &mut Params) -> Result<Value, ApiError> {
    let Some(mut adjustable) = item.children("adjustable_quantity")? else {
        return Ok(Value::Null);
    };
    let name = adjustable.full_name("enabled");
    let enabled = adjustable.boolean("enabled")?.ok_or_else(|| ApiError::missing_param(&name))?;
    let most = adjustable.integer_within("maximum", 1, MOST_QUANTITY)?;
    let least = adjustable.integer_within("minimum", 0, most.unwrap_or(MOST_CHOSEN))?;
    adjustable.finish()?;
    let (most, least) = (most.unwrap_or(MOST_CHOSEN), least.unwrap_or(0));
    Ok(json!({ "enabled": enabled, "maximum": enabled.then_some(most), "minimum": enabled.then_some(least) }))
}

fn ensure_sellable(tx: &Tx, price: &Value, param: &str) -> Result<(), ApiError> {
    let id = text(price, "id");
    if price["active"] != true {
        let message =
            format!("The price specified is inactive. This field only accepts active prices. (`{id}`)");
        return Err(ApiError::invalid(message).param(param));
    }
    let product = tx.find(Kind::Product, text(price, "product"));
    if product.is_none_or(|product| product["active"] != true) {
        let message = format!("The product of price `{id}` is inactive. Only active products can be sold.");
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(())
}

/// Whether a full period is due today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Paid,
    Trial,
}

/// What is due today, in the currency's smallest unit.
pub fn total(items: &[Item], start: Start) -> i64 {
    items.iter().map(|item| due(&item.line.price, item.line.quantity, start == Start::Trial)).sum()
}

/// The lines as `line_items` shows them. With a trial nothing that recurs is due today.
pub fn build(tx: &Tx, items: &[Item], start: Start) -> Value {
    let lines = items.iter().map(|Item { line, adjustable, metadata }| {
        let amount = due(&line.price, line.quantity, start == Start::Trial);
        json!({
            "id": ids::new("li_"),
            "object": "item",
            "adjustable_quantity": adjustable,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": line.price["currency"],
            "description": product_name(tx, &line.price),
            "metadata": metadata,
            "price": line.price,
            "quantity": line.quantity,
        })
    });
    lines.collect()
}
