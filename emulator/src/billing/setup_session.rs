//! A buyer saves a card on the hosted page of a session in setup mode. Nothing is sold: the session completes
//! with its setup intent, and a session that is complete only gives its redirect again.
//!
//! Not sure: that the intent exists from the moment the session opens, and that it is left open when the session
//! expires.

use serde_json::{Value, json};

use super::checkout::{Attempt, Buyer, closed, success_url};
use super::payment::{Authentication, Verdict};
use super::payment_method;
use super::setup::{self, Attempted};
use crate::error::{ApiError, Place};
use crate::state::{Kind, Tx, text};

/// Whether this is the session of a card to be saved.
pub fn is_setup(session: &Value) -> bool {
    session["mode"] == "setup"
}

/// The buyer pressed "Save card".
pub fn save(tx: &mut Tx, session_id: &str, buyer: &Buyer) -> Result<Attempt, ApiError> {
    let session = tx.require(Kind::CheckoutSession, session_id, Place::Path)?;
    if let Some(closed) = closed(&session) {
        return Ok(closed);
    }
    let card = buyer.card.as_ref().ok_or_else(|| ApiError::missing_param("card_number"))?;
    let method = payment_method::create(tx, card, json!({}));
    let mut intent = tx.require(Kind::SetupIntent, text(&session, "setup_intent"), Place::Path)?;
    intent["payment_method"] = method["id"].clone();
    let notes = json!({ "session": session_id, "email": buyer.email });
    let attempted = setup::confirm(tx, intent, Authentication::NotYet, notes);
    Ok(go_on(tx, session, attempted, buyer.email.as_deref()))
}

/// The buyer passed or failed the challenge that a card to be saved asked for. Gives the session, if the intent
/// is one's, and what became of it.
pub fn conclude(tx: &mut Tx, challenge_id: &str, verdict: Verdict) -> Result<(Value, Attempted), ApiError> {
    let challenge = tx.require(Kind::Challenge, challenge_id, Place::Path)?;
    let session = tx.copy(Kind::CheckoutSession, text(&challenge, "session"));
    if session.as_ref().is_some_and(|session| closed(session).is_some()) {
        return Err(ApiError::no_such(Kind::Challenge, challenge_id, Place::Path));
    }
    let attempted = setup::conclude(tx, &challenge, verdict)?;
    if let Some(session) = session {
        go_on(tx, session, attempted.clone(), challenge["email"].as_str());
    }
    Ok((challenge, attempted))
}

fn go_on(tx: &mut Tx, session: Value, attempted: Attempted, email: Option<&str>) -> Attempt {
    match attempted {
        Attempted::Succeeded(intent) => complete(tx, session, &intent, email),
        Attempted::Declined { decline, .. } => Attempt::Declined(decline),
        Attempted::Challenge { challenge, .. } => Attempt::Challenge(challenge),
    }
}

fn complete(tx: &mut Tx, mut session: Value, intent: &Value, email: Option<&str>) -> Attempt {
    let method = tx.copy(Kind::PaymentMethod, text(intent, "payment_method")).unwrap_or_default();
    let known = &session["customer_details"]["email"];
    let email = if known.is_null() { json!(email) } else { known.clone() };
    session["status"] = json!("complete");
    session["url"] = Value::Null;
    session["customer_details"] = json!({
        "address": method["billing_details"]["address"],
        "business_name": null,
        "email": email,
        "individual_name": null,
        "name": method["billing_details"]["name"],
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    });
    tx.put(Kind::CheckoutSession, session.clone());
    tx.emit("checkout.session.completed", &session);
    Attempt::Complete(success_url(&session))
}
