//! Checkout sessions: opened here, paid on the hosted page (`billing::checkout`).

mod create;
mod create_payment;
mod create_setup;
mod line_items;
mod looks;
mod subscription_data;

use serde_json::{Value, json};

pub use self::create::create;
pub use self::subscription_data::{read_billing_mode, read_trial_settings};
use super::Call;
use crate::billing::ending;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Key, Kind, text};

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::CheckoutSession, call.id(), Place::Path)
}

/// Only what a session on a page of Stripe's own can have changed.
pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut session = call.tx.require(Kind::CheckoutSession, call.id(), Place::Path)?;
    params.refuse(&["collected_information", "line_items", "shipping_options"])?;
    session["metadata"] = params.metadata(&session["metadata"])?;
    params.finish()?;
    // No event tells of it; Stripe has none.
    call.tx.put(Kind::CheckoutSession, session.clone());
    Ok(session)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    let status = params.one_of("status", &["complete", "expired", "open"])?;
    let subscription = params.text("subscription")?;
    let intent = params.text("payment_intent")?;
    let mut details = params.children("customer_details")?.unwrap_or_default();
    let email = details.text("email")?;
    details.finish()?;
    params.finish()?;
    let is = |value: &Value, wanted: &Option<String>| wanted.as_ref().is_none_or(|wanted| value == wanted);
    page.of(
        call.tx,
        Kind::CheckoutSession,
        "/v1/checkout/sessions",
        Key::Customer.of(customer.as_deref()),
        |session| {
            is(&session["status"], &status)
                && is(&session["subscription"], &subscription)
                && is(&session["payment_intent"], &intent)
                && is(&session["customer_details"]["email"], &email)
        },
    )
}

pub fn expire(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let session = call.tx.require(Kind::CheckoutSession, call.id(), Place::Path)?;
    if session["status"] != "open" {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             {}",
            text(&session, "status")
        );
        return Err(ApiError::invalid(message));
    }
    Ok(ending::expire_session(call.tx, session))
}

pub fn line_items(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let limit = crate::list::limit(&mut params)?;
    params.refuse(&["starting_after", "ending_before"])?;
    params.finish()?;
    let id = call.id().to_owned();
    call.tx.require(Kind::CheckoutSession, &id, Place::Path)?;
    let items =
        call.tx.private(Kind::CheckoutSession, &id)["line_items"].as_array().cloned().unwrap_or_default();
    Ok(json!({
        "object": "list",
        "data": items.iter().take(limit).collect::<Vec<_>>(),
        "has_more": items.len() > limit,
        "url": format!("/v1/checkout/sessions/{id}/line_items"),
    }))
}
