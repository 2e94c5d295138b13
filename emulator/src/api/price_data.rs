//! Prices that come along with something else: `price_data` of a line item, `default_price_data` of a product; and
//! `product_data`, the product that comes along with a price. Makes and stores them; what they are for is the
//! caller's business.
//!
//! Not sure: that what a line item brings along is told of (`product.created`, `price.created`). That neither can be
//! sold again (`active` is false) is known from Stripe's documents.

use serde_json::{Value, json};

use super::prices::{TAX, read_amount, read_currency, read_recurring};
use super::products;
use crate::billing::subscription::plan_of;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids, text};

/// What a price costs: the amount in the currency's smallest unit, and the same as a decimal text.
pub struct Terms {
    pub currency: String,
    pub amount: i64,
    pub decimal: String,
    pub recurring: Option<Value>,
}

/// Whether a product that comes along can be used again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// As the request says; active if it says nothing.
    AsGiven,
    UsedOnce,
}

/// The fields of a product that a line item may bring along.
const PRODUCT_OF_LINE: &[&str] =
    &["description", "images", "metadata", "name", "tax_code", "tax_details", "unit_label"];

/// A new price. It is not stored.
pub fn object(tx: &Tx, product: &str, terms: Terms) -> Value {
    json!({
        "id": ids::new("price_"),
        "object": "price",
        "active": true,
        "billing_scheme": "per_unit",
        "created": tx.now(),
        "currency": terms.currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product,
        "recurring": terms.recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "type": if terms.recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": terms.amount,
        "unit_amount_decimal": terms.decimal,
    })
}

/// Stores a new price and tells of it.
pub fn put(tx: &mut Tx, price: &Value) {
    tx.put(Kind::Price, price.clone());
    if !price["recurring"].is_null() {
        tx.emit("plan.created", &plan_of(price));
    }
    tx.emit("price.created", price);
}

/// The id in `product`, or that of a new one from `product_data`, which may have the `allowed` fields.
pub fn read_product(
    tx: &mut Tx,
    params: &mut Params,
    allowed: &[&str],
    product: Product,
) -> Result<String, ApiError> {
    let known = params.text("product")?;
    let param = params.full_name("product");
    let (known, data) = match (known, params.children("product_data")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid(message).param(param));
        }
        (None, None) => return Err(ApiError::missing_param(&param)),
        given => given,
    };
    let Some(data) = data else {
        let known = known.unwrap_or_default();
        tx.require(Kind::Product, &known, Place::Param(&param))?;
        return Ok(known);
    };
    let unknown: Vec<String> =
        data.names().filter(|name| !allowed.contains(name)).map(|name| data.full_name(name)).collect();
    if !unknown.is_empty() {
        return Err(ApiError::unknown_params(&unknown));
    }
    let mut new = products::object(tx, data)?;
    if product == Product::UsedOnce {
        new["active"] = json!(false);
    }
    tx.create(Kind::Product, new.clone(), "product.created");
    Ok(text(&new, "id").to_owned())
}

/// `default_price_data`: the first price of a new product. It is not stored.
pub fn default_price(tx: &Tx, mut data: Params, product: &Value) -> Result<Value, ApiError> {
    data.refuse(&["currency_options", "custom_unit_amount"])?;
    let terms = read_terms(&mut data)?;
    let mut price = object(tx, text(product, "id"), terms);
    if let Some(behavior) = data.one_of("tax_behavior", TAX)? {
        price["tax_behavior"] = json!(behavior);
    }
    price["metadata"] = data.metadata(&json!({}))?;
    data.finish()?;
    Ok(price)
}

/// `price_data` of a line item: the price, stored, which nothing else can be sold for.
pub fn of_line(tx: &mut Tx, mut data: Params) -> Result<Value, ApiError> {
    let terms = read_terms(&mut data)?;
    let behavior = data.one_of("tax_behavior", TAX)?;
    let product = read_product(tx, &mut data, PRODUCT_OF_LINE, Product::UsedOnce)?;
    data.finish()?;
    let mut price = object(tx, &product, terms);
    price["active"] = json!(false);
    if let Some(behavior) = behavior {
        price["tax_behavior"] = json!(behavior);
    }
    put(tx, &price);
    Ok(price)
}

fn read_terms(data: &mut Params) -> Result<Terms, ApiError> {
    let currency = read_currency(data)?;
    let (amount, decimal) = read_amount(data)?;
    let recurring = data.children("recurring")?.map(|mut recurring| {
        // A price of its own has these two; one that comes along has not.
        let own: Vec<String> = ["meter", "trial_period_days", "usage_type"]
            .into_iter()
            .filter(|name| recurring.has(name))
            .map(|name| recurring.full_name(name))
            .collect();
        match own.is_empty() {
            true => read_recurring(std::mem::take(&mut recurring)),
            false => Err(ApiError::unknown_params(&own)),
        }
    });
    Ok(Terms { currency, amount, decimal, recurring: recurring.transpose()? })
}
