//! A buyer pays on the hosted checkout page: for a subscription (`subscription`) or once (`payment`). All of it is
//! one transaction, and a session that is complete only gives its redirect again: however often the form is sent,
//! it buys once. A refused card leaves the session open and makes nothing but a failed try.

mod buyer;
mod invoice;
mod payment;
pub mod quantities;
mod subscription;

use serde_json::{Value, json};

use super::cards::{Decline, NOT_AUTHENTICATED};
use super::payment::{Authentication, Verdict};
use super::payment_method::{self, CardDetails};
use super::subscription::Line;
use crate::error::{ApiError, Place};
use crate::state::{Kind, Tx, ids, number, text};

/// What the page's form says.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// Only asked for when the session knows no e-mail.
    pub email: Option<String>,
    /// `None` where no card is needed, or a saved one is used.
    pub card: Option<CardDetails>,
    /// The id of a card that the session's customer has.
    pub saved: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Bought, now or before: go to this URL.
    Complete(String),
    Declined(Decline),
    /// Go to the 3-D Secure challenge with this id.
    Challenge(String),
    /// The session has expired.
    Expired,
    /// The session's discount cannot be redeemed any more, and is gone; why.
    DiscountLost(String),
}

/// The buyer pressed "Subscribe" or "Pay".
pub fn pay(tx: &mut Tx, session_id: &str, buyer: &Buyer) -> Result<Attempt, ApiError> {
    tx.set_time(tx.test_time(session_id));
    let session = tx.require(Kind::CheckoutSession, session_id, Place::Path)?;
    if let Some(closed) = closed(&session) {
        return Ok(closed);
    }
    let method = match (&buyer.saved, &buyer.card) {
        (Some(saved), _) => Some(own_card(tx, &session, saved)?),
        (None, Some(card)) => Some(text(&payment_method::create(tx, card, json!({})), "id").to_owned()),
        (None, None) => None,
    };
    proceed(tx, session, buyer.email.as_deref(), method, Authentication::NotYet)
}

/// The buyer passed or failed the challenge.
pub fn conclude(tx: &mut Tx, challenge_id: &str, verdict: Verdict) -> Result<(String, Attempt), ApiError> {
    let challenge = tx.require(Kind::Challenge, challenge_id, Place::Path)?;
    let session_id = text(&challenge, "session").to_owned();
    tx.set_time(tx.test_time(&session_id));
    let session = tx.require(Kind::CheckoutSession, &session_id, Place::Path)?;
    if let Some(closed) = closed(&session) {
        return Ok((session_id, closed));
    }
    tx.remove(Kind::Challenge, challenge_id);
    if verdict == Verdict::Failed {
        super::payment::fail_authentication(tx, text(&challenge, "intent"));
        return Ok((session_id, Attempt::Declined(NOT_AUTHENTICATED)));
    }
    let method = challenge["payment_method"].as_str().map(str::to_owned);
    let attempt = proceed(tx, session, challenge["email"].as_str(), method, Authentication::Passed)?;
    Ok((session_id, attempt))
}

/// Where a finished session leads, with its id filled in.
pub fn success_url(session: &Value) -> String {
    text(session, "success_url").replace("{CHECKOUT_SESSION_ID}", text(session, "id"))
}

/// The lines that a session sells, with their prices as they are now. What the buyer wants none of is not sold.
pub fn lines(tx: &Tx, session_id: &str) -> Vec<Line> {
    let items = line_items(tx, session_id);
    items.iter().filter(|item| number(item, "quantity") > 0).map(|item| line(tx, item)).collect()
}

/// The session's line items, also those that the buyer wants none of.
pub fn line_items(tx: &Tx, session_id: &str) -> Vec<Value> {
    tx.private(Kind::CheckoutSession, session_id)["line_items"].as_array().cloned().unwrap_or_default()
}

/// What a line item sells.
pub fn line(tx: &Tx, item: &Value) -> Line {
    let price = tx.copy(Kind::Price, text(&item["price"], "id"));
    Line { price: price.unwrap_or_else(|| item["price"].clone()), quantity: number(item, "quantity") }
}

pub fn closed(session: &Value) -> Option<Attempt> {
    match text(session, "status") {
        "complete" => Some(Attempt::Complete(success_url(session))),
        "expired" => Some(Attempt::Expired),
        _ => None,
    }
}

/// Whether something is bought once, and nothing subscribed to.
pub fn is_payment(session: &Value) -> bool {
    session["mode"] == "payment"
}

/// The cards that the page offers to the session's customer: those that may be shown again, by the session's filters.
pub fn saved_cards(tx: &Tx, session: &Value) -> Vec<Value> {
    let filters = &session["saved_payment_method_options"]["allow_redisplay_filters"];
    let may_be_shown =
        |card: &Value| filters.as_array().is_some_and(|filters| filters.contains(&card["allow_redisplay"]));
    let Some(customer) = session["customer"].as_str() else {
        return Vec::new();
    };
    let mut cards = tx.of_customer(Kind::PaymentMethod, customer);
    cards.retain(may_be_shown);
    cards
}

fn own_card(tx: &Tx, session: &Value, id: &str) -> Result<String, ApiError> {
    match saved_cards(tx, session).iter().any(|card| card["id"] == *id) {
        true => Ok(id.to_owned()),
        false => Err(ApiError::no_such(Kind::PaymentMethod, id, Place::Param("payment_method"))),
    }
}

fn proceed(
    tx: &mut Tx,
    session: Value,
    email: Option<&str>,
    method: Option<String>,
    authentication: Authentication,
) -> Result<Attempt, ApiError> {
    match is_payment(&session) {
        true => payment::proceed(tx, session, email, method, authentication),
        false => subscription::proceed(tx, session, email, method, authentication),
    }
}

/// The buyer has to pass a challenge first. Gives its id.
fn challenge(
    tx: &mut Tx,
    session: &Value,
    email: Option<&str>,
    method: Option<String>,
    intent: Value,
) -> Attempt {
    let challenge = ids::new("3ds_");
    let value = json!({
        "id": challenge, "session": session["id"], "payment_method": method, "email": email, "intent": intent,
    });
    tx.put(Kind::Challenge, value);
    Attempt::Challenge(challenge)
}

/// The next try goes on with the same intent, as at Stripe.
fn remember_intent(tx: &mut Tx, session: &Value, mut private: Value, intent: &str) {
    private["payment_intent"] = json!(intent);
    tx.put_with(Kind::CheckoutSession, text(session, "id"), session.clone(), private);
}

/// Stores a session that is done. What the buyer wanted none of is no line of it any more.
fn close(tx: &mut Tx, session: &Value) {
    let id = text(session, "id");
    let mut private = tx.private(Kind::CheckoutSession, id).clone();
    if let Some(items) = private["line_items"].as_array_mut() {
        items.retain(|item| number(item, "quantity") > 0);
    }
    tx.put_with(Kind::CheckoutSession, id, session.clone(), private);
    tx.emit("checkout.session.completed", session);
}
