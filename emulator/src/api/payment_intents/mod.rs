//! Payment intents: those that come of invoices and checkout sessions, and those that a shop makes itself. Made in
//! `create`, changed and confirmed in `change`; what they are made of is read in `fields`.

mod change;
mod create;
pub mod fields;

use serde_json::Value;

pub use self::change::{cancel, capture, confirm, update};
pub use self::create::create;
use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind, Tx, text};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let secret = params.text("client_secret")?;
    params.finish()?;
    let intent = require(call.tx, call.id())?;
    if secret.is_some_and(|secret| intent["client_secret"] != *secret) {
        let message =
            "The client_secret provided does not match the client_secret associated with this PaymentIntent.";
        return Err(ApiError::invalid(message)
            .code("payment_intent_invalid_parameter")
            .param("client_secret"));
    }
    Ok(intent)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    params.finish()?;
    page.of(
        call.tx,
        Kind::PaymentIntent,
        "/v1/payment_intents",
        Key::Customer.of(customer.as_deref()),
        |_| true,
    )
}

fn require(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::PaymentIntent, id, Place::Path).map_err(|error| error.param("intent"))
}

/// What an intent refuses in the state it is in.
fn unexpected(message: impl Into<String>) -> ApiError {
    ApiError::invalid(message).code("payment_intent_unexpected_state")
}

/// The error with the intent as it is stored.
fn about(error: ApiError, tx: &Tx, intent: &Value) -> ApiError {
    match tx.copy(Kind::PaymentIntent, text(intent, "id")) {
        Some(stored) => error.object("payment_intent", stored),
        None => error,
    }
}
