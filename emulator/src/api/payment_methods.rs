//! Payment methods: cards, made from Stripe's test tokens or by the checkout page, changed, given to customers and
//! taken from them. What a request says of a card is read in `payment_method_input`.
//!
//! Not sure: Stripe's words for an update of a card that is no customer's.

use serde_json::{Value, json};

use super::{Call, payment_method_input};
use crate::billing::cards::{Behaviour, TestCard};
use crate::billing::payment_method::{self, CardDetails};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::Params;
use crate::state::{Key, Kind, Tx, number, text};

/// Parameters that Stripe has and that this emulator would have to ignore: those for accounts of others, who clone
/// a card, and for other kinds of payment.
const UNSUPPORTED: &[&str] = &["customer", "payment_method", "radar_options"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let given = payment_method_input::read(call.tx, &mut params)?;
    params.finish()?;
    Ok(payment_method::create_with(call.tx, &given.details, given.metadata, given.more))
}

/// Changes a card that a customer has.
pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut method = call.tx.require(Kind::PaymentMethod, call.id(), Place::Path)?;
    if method["customer"].is_null() {
        let message = "A PaymentMethod must be attached to a customer to be updated.";
        return Err(ApiError::invalid(message).code("payment_method_unexpected_state"));
    }
    method["metadata"] = params.metadata(&method["metadata"])?;
    payment_method_input::read_billing(&mut params, &mut method["billing_details"])?;
    if let Some(allow) = payment_method_input::read_redisplay(&mut params)? {
        method["allow_redisplay"] = json!(allow);
    }
    if let Some(mut card) = params.children("card")? {
        card.refuse(&["networks"])?;
        for field in ["exp_month", "exp_year"] {
            if let Some(number) = card.integer(field)? {
                method["card"][field] = json!(number);
            }
        }
        let (month, year) = (number(&method["card"], "exp_month"), number(&method["card"], "exp_year"));
        payment_method_input::ensure_valid(call.tx, month, year, &card)?;
        card.finish()?;
    }
    params.finish()?;
    call.tx.update(Kind::PaymentMethod, method.clone(), "payment_method.updated");
    Ok(method)
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
    let redisplay = payment_method_input::read_redisplay(&mut params)?;
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

/// Refuses the card of an intent, if it has one, that belongs to another customer than the intent's. `unnamed` is what
/// Stripe says of a card (its id, and its owner's) to an intent that names no customer.
pub fn ensure_owner(tx: &Tx, intent: &Value, unnamed: impl Fn(&str, &str) -> String) -> Result<(), ApiError> {
    let id = text(intent, "payment_method");
    if id.is_empty() {
        return Ok(());
    }
    let method = tx.require(Kind::PaymentMethod, id, Place::Param("payment_method"))?;
    let (owner, customer) = (text(&method, "customer"), text(intent, "customer"));
    let message = if owner.is_empty() || owner == customer {
        return Ok(());
    } else if customer.is_empty() {
        unnamed(id, owner)
    } else {
        format!(
            "The PaymentMethod {id} does not belong to the Customer you supplied {customer}. Please use this \
             PaymentMethod with the Customer that it belongs to instead."
        )
    };
    Err(ApiError::invalid(message).param("payment_method"))
}
