//! `add_invoice_items`: what is sold once together with a subscription, on its first or its next invoice.

use serde_json::{Value, json};

use super::discounts::{self, Sale};
use super::price_data::{self, Sold};
use super::subscription_change::read_quantity;
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::discount::{Applied, Part};
use crate::billing::invoice_item;
use crate::billing::subscription::ids_of;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

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

/// What a request says of one item.
struct Said {
    price: Value,
    quantity: i64,
    discounts: Vec<Applied>,
    discountable: Option<bool>,
    metadata: Value,
}

fn read_one(tx: &mut Tx, mut one: Params, buyer: &Buyer) -> Result<(Value, Vec<Applied>), ApiError> {
    let said = read_said(tx, &mut one, buyer)?;
    one.finish()?;
    let mut item = invoice_item::sold_once(tx, buyer.customer, &said.price, said.quantity, buyer.period);
    item["discountable"] = json!(said.discountable.unwrap_or(true));
    item["discounts"] = ids_of(&said.discounts);
    item["metadata"] = said.metadata;
    Ok((item, said.discounts))
}

fn read_said(tx: &mut Tx, one: &mut Params, buyer: &Buyer) -> Result<Said, ApiError> {
    one.refuse(&["period", "tax_rates"])?;
    let param = one.full_name("price");
    let price = match price_data::read(tx, one, Sold::Once)? {
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
    let quantity = read_quantity(one)?.unwrap_or(1);
    let amount = number(&price, "unit_amount") * quantity;
    let part = Part { product: text(&price, "product").to_owned(), amount };
    let customer = Some(buyer.customer);
    let sale = Sale { customer, currency: buyer.currency, parts: &[part], most: 20, known: &[] };
    let discounts = discounts::read(tx, one, &sale)?;
    let discountable = one.boolean("discountable")?;
    Ok(Said { price, quantity, discounts, discountable, metadata: one.metadata(&json!({}))? })
}

/// The same for a phase of a schedule, in whose shape they wait until it begins.
pub fn read_for_phase(tx: &mut Tx, params: &mut Params, buyer: &Buyer) -> Result<Value, ApiError> {
    let mut shown = Vec::new();
    for mut one in params.list("add_invoice_items")?.unwrap_or_default() {
        let said = read_said(tx, &mut one, buyer)?;
        one.finish()?;
        let name = |discount: &Applied| match &discount.promotion_code {
            Some(code) => json!({ "coupon": null, "discount": null, "promotion_code": code }),
            None => json!({ "coupon": discount.coupon["id"], "discount": null, "promotion_code": null }),
        };
        shown.push(json!({
            "discountable": said.discountable,
            "discounts": said.discounts.iter().map(name).collect::<Vec<_>>(),
            "metadata": said.metadata,
            "period": { "end": { "type": "min_item_period_end" }, "start": { "type": "max_item_period_start" } },
            "price": said.price["id"],
            "quantity": said.quantity,
            "tax_rates": [],
        }));
    }
    Ok(json!(shown))
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
