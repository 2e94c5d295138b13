//! Promotion codes: what a buyer types to redeem a coupon. Two active ones never share a code, whatever its
//! case, if one customer could use both. Whether one is `active` is worked out when somebody looks, because it
//! ends with its coupon, with its own time and with its last redemption.

use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::Call;
use super::coupons::{future, positive};
use crate::billing::discount::validity;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::Params;
use crate::state::{Kind, Tx, ids, text};

/// The letters and digits of a code that the emulator makes up.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const FIVE_YEARS: i64 = 5 * 366 * 86_400;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["customer_account"])?;
    let coupon = read_promotion(call.tx, &mut params)?;
    let customer = params.text("customer")?;
    if let Some(customer) = &customer {
        call.tx.require(Kind::Customer, customer, Place::Param("customer"))?;
    }
    let mut promotion = json!({
        "id": ids::new("promo_"),
        "object": "promotion_code",
        "active": params.boolean("active")?.unwrap_or(true),
        "code": read_code(&mut params)?,
        "created": call.tx.now(),
        "customer": customer,
        "customer_account": null,
        "livemode": false,
        "metadata": params.metadata(&json!({}))?,
        "promotion": { "coupon": coupon["id"], "type": "coupon" },
        "times_redeemed": 0,
    });
    promotion["expires_at"] = read_expiry(call.tx, &mut params, &coupon)?;
    promotion["max_redemptions"] = read_redemptions(&mut params, &coupon)?;
    promotion["restrictions"] = read_restrictions(&mut params)?;
    params.finish()?;
    ensure_unique(call.tx, &promotion)?;
    let promotion = validity::shown(call.tx.store(), promotion);
    call.tx.create(Kind::PromotionCode, promotion.clone(), "promotion_code.created");
    Ok(promotion)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let promotion = require(call.tx, call.id())?;
    Ok(validity::shown(call.tx.store(), promotion))
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut promotion = require(call.tx, call.id())?;
    params.refuse(&["restrictions"])?;
    promotion["metadata"] = params.metadata(&promotion["metadata"])?;
    if let Some(active) = params.boolean("active")? {
        promotion["active"] = json!(active);
        if active && validity::shown(call.tx.store(), promotion.clone())["active"] == false {
            let message = "This promotion code cannot be activated because it, or its coupon, can no longer be redeemed.";
            return Err(ApiError::invalid(message).param("active"));
        }
        ensure_unique(call.tx, &promotion)?;
    }
    params.finish()?;
    call.tx.update(Kind::PromotionCode, promotion.clone(), "promotion_code.updated");
    Ok(validity::shown(call.tx.store(), promotion))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let active = params.boolean("active")?;
    let code = params.text("code")?;
    let coupon = params.text("coupon")?;
    let customer = params.text("customer")?;
    params.finish()?;
    if let Some(coupon) = &coupon {
        call.tx.require(Kind::Coupon, coupon, Place::Param("coupon"))?;
    }
    let store = call.tx.store();
    let page = page.of(call.tx, Kind::PromotionCode, "/v1/promotion_codes", None, |promotion| {
        code.as_ref().is_none_or(|code| text(promotion, "code").eq_ignore_ascii_case(code))
            && coupon.as_ref().is_none_or(|coupon| promotion["promotion"]["coupon"] == **coupon)
            && customer.as_ref().is_none_or(|customer| promotion["customer"] == **customer)
            && active.is_none_or(|active| validity::shown(store, promotion.clone())["active"] == active)
    })?;
    Ok(validity::shown_on_page(store, page))
}

fn require(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::PromotionCode, id, Place::Path).map_err(|error| error.param("promotion_code"))
}

