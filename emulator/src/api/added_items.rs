//! `add_invoice_items`: what is sold once together with a subscription, on its first or its next invoice.

use serde_json::{Value, json};

use super::discounts::{self, Sale};
use super::price_data;
use super::subscription_change::read_quantity;
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::discount::{Applied, Part};
use crate::billing::invoice_item;
use crate::billing::subscription::ids_of;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids, number, text};

const MOST: usize = 20;

/// Invoice items that are not stored, and the discounts that they name.
pub type Added = (Vec<Value>, Vec<Applied>);

/// Whom the items are for, and the time that they are shown with.
pub struct Buyer<'b> {
    pub customer: &'b str,
    pub currency: &'b str,
    pub period: (i64, i64),
}

pub fn read(tx: &mut Tx, params: &mut Params, buyer: &Buyer) -> Result<Added, ApiError> {
    let (mut items, mut named) = (Vec::new(), Vec::new());
    let list = params.list("add_invoice_items")?.unwrap_or_default();
    if list.len() > MOST {
        let message = format!("You may pass up to {MOST} items.");
        return Err(ApiError::invalid(message).param("add_invoice_items"));
    }
    for one in list {
        let (item, discounts) = read_one(tx, one, buyer)?;
        items.push(item);
        named.extend(discounts);
    }
    Ok((items, named))
}

fn read_one(tx: &mut Tx, mut one: Params, buyer: &Buyer) -> Result<(Value, Vec<Applied>), ApiError> {
    one.refuse(&["period", "tax_rates"])?;
    let param = one.full_name("price");
    let price = match price_data::read(tx, &mut one, false)? {
        Some(price) => price,
        None => tx.require(Kind::Price, &one.required_text("price")?, Place::Param(&param))?,
    };
    if !price["recurring"].is_null() {
        let message = format!(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`. \
             (`{}`)",
            text(&price, "id")
        );
        return Err(ApiError::invalid(message).param(param));
    }
    if price["currency"] != *buyer.currency {
        let message = format!("The price specified only supports `{}`.", text(&price, "currency"));
        return Err(ApiError::invalid(message).param(param));
    }
    let quantity = read_quantity(&mut one)?.unwrap_or(1);
    let amount = number(&price, "unit_amount") * quantity;
    let part = Part { product: text(&price, "product").to_owned(), amount };
    let sale = Sale {
        customer: Some(buyer.customer),
        currency: buyer.currency,
        parts: &[part],
        most: 20,
        known: &[],
    };
    let discounts = discounts::read(tx, &mut one, &sale)?;
    let product = tx.find(Kind::Product, text(&price, "product"));
    let item = json!({
        "id": ids::new("ii_"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": buyer.currency,
        "customer": buyer.customer,
        "customer_account": null,
        "date": tx.now(),
        "description": product.map(|product| product["name"].clone()),
        "discountable": one.boolean("discountable")?.unwrap_or(true),
        "discounts": ids_of(&discounts),
        "invoice": null,
        "livemode": false,
        "metadata": one.metadata(&json!({}))?,
        "net_amount": amount,
        "parent": null,
        "period": { "start": buyer.period.0, "end": buyer.period.1 },
        "pricing": invoice_item::pricing(&price, amount, quantity),
        "proration": false,
        "quantity": quantity,
        "quantity_decimal": quantity.to_string(),
        "tax_rates": [],
        "test_clock": tx.find(Kind::Customer, buyer.customer).map(|customer| customer["test_clock"].clone()),
    });
    one.finish()?;
    Ok((item, discounts))
}

/// Lets the items of a change wait for the subscription's next invoice, which may be the one that it brings.
pub fn wait(tx: &mut Tx, (items, discounts): Added, subscription: &Value) {
    let customer = text(subscription, "customer");
    redeem::store(tx, &discounts, Owner { customer, ..Owner::default() });
    for mut item in items {
        item["parent"] = invoice_item::parent_of(subscription);
        invoice_item::add(tx, item);
    }
    let new: Vec<String> = discounts.into_iter().map(|discount| discount.id).collect();
    redeem::announce(tx, &new);
}
