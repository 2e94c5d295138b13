//! Prices. A lookup key belongs to one price at a time; `transfer_lookup_key` moves it.

use serde_json::{Value, json};

use super::Call;
use super::price_data::{self, Product, Terms};
use crate::billing::money::MOST_AMOUNT;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, text};

const UNSUPPORTED: &[&str] =
    &["currency_options", "custom_unit_amount", "tiers", "tiers_mode", "transform_quantity"];
/// The fields of a product that a new price may bring along.
const PRODUCT_DATA: &[&str] =
    &["active", "id", "metadata", "name", "statement_descriptor", "tax_code", "tax_details", "unit_label"];
const INTERVALS: &[&str] = &["day", "week", "month", "year"];
pub const TAX: &[&str] = &["exclusive", "inclusive", "unspecified"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let currency = read_currency(&mut params)?;
    let product = price_data::read_product(call.tx, &mut params, PRODUCT_DATA, Product::AsGiven)?;
    params.one_of("billing_scheme", &["per_unit"])?;
    let (amount, decimal) = read_amount(&mut params)?;
    let recurring = params.children("recurring")?.map(read_recurring).transpose()?;
    let terms = Terms { currency, amount, decimal, recurring };
    let mut price = price_data::object(call.tx, &product, terms);
    read_common(call.tx, params, &mut price)?;
    price_data::put(call.tx, &price);
    Ok(price)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Price, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let mut price = call.tx.require(Kind::Price, call.id(), Place::Path)?;
    read_common(call.tx, params, &mut price)?;
    call.tx.update(Kind::Price, price.clone(), "price.updated");
    Ok(price)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let active = params.boolean("active")?;
    let currency = params.text("currency")?;
    let product = params.text("product")?;
    let kind = params.one_of("type", &["one_time", "recurring"])?;
    let keys = params.texts("lookup_keys")?;
    if keys.as_ref().is_some_and(|keys| keys.len() > 10) {
        let message = "You can only look up at most 10 prices by lookup_keys at a time.";
        return Err(ApiError::invalid(message).param("lookup_keys"));
    }
    let mut recurring = params.children("recurring")?.unwrap_or_default();
    let interval = recurring.one_of("interval", INTERVALS)?;
    let usage = recurring.one_of("usage_type", &["licensed", "metered"])?;
    recurring.finish()?;
    params.finish()?;
    let is = |price: &Value, field: &str, wanted: &Option<String>| {
        wanted.as_ref().is_none_or(|wanted| text(price, field) == wanted)
    };
    page.of(call.tx, Kind::Price, "/v1/prices", None, |price| {
        active.is_none_or(|active| price["active"] == active)
            && is(price, "currency", &currency)
            && is(price, "product", &product)
            && is(price, "type", &kind)
            && is(&price["recurring"], "interval", &interval)
            && is(&price["recurring"], "usage_type", &usage)
            && keys.as_ref().is_none_or(|keys| keys.iter().any(|key| key == text(price, "lookup_key")))
    })
}

/// What may be said both when a price is made and later.
fn read_common(tx: &mut Tx, mut params: Params, price: &mut Value) -> Result<(), ApiError> {
    if let Some(active) = params.boolean("active")? {
        price["active"] = json!(active);
    }
    if let Some(nickname) = params.clearable("nickname")? {
        price["nickname"] = nickname.into_json();
    }
    if let Some(behavior) = params.one_of("tax_behavior", TAX)? {
        price["tax_behavior"] = json!(behavior);
    }
    price["metadata"] = params.metadata(&price["metadata"])?;
    let key = params.clearable("lookup_key")?;
    let transfer = params.boolean("transfer_lookup_key")?.unwrap_or(false);
    params.finish()?;
    match key {
        None => Ok(()),
        Some(Change::Clear) => {
            price["lookup_key"] = Value::Null;
            Ok(())
        }
        Some(Change::Set(key)) => {
            let transfer = if transfer { Transfer::Allowed } else { Transfer::Refused };
            free_lookup_key(tx, &key, text(price, "id"), transfer)?;
            price["lookup_key"] = json!(key);
            Ok(())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Allowed,
    Refused,
}

/// Takes the key from the price that has it, if that may be.
fn free_lookup_key(tx: &mut Tx, key: &str, for_price: &str, transfer: Transfer) -> Result<(), ApiError> {
    let Some(mut holder) = holder_of(tx, key).filter(|holder| holder["id"] != *for_price) else {
        return Ok(());
    };
    if transfer == Transfer::Refused {
        let id = text(&holder, "id");
        let message = format!(
            "A price (`{id}`) already uses that lookup key. To move the key to this price, set \
             `transfer_lookup_key` to true."
        );
        return Err(ApiError::invalid(message).param("lookup_key"));
    }
    holder["lookup_key"] = Value::Null;
    tx.update(Kind::Price, holder, "price.updated");
    Ok(())
}

fn holder_of(tx: &Tx, key: &str) -> Option<Value> {
    let mut all = tx.store().collection(Kind::Price)?.newest_first();
    all.find(|price| *price.field("lookup_key") == *key).map(|price| price.value().into_owned())
}

pub fn read_currency(params: &mut Params) -> Result<String, ApiError> {
    let currency = params.required_text("currency")?.to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        let message =
            format!("Invalid currency: {currency}. Stripe takes three-letter ISO codes, for example usd.");
        return Err(ApiError::invalid(message).param(params.full_name("currency")));
    }
    Ok(currency)
}

/// The amount, and the same as a decimal string.
pub fn read_amount(params: &mut Params) -> Result<(i64, String), ApiError> {
    let amount = params.integer("unit_amount")?;
    let decimal = params.text("unit_amount_decimal")?;
    let amount = match (amount, decimal) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(params.full_name("unit_amount")));
        }
        (Some(amount), None) => amount,
        (None, Some(text)) => params.parse_integer("unit_amount_decimal", &text)?,
        (None, None) => return Err(ApiError::missing_param(&params.full_name("unit_amount"))),
    };
    if !(0..=MOST_AMOUNT).contains(&amount) {
        let bound = if amount < 0 {
            "greater than or equal to 0".to_owned()
        } else {
            format!("less than or equal to {MOST_AMOUNT}")
        };
        let error = ApiError::invalid(format!("This value must be {bound}."));
        return Err(error.code("parameter_invalid_integer").param(params.full_name("unit_amount")));
    }
    Ok((amount, amount.to_string()))
}

pub fn read_recurring(mut recurring: Params) -> Result<Value, ApiError> {
    let name = recurring.full_name("interval");
    let interval = recurring.one_of("interval", INTERVALS)?.ok_or_else(|| ApiError::missing_param(&name))?;
    let count = recurring.integer("interval_count")?.unwrap_or(1);
    let years = match interval.as_str() {
        "day" => count / 1096,
        "week" => count / 157,
        "month" => count / 37,
        _ => count / 4,
    };
    if count < 1 || years > 0 {
        let message = "interval_count must be at least 1, and the interval at most three years.";
        return Err(ApiError::invalid(message).param(recurring.full_name("interval_count")));
    }
    recurring.one_of("usage_type", &["licensed"])?;
    let trial = recurring.integer("trial_period_days")?;
    recurring.finish()?;
    Ok(json!({
        "interval": interval,
        "interval_count": count,
        "meter": null,
        "trial_period_days": trial,
        "usage_type": "licensed",
    }))
}
