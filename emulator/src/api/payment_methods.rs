//! Payment methods: cards, made from Stripe's test tokens or by the checkout page, given to customers and
//! taken from them.

use serde_json::{Value, json};

use super::Call;
use crate::billing::cards::{Behaviour, TestCard, passes_luhn};
use crate::billing::payment_method::{self, CardDetails};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, text};

/// Whether a page of Stripe's may offer the card to its owner again.
const REDISPLAY: &[&str] = &["always", "limited", "unspecified"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.one_of("type", &["card"])?.ok_or_else(|| ApiError::missing_param("type"))?;
    let metadata = params.metadata(&json!({}))?;
    let redisplay = params.one_of("allow_redisplay", REDISPLAY)?;
    let card = params.children("card")?.ok_or_else(|| ApiError::missing_param("card"))?;
    let mut details = read_card(call.tx, card)?;
    if let Some(mut billing) = params.children("billing_details")? {
        details.name = billing.clearable("name")?.and_then(set);
        details.email = billing.clearable("email")?.and_then(set);
        billing.finish()?;
    }
    params.finish()?;
    let mut method = payment_method::create(call.tx, &details, metadata);
    if let Some(redisplay) = redisplay {
        method["allow_redisplay"] = json!(redisplay);
        call.tx.put(Kind::PaymentMethod, method.clone());
    }
    Ok(method)
}

fn set(change: Change<String>) -> Option<String> {
    match change {
        Change::Set(text) => Some(text),
        Change::Clear => None,
    }
}

fn read_card(tx: &Tx, mut card: Params) -> Result<CardDetails, ApiError> {
    if let Some(token) = card.text("token")? {
        card.finish()?;
        let known = TestCard::by_token(&token).ok_or_else(|| no_token(&token))?;
        return Ok(CardDetails::of_test_card(known, tx.now()));
    }
    let number = card.required_text("number")?.replace([' ', '-'], "");
    let param = card.full_name("number");
    let month = card.integer("exp_month")?.ok_or_else(|| ApiError::missing_param("card[exp_month]"))?;
    let year = card.integer("exp_year")?.ok_or_else(|| ApiError::missing_param("card[exp_year]"))?;
    card.text("cvc")?;
    card.finish()?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) || !passes_luhn(&number) {
        return Err(ApiError::card("incorrect_number", None, "Your card number is incorrect.").param(param));
    }
    if !(1..=12).contains(&month) {
        let message = "Your card's expiration month is invalid.";
        return Err(ApiError::card("invalid_expiry_month", None, message).param("card[exp_month]"));
    }
    Ok(CardDetails { number, exp_month: month, exp_year: year, name: None, email: None })
}

fn no_token(token: &str) -> ApiError {
    ApiError::invalid(format!("No such token: '{token}'")).code("resource_missing").param("card[token]")
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::PaymentMethod, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let customer = params.text("customer")?;
    if let Some(customer) = &customer {
        call.tx.require(Kind::Customer, customer, Place::Param("customer"))?;
    }
    page(call.tx, params, customer, "/v1/payment_methods")
}

pub fn retrieve_of_customer(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let id = call.path.get(1).map_or("", String::as_str);
    let method = call.tx.require(Kind::PaymentMethod, id, Place::Path)?;
    if method["customer"] == *call.id() {
        return Ok(method);
    }
    Err(ApiError::no_such(Kind::PaymentMethod, id, Place::Path))
}

pub fn list_of_customer(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    let customer = call.id().to_owned();
    call.tx.require(Kind::Customer, &customer, Place::Path)?;
    let url = format!("/v1/customers/{customer}/payment_methods");
    page(call.tx, params, Some(customer), &url)
}

/// A page of a customer's cards. Without a customer Stripe lists only the account's own, of which there are none.
fn page(tx: &Tx, mut params: Params, customer: Option<String>, url: &str) -> Result<Value, ApiError> {
    let page = Page::read(&mut params)?;
    let wanted = params.text("type")?;
    let redisplay = params.one_of("allow_redisplay", REDISPLAY)?;
    params.finish()?;
    let owner = customer.unwrap_or_default();
    page.of(tx, Kind::PaymentMethod, url, Key::Customer.of(Some(&owner)), |method| {
        wanted.as_ref().is_none_or(|wanted| method["type"] == **wanted)
            && redisplay.as_ref().is_none_or(|redisplay| method["allow_redisplay"] == **redisplay)
    })
}

pub fn attach(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let customer = params.required_text("customer")?;
    params.finish()?;
    call.tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    let id = call.id().to_owned();
    let id = given(call.tx, &id);
    let method = call.tx.require(Kind::PaymentMethod, &id, Place::Path)?;
    if method["customer"] == *customer {
        return Ok(method);
    }
    ensure_attachable(call.tx, &id, Place::Path)?;
    let method = payment_method::attach(call.tx, &id, &customer);
    call.tx.emit("payment_method.attached", &method);
    Ok(method)
}

/// Refuses a card that is somebody's, and one that is declined when it is checked.
pub fn ensure_attachable(tx: &Tx, id: &str, place: Place) -> Result<(), ApiError> {
    let method = tx.require(Kind::PaymentMethod, id, place)?;
    if !method["customer"].is_null() {
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(ApiError::invalid(message).code("payment_method_unexpected_state"));
    }
    if let Behaviour::Declines(decline) = payment_method::behaviour(tx, id) {
        return Err(ApiError::card(decline.code, decline.decline_code, decline.message));
    }
    Ok(())
}

/// The id of a payment method; `pm_card_visa` and the like stand for a new one.
pub fn given(tx: &mut Tx, id: &str) -> String {
    match TestCard::by_token(id).filter(|_| id.starts_with("pm_card_")) {
        Some(card) => {
            let details = CardDetails::of_test_card(card, tx.now());
            text(&payment_method::create(tx, &details, json!({})), "id").to_owned()
        }
        None => id.to_owned(),
    }
}

pub fn detach(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let method = call.tx.require(Kind::PaymentMethod, call.id(), Place::Path)?;
    let customer = text(&method, "customer").to_owned();
    if customer.is_empty() {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::invalid(message).code("payment_method_unexpected_state"));
    }
    Ok(payment_method::detach(call.tx, method, &customer))
}
