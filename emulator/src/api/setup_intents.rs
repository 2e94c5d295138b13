//! Setup intents: cards that are set up for later by API. Those of a checkout session in setup mode are read
//! here too, and belong to their session until it ends.
//!
//! `usage` is kept as it is given, as Stripe's documents say; somebody who tried it in 2026 got `off_session`
//! whatever they sent. Not sure: the words for an intent that belongs to a session.

use serde_json::{Value, json};

use super::Call;
use super::payment_methods::{ensure_owner, given};
use super::urls;
use crate::billing::payment::Authentication;
use crate::billing::setup::{self, Attempted, Plan};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, text};

/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &[
    "allowed_payment_method_types",
    "attach_to_self",
    "confirmation_token",
    "customer_account",
    "excluded_payment_method_types",
    "flow_directions",
    "mandate_data",
    "on_behalf_of",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "single_use",
];
const REASONS: &[&str] = &["abandoned", "duplicate", "requested_by_customer"];
const NO_METHOD: &str = "You cannot confirm this SetupIntent because it's missing a payment method. You can either \
                         update the SetupIntent with a payment method and then confirm it again, or confirm it again \
                         directly with a payment method or ConfirmationToken.";

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let customer = read_customer(call.tx, &mut params)?;
    let method = params.text("payment_method")?.map(|id| given(call.tx, &id));
    let plan = Plan {
        customer,
        payment_method: method,
        description: params.clearable("description")?.map_or(Value::Null, Change::into_json),
        metadata: params.metadata(&json!({}))?,
        usage: params.one_of("usage", &["off_session", "on_session"])?.unwrap_or("off_session".to_owned()),
    };
    let mut intent = setup::build(call.tx, plan);
    intent["automatic_payment_methods"] = read_automatic(&mut params)?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let notes = read_return(&mut params)?;
    params.finish()?;
    if confirm && intent["payment_method"].is_null() {
        return Err(unexpected(NO_METHOD));
    }
    ensure_own(call.tx, &intent)?;
    call.tx.create(Kind::SetupIntent, intent.clone(), "setup_intent.created");
    if confirm { attempt(call.tx, intent, notes) } else { Ok(intent) }
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    require(call.tx, call.id())
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut intent = require(call.tx, call.id())?;
    params.refuse(UNSUPPORTED)?;
    if let Some(description) = params.clearable("description")? {
        intent["description"] = description.into_json();
    }
    intent["metadata"] = params.metadata(&intent["metadata"])?;
    if let Some(customer) = read_customer(call.tx, &mut params)? {
        intent["customer"] = json!(customer);
    }
    if let Some(method) = params.text("payment_method")? {
        ensure_open(call.tx, "update", &intent)?;
        intent["payment_method"] = json!(given(call.tx, &method));
        intent["status"] = json!("requires_confirmation");
        ensure_own(call.tx, &intent).map_err(|error| about(error, call.tx, &intent))?;
    }
    params.finish()?;
    // No event tells of an update; Stripe has none for it.
    call.tx.put(Kind::SetupIntent, intent.clone());
    Ok(intent)
}

pub fn confirm(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut intent = require(call.tx, call.id())?;
    params.refuse(UNSUPPORTED)?;
    if let Some(method) = params.text("payment_method")? {
        intent["payment_method"] = json!(given(call.tx, &method));
    }
    let notes = read_return(&mut params)?;
    params.finish()?;
    if intent["payment_method"].is_null() {
        return Err(about(unexpected(NO_METHOD), call.tx, &intent));
    }
    ensure_not_of_session(call.tx, &intent)?;
    ensure_open(call.tx, "confirm", &intent)?;
    ensure_own(call.tx, &intent).map_err(|error| about(error, call.tx, &intent))?;
    attempt(call.tx, intent, notes)
}

pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut intent = require(call.tx, call.id())?;
    let reason = params.one_of("cancellation_reason", REASONS)?;
    params.finish()?;
    ensure_not_of_session(call.tx, &intent)?;
    let message = match text(&intent, "status") {
        "canceled" => Some("You cannot cancel this SetupIntent because it is already canceled."),
        "succeeded" => Some(
            "You cannot cancel this SetupIntent because it has a status of succeeded. Only a SetupIntent with one of \
             the following statuses may be canceled: `requires_payment_method`, `requires_confirmation`, or \
             `requires_action`.",
        ),
        _ => None,
    };
    if let Some(message) = message {
        return Err(about(unexpected(message), call.tx, &intent));
    }
    intent["status"] = json!("canceled");
    intent["cancellation_reason"] = json!(reason);
    intent["next_action"] = Value::Null;
    call.tx.put(Kind::SetupIntent, intent.clone());
    call.tx.emit("setup_intent.canceled", &intent);
    Ok(intent)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    params.refuse(&["attach_to_self", "customer_account"])?;
    let customer = params.text("customer")?;
    let method = params.text("payment_method")?;
    params.finish()?;
    let key = Key::Customer.of(customer.as_deref());
    page.of(call.tx, Kind::SetupIntent, "/v1/setup_intents", key, |intent| {
        method.as_ref().is_none_or(|method| intent["payment_method"] == **method)
    })
}

