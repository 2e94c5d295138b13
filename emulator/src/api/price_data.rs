//! `price_data`: a price that is made for one use. It is inactive from the start, as at Stripe, so that nobody else
//! buys it, and no event tells of it, of which we are not sure.

use serde_json::{Value, json};

use super::prices::read_currency;
use crate::billing::money::MOST_AMOUNT;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, ids};

/// Reads `price_data`, which must have `recurring` or may not, and stores its price.
pub fn read(tx: &mut Tx, item: &mut Params, is_recurring: bool) -> Result<Option<Value>, ApiError> {
    let Some(mut data) = item.children("price_data")? else {
        return Ok(None);
    };
    let param = item.full_name("price_data");
    if item.has("price") {
        let message = "You may only specify one of these parameters: price, price_data.";
        return Err(ApiError::invalid(message).param(param));
    }
    data.refuse(&["unit_amount_decimal"])?;
    let currency = read_currency(&mut data)?;
    let product_name = data.full_name("product");
    let product = data.required_text("product")?;
    tx.require(Kind::Product, &product, Place::Param(&product_name))?;
    let amount_name = data.full_name("unit_amount");
    let amount = data.integer_within("unit_amount", 0, MOST_AMOUNT)?;
    let amount = amount.ok_or_else(|| ApiError::missing_param(&amount_name))?;
    data.one_of("tax_behavior", &["unspecified"])?;
    let recurring = if is_recurring { read_recurring(&mut data)? } else { Value::Null };
    data.finish()?;
    let price = price(tx.now(), &currency, &product, recurring, amount);
    tx.put(Kind::Price, price.clone());
    Ok(Some(price))
}

fn price(now: i64, currency: &str, product: &str, recurring: Value, amount: i64) -> Value {
    json!({
        "id": ids::new("price_"),
        "object": "price",
        "active": false,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": null,
        "metadata": {},
        "nickname": null,
        "product": product,
        "type": if recurring.is_null() { "one_time" } else { "recurring" },
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": null,
        "transform_quantity": null,
        "unit_amount": amount,
        "unit_amount_decimal": amount.to_string(),
    })
}

fn read_recurring(data: &mut Params) -> Result<Value, ApiError> {
    let name = data.full_name("recurring");
    let mut recurring = data.children("recurring")?.ok_or_else(|| ApiError::missing_param(&name))?;
    let interval_name = recurring.full_name("interval");
    let interval = recurring.one_of("interval", &["day", "month", "week", "year"])?;
    let interval = interval.ok_or_else(|| ApiError::missing_param(&interval_name))?;
    let most = match interval.as_str() {
        "day" => 1095,
        "week" => 156,
        "month" => 36,
        _ => 3,
    };
    let count = recurring.integer_within("interval_count", 1, most)?.unwrap_or(1);
    recurring.finish()?;
    Ok(json!({
        "interval": interval, "interval_count": count, "meter": null, "trial_period_days": null,
        "usage_type": "licensed",
    }))
}
