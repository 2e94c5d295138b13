//! What a session sells: reads `line_items` and refuses what Stripe refuses to sell together.

use serde_json::{Value, json};

use crate::billing::money::MOST_QUANTITY;
use crate::billing::subscription::{Line, product_name};
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids, text};

/// Reads the lines of a subscription: active recurring prices of one currency and one interval.
pub fn read(tx: &Tx, params: &mut Params) -> Result<Vec<Line>, ApiError> {
    let items = params.list("line_items")?.ok_or_else(|| ApiError::missing_param("line_items"))?;
    let mut lines = Vec::new();
    for item in items {
        lines.push(read_line(tx, item)?);
    }
    let first = lines.first().ok_or_else(|| ApiError::missing_param("line_items"))?;
    let period = |line: &Line| line.price["recurring"].clone();
    if lines.iter().any(|line| line.price["currency"] != first.price["currency"]) {
        return Err(ApiError::invalid("All line items must have the same currency.").param("line_items"));
    }
    if lines.iter().any(|line| period(line)["interval"] != period(first)["interval"]) {
        let message = "Checkout does not support multiple prices with different billing intervals.";
        return Err(ApiError::invalid(message).param("line_items"));
    }
    Ok(lines)
}

fn read_line(tx: &Tx, mut item: Params) -> Result<Line, ApiError> {
    item.refuse(&["adjustable_quantity", "dynamic_tax_rates", "price_data", "tax_rates"])?;
    let param = item.full_name("price");
    let price = tx.require(Kind::Price, &item.required_text("price")?, Place::Param(&param))?;
    let quantity_name = item.full_name("quantity");
    let Some(quantity) = item.integer_within("quantity", 1, MOST_QUANTITY)? else {
        let message =
            format!("Quantity is required. Add `quantity` to `{}`", quantity_name.replace("[quantity]", ""));
        return Err(ApiError::invalid(message).code("parameter_missing").param(quantity_name));
    };
    item.finish()?;
    ensure_sellable(tx, &price, &param)?;
    Ok(Line::new(price, quantity))
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
    if price["recurring"].is_null() {
        let message = "You must provide at least one recurring price in `subscription` mode when using prices. \
                       (stripe-emulator takes recurring prices only.)";
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

/// The lines as `line_items` shows them. With a trial nothing is due today.
pub fn build(tx: &Tx, lines: &[Line], start: Start) -> Value {
    let items = lines.iter().map(|line| {
        let amount = if start == Start::Trial { 0 } else { line.amount() };
        json!({
            "id": ids::new("li_"),
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": amount,
            "amount_tax": 0,
            "amount_total": amount,
            "currency": line.price["currency"],
            "description": product_name(tx, &line.price),
            "metadata": {},
            "price": line.price,
            "quantity": line.quantity,
        })
    });
    items.collect()
}