/// The attempts of one intent.
pub fn list_attempts(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let intent = params.required_text("setup_intent")?;
    params.finish()?;
    call.tx.require(Kind::SetupIntent, &intent, Place::Param("setup_intent"))?;
    page.of(call.tx, Kind::SetupAttempt, "/v1/setup_attempts", None, |attempt| {
        attempt["setup_intent"] == *intent
    })
}

fn require(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::SetupIntent, id, Place::Path).map_err(|error| error.param("intent"))
}

/// Tries the card. A refusal is answered with 402, and what it left behind stays.
fn attempt(tx: &mut Tx, intent: Value, notes: Value) -> Result<Value, ApiError> {
    match setup::confirm(tx, intent, Authentication::NotYet, notes) {
        Attempted::Succeeded(intent) | Attempted::Challenge { intent, .. } => Ok(intent),
        Attempted::Declined { intent, decline, method } => {
            let decline_code = decline.decline_code.unwrap_or(decline.code);
            let error = ApiError::card(decline.code, Some(decline_code), decline.message);
            let error = if decline.code == "expired_card" { error.param("exp_month") } else { error };
            Err(error.object("payment_method", method).object("setup_intent", intent).keeping_changes())
        }
    }
}

fn unexpected(message: impl Into<String>) -> ApiError {
    ApiError::invalid(message).code("setup_intent_unexpected_state")
}

/// The error with the intent as it is stored.
fn about(error: ApiError, tx: &Tx, intent: &Value) -> ApiError {
    match tx.copy(Kind::SetupIntent, text(intent, "id")) {
        Some(stored) => error.object("setup_intent", stored),
        None => error,
    }
}

fn ensure_open(tx: &Tx, verb: &str, intent: &Value) -> Result<(), ApiError> {
    let why = match text(intent, "status") {
        "succeeded" => "it has already succeeded",
        "canceled" => "it has been canceled",
        _ => return Ok(()),
    };
    let error = unexpected(format!("You cannot {verb} this SetupIntent because {why}."));
    Err(about(error, tx, intent))
}

fn ensure_not_of_session(tx: &Tx, intent: &Value) -> Result<(), ApiError> {
    if tx.private(Kind::SetupIntent, text(intent, "id"))["checkout_session"].is_null() {
        return Ok(());
    }
    let message =
        "You cannot confirm or cancel the SetupIntent of a Checkout Session. Expire the session instead.";
    Err(about(unexpected(message), tx, intent))
}

/// A card that belongs to a customer is set up for that customer only.
fn ensure_own(tx: &Tx, intent: &Value) -> Result<(), ApiError> {
    ensure_owner(tx, intent, |id, owner| {
        format!(
            "The payment method supplied ({id}) belongs to the Customer {owner}. Please include the Customer in the \
             `customer` parameter on the SetupIntent."
        )
    })
}

fn read_customer(tx: &Tx, params: &mut Params) -> Result<Option<String>, ApiError> {
    let customer = params.text("customer")?;
    if let Some(customer) = &customer {
        tx.require(Kind::Customer, customer, Place::Param("customer"))?;
    }
    Ok(customer)
}

/// `automatic_payment_methods`, shown back: cards are all there is.
fn read_automatic(params: &mut Params) -> Result<Value, ApiError> {
    let Some(mut automatic) = params.children("automatic_payment_methods")? else {
        return Ok(Value::Null);
    };
    let enabled = automatic.boolean("enabled")?.unwrap_or(false);
    let redirects = automatic.one_of("allow_redirects", &["always", "never"])?;
    automatic.finish()?;
    Ok(json!({ "allow_redirects": redirects.unwrap_or("always".to_owned()), "enabled": enabled }))
}

/// Where the owner comes back to after a challenge.
fn read_return(params: &mut Params) -> Result<Value, ApiError> {
    params.boolean("use_stripe_sdk")?;
    let back = params.text("return_url")?;
    back.as_ref().map_or(Ok(()), |url| urls::ensure_openable(url, "return_url"))?;
    Ok(json!({ "return_url": back }))
}
