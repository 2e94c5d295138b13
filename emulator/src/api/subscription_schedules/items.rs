//! What a phase sells: its `items[]`, each with a price that is there or comes along, and its discounts, by the names
//! that they are redeemed by when the phase begins. Stores nothing but prices that come along.

use serde_json::{Value, json};

use super::phases::read_metadata;
use crate::api::discounts::{self, Sale};
use crate::api::price_data::{self, Sold};
use crate::api::subscription_change::{read_price, read_quantity};
use crate::billing::change::ONE_INTERVAL;
use crate::billing::debits;
use crate::billing::discount::redeem;
use crate::billing::discount::{Applied, Part};
use crate::billing::schedule::phases;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

const UNSUPPORTED_OF_ITEMS: &[&str] = &["billing_thresholds", "plan", "tax_rates"];
const MOST_ITEMS: usize = 20;

/// The currency, the prices and what is sold.
pub fn read_items(
    tx: &mut Tx,
    phase: &mut Params,
    schedule: &Value,
) -> Result<(String, Vec<Value>, Vec<Value>), ApiError> {
    let param = phase.full_name("items");
    let list = phase.list("items")?.unwrap_or_default();
    let (mut prices, mut items) = (Vec::<Value>::new(), Vec::new());
    for item in list {
        let name = item.full_name("price");
        let (price, item) = read_item(tx, item, schedule)?;
        if prices.iter().any(|known| known["id"] == price["id"]) {
            let message =
                format!("Cannot add multiple subscription items with the same plan: {}", text(&price, "id"));
            return Err(ApiError::invalid(message).param(name));
        }
        items.push(item);
        prices.push(price);
    }
    let Some(first) = prices.first() else {
        return Err(ApiError::missing_param(&param));
    };
    if items.len() > MOST_ITEMS {
        let message = format!("A phase can have at most {MOST_ITEMS} items.");
        return Err(ApiError::invalid(message).param(param));
    }
    let of = |price: &Value| {
        (price["recurring"]["interval"].clone(), number(&price["recurring"], "interval_count"))
    };
    let is_mixed = prices.iter().any(|price| of(price) != of(first)) && debits::is_classic(schedule);
    if is_mixed || prices.iter().any(|price| price["currency"] != first["currency"]) {
        return Err(ApiError::invalid(ONE_INTERVAL).param(param));
    }
    Ok((text(first, "currency").to_owned(), prices, items))
}

/// The price of one item, and the item as it stands in a phase.
fn read_item(tx: &mut Tx, mut item: Params, schedule: &Value) -> Result<(Value, Value), ApiError> {
    item.refuse(UNSUPPORTED_OF_ITEMS)?;
    let name = item.full_name("price");
    let price = match price_data::read(tx, &mut item, Sold::Again)? {
        Some(price) => price,
        None => read_price(tx, &mut item)?.ok_or_else(|| ApiError::missing_param(&name))?,
    };
    let quantity = read_quantity(&mut item)?.unwrap_or(1);
    let mut shown = phases::item(text(&price, "id"), quantity);
    let parts = [part(&price, &shown)];
    shown["discounts"] = read_discounts(tx, &mut item, schedule, &parts, text(&price, "currency"))?;
    shown["metadata"] = read_metadata(&mut item)?;
    item.finish()?;
    Ok((price, shown))
}

pub fn part(price: &Value, item: &Value) -> Part {
    let amount = number(price, "unit_amount") * number(item, "quantity");
    Part { product: text(price, "product").to_owned(), amount }
}

/// `discounts`, by the names that they are redeemed by when the phase begins.
pub fn read_discounts(
    tx: &Tx,
    params: &mut Params,
    schedule: &Value,
    parts: &[Part],
    currency: &str,
) -> Result<Value, ApiError> {
    let subscription = tx.find(Kind::Subscription, text(schedule, "subscription"));
    let known = subscription.map(|subscription| redeem::all_ids(&subscription)).unwrap_or_default();
    let sale = Sale { customer: schedule["customer"].as_str(), currency, parts, most: 20, known: &known };
    let named = discounts::read(tx, params, &sale)?;
    let shown = |one: &Applied| match (&one.promotion_code, known.contains(&one.id)) {
        (_, true) => json!({ "coupon": null, "discount": one.id, "promotion_code": null }),
        (Some(code), false) => json!({ "coupon": null, "discount": null, "promotion_code": code }),
        (None, false) => json!({ "coupon": one.coupon["id"], "discount": null, "promotion_code": null }),
    };
    Ok(named.iter().map(shown).collect())
}
