//! Refunds of charges: asked for, read, listed. What becomes of them is `billing::refund`'s business.

use serde_json::{Value, json};

use super::Call;
use crate::billing::money;
use crate::billing::refund::{self, Order};
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::Params;
use crate::state::{Kind, Tx, number, text};

/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] =
    &["currency", "customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"];
const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    let charge = read_charge(call.tx, &mut params)?;
    let reason = read_reason(&mut params)?;
    let metadata = params.metadata(&json!({}))?;
    let amount = read_amount(&mut params, &charge)?;
    params.finish()?;
    Ok(refund::create(call.tx, charge, Order { amount, reason, metadata }))
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    require(call.tx, call.id())
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut refund = require(call.tx, call.id())?;
    refund["metadata"] = params.metadata(&refund["metadata"])?;
    params.finish()?;
    call.tx.update(Kind::Refund, refund.clone(), "refund.updated");
    Ok(refund)
}

/// Only a refund that requires an action can be canceled, says Stripe, and a card's never does.
pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    require(call.tx, call.id())?;
    Err(ApiError::invalid("Canceling this refund is unsupported."))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let charge = params.text("charge")?;
    let intent = params.text("payment_intent")?;
    params.finish()?;
    let is = |value: &Value, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| value == wanted);
    page.of(call.tx, Kind::Refund, "/v1/refunds", None, |refund| {
        is(&refund["charge"], &charge) && is(&refund["payment_intent"], &intent)
    })
}

fn require(tx: &Tx, id: &str) -> Result<Value, ApiError> {
    tx.require(Kind::Refund, id, Place::Path).map_err(|error| error.param("refund"))
}

/// The charge that the request names, itself or by its payment intent.
fn read_charge(tx: &Tx, params: &mut Params) -> Result<Value, ApiError> {
    let charge = match (params.text("charge")?, params.text("payment_intent")?) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            return Err(ApiError::invalid(message).param("charge"));
        }
        // Stripe answers 404 about `id` here, as if the charge stood in the path.
        (Some(charge), None) => tx.require(Kind::Charge, &charge, Place::Path)?,
        (None, Some(intent)) => {
            let intent = tx.require(Kind::PaymentIntent, &intent, Place::Param("payment_intent"))?;
            let charge = tx.copy(Kind::Charge, text(&intent, "latest_charge"));
            charge.ok_or_else(|| nothing_to_refund(text(&intent, "id")))?
        }
        (None, None) => {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError::invalid(message));
        }
    };
    if charge["status"] == "succeeded" {
        Ok(charge)
    } else {
        Err(nothing_to_refund(text(&charge, "payment_intent")))
    }
}

fn nothing_to_refund(intent: &str) -> ApiError {
    let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
    ApiError::invalid(message)
}

fn read_reason(params: &mut Params) -> Result<Option<String>, ApiError> {
    let reason = params.text("reason")?;
    if reason.as_ref().is_some_and(|reason| !REASONS.contains(&reason.as_str())) {
        let message = "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer";
        return Err(ApiError::invalid(message).param("reason"));
    }
    Ok(reason)
}

/// What is to be given back; all that is left if the request names no amount.
fn read_amount(params: &mut Params, charge: &Value) -> Result<i64, ApiError> {
    let left = number(charge, "amount_captured") - number(charge, "amount_refunded");
    if left <= 0 {
        let message = format!("Charge {} has already been refunded.", text(charge, "id"));
        return Err(ApiError::invalid(message).code("charge_already_refunded"));
    }
    let amount = super::coupons::positive(params, "amount")?.unwrap_or(left);
    if amount > left {
        let [amount, left] = [amount, left].map(|sum| money::format(sum, text(charge, "currency")));
        let message =
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(ApiError::invalid(message).param("amount"));
    }
    Ok(amount)
}
