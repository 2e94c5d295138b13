//! Coupons. The caller may choose the id of a new one; its terms never change afterwards. Whether it is `valid`
//! is worked out when somebody looks (`billing::discount::validity`), because time alone can end it.

use serde_json::{Number, Value, json};

use super::Call;
use super::prices::read_currency;
use crate::billing::discount::validity;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, ids, text};

const DURATIONS: &[&str] = &["forever", "once", "repeating"];
/// What Stripe's specification allows for a coupon's name.
const NAME_LENGTH: usize = 40;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["currency_options"])?;
    let id = params.text("id")?.unwrap_or_else(|| ids::random(8));
    if call.tx.find(Kind::Coupon, &id).is_some_and(|coupon| coupon["deleted"] != true) {
        return Err(ApiError::invalid("Coupon already exists.").code("resource_already_exists"));
    }
    let mut coupon = json!({
        "id": id,
        "object": "coupon",
        "created": call.tx.now(),
        "livemode": false,
        "metadata": params.metadata(&json!({}))?,
        "name": null,
        "times_redeemed": 0,
        "valid": true,
    });
    read_name(&mut params, &mut coupon)?;
    read_off(&mut params, &mut coupon)?;
    read_duration(&mut params, &mut coupon)?;
    coupon["max_redemptions"] = json!(positive(&mut params, "max_redemptions")?);
    coupon["redeem_by"] = json!(future(call.tx, &mut params, "redeem_by")?);
    let applies_to = params.children("applies_to")?.map(|to| read_applies_to(call.tx, to)).transpose()?;
    params.finish()?;
    let private = json!({ "applies_to": applies_to });
    call.tx.put_with(Kind::Coupon, &id, coupon.clone(), private);
    call.tx.emit("coupon.created", &coupon);
    Ok(coupon)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let coupon = require(call.tx, call.id())?;
    Ok(validity::shown(call.tx.store(), coupon))
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut coupon = require(call.tx, call.id())?;
    params.refuse(&["currency_options"])?;
    coupon["metadata"] = params.metadata(&coupon["metadata"])?;
    read_name(&mut params, &mut coupon)?;
    params.finish()?;
    call.tx.update(Kind::Coupon, coupon.clone(), "coupon.updated");
    Ok(validity::shown(call.tx.store(), coupon))
}

/// Leaves the id with what the coupon was, for the discounts that were given by it and go on.
pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let mut coupon = require(call.tx, call.id())?;
    coupon["valid"] = json!(false);
    let id = text(&coupon, "id").to_owned();
    let tombstone = json!({ "id": id, "object": "coupon", "deleted": true });
    let notes = json!({ "created": coupon["created"], "coupon": coupon });
    call.tx.put_with(Kind::Coupon, &id, tombstone.clone(), notes);
    call.tx.emit("coupon.deleted", &coupon);
    Ok(tombstone)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    params.finish()?;
    let page = page.of(call.tx, Kind::Coupon, "/v1/coupons", None, |_| true)?;
    Ok(validity::shown_on_page(call.tx.store(), page))
}

fn require(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::Coupon, id, Place::Path).map_err(|error| error.param("coupon"))
}

fn read_name(params: &mut Params, coupon: &mut Value) -> Result<(), ApiError> {
    let Some(name) = params.clearable("name")? else {
        return Ok(());
    };
    if matches!(&name, Change::Set(name) if name.chars().count() > NAME_LENGTH) {
        let message = format!("Invalid string: name must be at most {NAME_LENGTH} characters");
        return Err(ApiError::invalid(message).param("name"));
    }
    coupon["name"] = name.into_json();
    Ok(())
}

/// `percent_off`, or `amount_off` with its currency.
fn read_off(params: &mut Params, coupon: &mut Value) -> Result<(), ApiError> {
    let percent = params.text("percent_off")?;
    let amount = positive(params, "amount_off")?;
    let currency = params.has("currency").then(|| read_currency(params)).transpose()?;
    match (&percent, amount, &currency) {
        (None, None, _) => {
            let error = ApiError::invalid("Must provide percent_off or amount_off.");
            return Err(error.code("parameter_missing"));
        }
        (Some(_), Some(_), _) => {
            let message = "Received both percent_off and amount_off parameters. Please pass in only one.";
            return Err(ApiError::invalid(message));
        }
        (None, Some(_), None) => {
            let error = ApiError::invalid("You must pass currency when passing amount_off");
            return Err(error.param("currency"));
        }
        _ => {}
    }
    coupon["percent_off"] = percent.map_or(Ok(Value::Null), |text| read_percent(&text))?;
    coupon["amount_off"] = json!(amount);
    coupon["currency"] = json!(amount.and(currency));
    Ok(())
}

/// A percentage from 0.01 to 100 with up to ten decimals, as the number that Stripe shows.
fn read_percent(text: &str) -> Result<Value, ApiError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let percent = text.parse::<f64>().ok().filter(|_| plain && decimals <= 10);
    let refuse = |message: String| Err(ApiError::invalid(message).param("percent_off"));
    match percent {
        None => refuse(format!("Invalid decimal: {text}")),
        Some(percent) if percent < 0.01 => refuse(format!(
            "This value must be greater than or equal to 0.01 (it currently is '{percent:?}')."
        )),
        Some(percent) if percent > 100.0 => {
            refuse(format!("This value must be less than or equal to 100 (it currently is '{percent:?}')."))
        }
        Some(percent) => Ok(match text.parse::<u64>() {
            Ok(whole) => json!(whole),
            Err(_) => Number::from_f64(percent).map_or(Value::Null, Value::Number),
        }),
    }
}

fn read_duration(params: &mut Params, coupon: &mut Value) -> Result<(), ApiError> {
    let duration = params.one_of("duration", DURATIONS)?.unwrap_or_else(|| "once".to_owned());
    let months = positive(params, "duration_in_months")?;
    if duration == "repeating" && months.is_none() {
        let message =
            "The duration_in_months param must be set when creating a coupon with a repeating duration";
        return Err(ApiError::invalid(message).param("duration"));
    }
    if duration != "repeating" && months.is_some() {
        let message = "The duration_in_months param can only be set for a coupon with a repeating duration";
        return Err(ApiError::invalid(message).param("duration_in_months"));
    }
    coupon["duration"] = json!(duration);
    coupon["duration_in_months"] = json!(months);
    Ok(())
}

fn read_applies_to(tx: &Tx, mut to: Params) -> Result<Value, ApiError> {
    let param = to.full_name("products");
    let products = to.texts("products")?.unwrap_or_default();
    to.finish()?;
    for product in &products {
        tx.require(Kind::Product, product, Place::Param(&param))?;
    }
    Ok(if products.is_empty() { Value::Null } else { json!({ "products": products }) })
}

/// An integer of at least 1.
pub fn positive(params: &mut Params, name: &str) -> Result<Option<i64>, ApiError> {
    let number = params.integer(name)?;
    if number.is_some_and(|number| number < 1) {
        let error = ApiError::invalid("This value must be greater than or equal to 1.");
        return Err(error.code("parameter_invalid_integer").param(params.full_name(name)));
    }
    Ok(number)
}

/// A timestamp that is still to come.
pub fn future(tx: &Tx, params: &mut Params, name: &str) -> Result<Option<i64>, ApiError> {
    let at = params.integer(name)?;
    match at {
        Some(at) if at <= tx.now() => {
            let message = format!(
                "The parameter `{name}` expects a unix timestamp representing a date and time in the future. You \
                 specified the value `{at}` which is in the past."
            );
            Err(ApiError::invalid(message).param(name))
        }
        _ => Ok(at),
    }
}
