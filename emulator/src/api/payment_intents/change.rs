//! What is done to a payment intent: change, confirm, capture, cancel. Those of an invoice or a checkout session
//! belong to it: the invoice's can be confirmed, and the rest is up to the invoice or the session.
//!
//! Not sure: Stripe's words for changing the amount of an invoice's intent. Those for canceling one, and for anything
//! that is done to a session's, are known from what others met (`stripe-dotnet` issue 2429).

use serde_json::{Value, json};

use super::fields::{self, UNSUPPORTED};
use super::{about, require, unexpected};
use crate::api::Call;
use crate::billing::intent::{self, Confirmed, Terms};
use crate::billing::least_charge;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

const REASONS: &[&str] = &["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
/// What can be changed as long as nothing is paid.
const OF_THE_UNPAID: &[&str] =
    &["amount", "capture_method", "currency", "customer", "payment_method", "setup_future_usage"];
const IS_CANCELABLE: &[&str] = &[
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
];

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let before = require(call.tx, call.id())?;
    params.refuse(UNSUPPORTED)?;
    if let Some(name) = OF_THE_UNPAID.iter().find(|name| params.has(name)) {
        ensure_unpaid(call.tx, &before, name)?;
        ensure_not_of_session(call.tx, &before)?;
    }
    let mut intent = before.clone();
    read_amount(call.tx, &mut params, &mut intent)?;
    fields::read(call.tx, &mut params, &mut intent)?;
    fields::read_more(call.tx, &mut params, &mut intent)?;
    params.finish()?;
    fields::ensure_own(call.tx, &intent).map_err(|error| about(error, call.tx, &before))?;
    let is_other = |field: &str| intent[field] != before[field];
    if OF_THE_UNPAID.iter().any(|field| is_other(field)) && !intent["payment_method"].is_null() {
        intent["status"] = json!("requires_confirmation");
        intent["next_action"] = Value::Null;
    }
    // No event tells of an update; Stripe has none for it.
    call.tx.put(Kind::PaymentIntent, intent.clone());
    Ok(intent)
}

fn read_amount(tx: &Tx, params: &mut Params, intent: &mut Value) -> Result<(), ApiError> {
    let amount = params.integer("amount")?;
    let currency = params.has("currency").then(|| crate::api::prices::read_currency(params)).transpose()?;
    if amount.is_none() && currency.is_none() {
        return Ok(());
    }
    if intent::invoice_of(tx, intent).is_some() {
        let message = "You cannot update the amount or currency of PaymentIntents created by invoices.";
        return Err(about(unexpected(message), tx, intent));
    }
    let amount = amount.unwrap_or_else(|| number(intent, "amount"));
    let currency = currency.unwrap_or_else(|| text(intent, "currency").to_owned());
    least_charge::ensure_chargeable(amount, &currency, "amount")?;
    intent["amount"] = json!(amount);
    intent["currency"] = json!(currency);
    Ok(())
}

pub fn confirm(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let before = require(call.tx, call.id())?;
    params.refuse(UNSUPPORTED)?;
    if params.has("payment_method") && before["status"] == "canceled" {
        ensure_unpaid(call.tx, &before, "payment_method")?;
    }
    ensure_open(call.tx, &before)?;
    ensure_not_of_session(call.tx, &before)?;
    let mut intent = before.clone();
    fields::read(call.tx, &mut params, &mut intent)?;
    let (terms, uses_sdk) = fields::read_terms(&mut params)?;
    params.finish()?;
    let error = |error| about(error, call.tx, &before);
    fields::ensure_confirmable(&intent, &terms, uses_sdk).map_err(error)?;
    fields::ensure_own(call.tx, &intent).map_err(error)?;
    attempt(call.tx, &intent, &terms)
}