/// `promotion[type]=coupon&promotion[coupon]=…`: the coupon that the code redeems.
fn read_promotion(tx: &Tx, params: &mut Params) -> Result<Value, ApiError> {
    let mut promotion = params.children("promotion")?.ok_or_else(|| ApiError::missing_param("promotion"))?;
    let name = promotion.full_name("type");
    promotion.one_of("type", &["coupon"])?.ok_or_else(|| ApiError::missing_param(&name))?;
    let param = promotion.full_name("coupon");
    let coupon = promotion.text("coupon")?.ok_or_else(|| {
        let message = "You must pass promotion.coupon when passing promotion";
        ApiError::invalid(message).param("promotion.coupon")
    })?;
    promotion.finish()?;
    tx.require(Kind::Coupon, &coupon, Place::Param(&param))
}

fn read_code(params: &mut Params) -> Result<String, ApiError> {
    let Some(code) = params.text("code")? else {
        let mut rng = rand::rng();
        let letters = (0..8).filter_map(|_| ALPHABET.choose(&mut rng).map(|byte| char::from(*byte)));
        return Ok(letters.collect());
    };
    if code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Ok(code);
    }
    let message = format!(
        "This value must match the regex pattern. (/\\A[a-zA-Z0-9\\-_]+\\z/ does not match for the value {code})."
    );
    Err(ApiError::invalid(message).param("code"))
}

/// `expires_at`: at most in five years, and not after the coupon's `redeem_by`.
fn read_expiry(tx: &Tx, params: &mut Params, coupon: &Value) -> Result<Value, ApiError> {
    let at = future(tx, params, "expires_at")?;
    if at.is_some_and(|at| at > tx.now() + FIVE_YEARS) {
        let message = "Invalid timestamp: can be no more than five years in the future.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    let latest = coupon["redeem_by"].as_i64();
    if at.zip(latest).is_some_and(|(at, latest)| at > latest) {
        let message = "The promotion code's `expires_at` cannot be after the coupon's `redeem_by`.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    Ok(json!(at))
}

fn read_redemptions(params: &mut Params, coupon: &Value) -> Result<Value, ApiError> {
    let most = positive(params, "max_redemptions")?;
    let of_coupon = coupon["max_redemptions"].as_i64();
    if most.zip(of_coupon).is_some_and(|(most, of_coupon)| most > of_coupon) {
        let message =
            "The promotion code's `max_redemptions` cannot be greater than the coupon's `max_redemptions`.";
        return Err(ApiError::invalid(message).param("max_redemptions"));
    }
    Ok(json!(most))
}

fn read_restrictions(params: &mut Params) -> Result<Value, ApiError> {
    let mut restrictions = params.children("restrictions")?.unwrap_or_default();
    restrictions.refuse(&["currency_options"])?;
    let first = restrictions.boolean("first_time_transaction")?.unwrap_or(false);
    let minimum = positive(&mut restrictions, "minimum_amount")?;
    let name = "minimum_amount_currency";
    let param = restrictions.full_name(name);
    let currency = restrictions.text(name)?;
    restrictions.finish()?;
    if minimum.is_some() != currency.is_some() {
        let message = "You must pass minimum_amount together with minimum_amount_currency";
        return Err(ApiError::invalid(message).param(param));
    }
    let currency = currency.map(|currency| currency.to_lowercase());
    Ok(json!({
        "first_time_transaction": first,
        "minimum_amount": minimum,
        "minimum_amount_currency": currency,
    }))
}

fn ensure_unique(tx: &Tx, promotion: &Value) -> Result<(), ApiError> {
    if promotion["active"] == false {
        return Ok(());
    }
    let code = text(promotion, "code");
    let everybodys = |other: &Value| other["customer"].is_null() || promotion["customer"].is_null();
    let is_taken = |other: &Value| {
        other["id"] != promotion["id"]
            && text(other, "code").eq_ignore_ascii_case(code)
            && (everybodys(other) || other["customer"] == promotion["customer"])
            && validity::shown(tx.store(), other.clone())["active"] == true
    };
    let mut all = tx.store().collection(Kind::PromotionCode).into_iter().flat_map(|all| all.newest_first());
    if all.any(|other| is_taken(&other.value())) {
        let message = format!("An active promotion code with `code: {code}` already exists.");
        return Err(ApiError::invalid(message).param("code"));
    }
    Ok(())
}
