//! Reading a card and what belongs to it from a request, wherever one is given: `POST /v1/payment_methods`, its
//! update, and `payment_method_data`. Stores nothing.

use serde_json::{Value, json};

use crate::billing::cards::{TestCard, passes_luhn};
use crate::billing::payment_method::{CardDetails, More};
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::Tx;

/// The parts of an address, as Stripe names them.
pub const ADDRESS: [&str; 6] = ["city", "country", "line1", "line2", "postal_code", "state"];

/// A card that a request describes.
#[derive(Clone, Debug)]
pub struct Given {
    pub details: CardDetails,
    pub more: More,
    pub metadata: Value,
}

/// Reads a whole payment method of type `card`. The caller finishes the parameters.
pub fn read(tx: &Tx, params: &mut Params) -> Result<Given, ApiError> {
    let param = params.full_name("type");
    params.one_of("type", &["card"])?.ok_or_else(|| ApiError::missing_param(&param))?;
    let metadata = params.metadata(&json!({}))?;
    let param = params.full_name("card");
    let card = params.children("card")?.ok_or_else(|| ApiError::missing_param(&param))?;
    let (details, has_cvc) = read_card(tx, card)?;
    let mut more = More { has_cvc, ..More::of(&details) };
    read_billing(params, &mut more.billing)?;
    more.allow_redisplay = read_redisplay(params)?;
    Ok(Given { details, more, metadata })
}

/// `allow_redisplay`.
pub fn read_redisplay(params: &mut Params) -> Result<Option<String>, ApiError> {
    params.one_of("allow_redisplay", &["always", "limited", "unspecified"])
}

/// Merges `billing_details` into what is known.
pub fn read_billing(params: &mut Params, billing: &mut Value) -> Result<(), ApiError> {
    let Some(mut given) = params.children("billing_details")? else {
        return Ok(());
    };
    given.refuse(&["tax_id"])?;
    for field in ["email", "name", "phone"] {
        if let Some(change) = given.clearable(field)? {
            billing[field] = change.into_json();
        }
    }
    if given.peek("address") == Some("") {
        given.clearable("address")?;
        ADDRESS.iter().for_each(|part| billing["address"][*part] = Value::Null);
    } else if let Some(mut address) = given.children("address")? {
        for part in ADDRESS {
            if let Some(change) = address.clearable(part)?.map(Change::into_json) {
                billing["address"][part] = change;
            }
        }
        address.finish()?;
    }
    given.finish()
}

/// A token or the digits; and whether a security code is there. A token has one.
fn read_card(tx: &Tx, mut card: Params) -> Result<(CardDetails, bool), ApiError> {
    card.refuse(&["networks"])?;
    if let Some(token) = card.text("token")? {
        let param = card.full_name("token");
        card.finish()?;
        let known = TestCard::by_token(&token).filter(|_| token.starts_with("tok_"));
        let known = known.ok_or_else(|| no_token(&token, &param))?;
        return Ok((CardDetails::of_test_card(known, tx.now()), true));
    }
    let number = card.required_text("number")?.replace([' ', '-'], "");
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) || !passes_luhn(&number) {
        let error = ApiError::card("incorrect_number", None, "Your card number is incorrect.");
        return Err(error.param(card.full_name("number")));
    }
    let (exp_month, exp_year) = read_expiry(tx, &mut card)?;
    let cvc = card.text("cvc")?;
    let length = TestCard::cvc_length(&number);
    if cvc.as_ref().is_some_and(|cvc| cvc.len() != length || !cvc.bytes().all(|c| c.is_ascii_digit())) {
        let error = ApiError::card("invalid_cvc", None, "Your card's security code is invalid.");
        return Err(error.param(card.full_name("cvc")));
    }
    card.finish()?;
    Ok((CardDetails { number, exp_month, exp_year, name: None, email: None }, cvc.is_some()))
}

fn read_expiry(tx: &Tx, card: &mut Params) -> Result<(i64, i64), ApiError> {
    let mut required = |name: &str| {
        let param = card.full_name(name);
        card.integer(name)?.ok_or_else(|| ApiError::missing_param(&param))
    };
    let (month, year) = (required("exp_month")?, required("exp_year")?);
    let year = if (0..100).contains(&year) { 2000 + year } else { year };
    ensure_valid(tx, month, year, card)?;
    Ok((month, year))
}

/// Refuses a date that a card cannot have, or has no more.
pub fn ensure_valid(tx: &Tx, month: i64, year: i64, card: &Params) -> Result<(), ApiError> {
    let today =
        time::OffsetDateTime::from_unix_timestamp(tx.now()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (this_year, this_month) = (i64::from(today.year()), i64::from(u8::from(today.month())));
    let wrong = |code: &str, what: &str, field: &str| {
        let message = format!("Your card's expiration {what} is invalid.");
        Err(ApiError::card(code, None, &message).param(card.full_name(field)))
    };
    match () {
        () if !(1..=12).contains(&month) => wrong("invalid_expiry_month", "month", "exp_month"),
        () if year < this_year || year > this_year + 50 => wrong("invalid_expiry_year", "year", "exp_year"),
        () if year == this_year && month < this_month => wrong("invalid_expiry_month", "month", "exp_month"),
        () => Ok(()),
    }
}

fn no_token(token: &str, param: &str) -> ApiError {
    ApiError::invalid(format!("No such token: '{token}'")).code("resource_missing").param(param)
}