/// Tries the card. A refusal is answered with 402, and what it left behind stays.
pub fn attempt(tx: &mut Tx, intent: &Value, terms: &Terms) -> Result<Value, ApiError> {
    match intent::confirm(tx, intent, terms) {
        Confirmed::Done(intent) => Ok(intent),
        Confirmed::Declined { intent, decline, method } => {
            let mut error = ApiError::card(decline.code, decline.decline_code, decline.message);
            if decline.code == "expired_card" {
                error = error.param("exp_month");
            }
            if decline.code == "incorrect_cvc" {
                error = error.param("cvc");
            }
            if intent["last_payment_error"]["charge"].is_string() {
                error = error.object("charge", intent["last_payment_error"]["charge"].clone());
            }
            Err(error.object("payment_method", method).object("payment_intent", intent).keeping_changes())
        }
    }
}

pub fn capture(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut intent = require(call.tx, call.id())?;
    params.refuse(UNSUPPORTED)?;
    let amount = params.integer_within("amount_to_capture", 1, i64::MAX)?;
    let stored = intent.clone();
    fields::read_descriptors(&mut params, &mut intent)?;
    intent["metadata"] = params.metadata(&intent["metadata"])?;
    params.finish()?;
    let status = text(&intent, "status");
    if status != "requires_capture" {
        let why = match status {
            "succeeded" => "it has already been captured.".to_owned(),
            _ => format!(
                "it has a status of {status}. Only a PaymentIntent with one of the following statuses may be captured: \
                 requires_capture."
            ),
        };
        let error = unexpected(format!("This PaymentIntent could not be captured because {why}"));
        return Err(about(error, call.tx, &stored));
    }
    let held = number(&intent, "amount_capturable");
    let amount = amount.unwrap_or(held);
    if amount > held {
        let message = "The payment could not be captured because the requested capture amount is greater than the \
                       amount you can capture for this charge.";
        let error = ApiError::invalid(message).code("amount_too_large").param("amount_to_capture");
        return Err(about(error, call.tx, &stored));
    }
    Ok(intent::capture(call.tx, intent, amount))
}

pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let intent = require(call.tx, call.id())?;
    let reason = params.one_of("cancellation_reason", REASONS)?;
    params.finish()?;
    let status = text(&intent, "status");
    if !IS_CANCELABLE.contains(&status) {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one \
             of the following statuses may be canceled: {}.",
            IS_CANCELABLE.join(", ")
        );
        return Err(about(unexpected(message), call.tx, &intent));
    }
    if intent::invoice_of(call.tx, &intent).is_some() {
        let message =
            "You cannot cancel PaymentIntents created by invoices. Try voiding the invoice instead.";
        return Err(about(ApiError::invalid(message), call.tx, &intent));
    }
    if status != "requires_capture" {
        ensure_not_of_session(call.tx, &intent)?;
    }
    Ok(intent::cancel(call.tx, intent, reason.as_deref()))
}

fn ensure_unpaid(tx: &Tx, intent: &Value, field: &str) -> Result<(), ApiError> {
    let status = text(intent, "status");
    if matches!(status, "requires_payment_method" | "requires_confirmation" | "requires_action") {
        return Ok(());
    }
    let message = format!(
        "This PaymentIntent's {field} could not be updated because it has a status of {status}. You may only update the \
         {field} of a PaymentIntent with one of the following statuses: requires_payment_method, \
         requires_confirmation, requires_action."
    );
    Err(about(unexpected(message).param(field), tx, intent))
}

fn ensure_open(tx: &Tx, intent: &Value) -> Result<(), ApiError> {
    let why = match text(intent, "status") {
        "succeeded" | "requires_capture" => "it has already succeeded after being previously confirmed.",
        "canceled" => {
            "it has a status of canceled. Only a PaymentIntent with one of the following statuses may be confirmed: \
             requires_confirmation, requires_action."
        }
        _ => return Ok(()),
    };
    let error = unexpected(format!("You cannot confirm this PaymentIntent because {why}"));
    Err(about(error, tx, intent))
}

fn ensure_not_of_session(tx: &Tx, intent: &Value) -> Result<(), ApiError> {
    if tx.private(Kind::PaymentIntent, text(intent, "id"))["checkout_session"].is_null() {
        return Ok(());
    }
    let message = "You cannot perform this action on PaymentIntents created by Checkout.";
    Err(about(ApiError::invalid(message), tx, intent))
}
