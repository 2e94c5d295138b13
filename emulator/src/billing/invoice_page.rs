//! Somebody pays an open invoice on its hosted page, with a card that they have or another one. One transaction,
//! and an invoice that is no longer open is only shown: however often the form is sent, it is paid once.

use serde_json::{Value, json};

use super::cards::{Behaviour, Decline, NOT_AUTHENTICATED};
use super::collect::{self, Collected};
use super::invoice::Occasion;
use super::payment::{self, Authentication, Verdict};
use super::payment_method::{self, CardDetails};
use crate::error::{ApiError, Place};
use crate::state::{Kind, Tx, ids, text};

/// With what.
#[derive(Clone, Debug)]
pub enum Means {
    /// The id of a card of theirs.
    Saved(String),
    /// `None` where no card was asked for.
    New(Option<CardDetails>),
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Attempt {
    /// Paid, or not open any more.
    Done,
    Declined(Decline),
    /// Go to the 3-D Secure challenge with this id.
    Challenge(String),
}

/// The customer pressed "Pay".
pub fn pay(tx: &mut Tx, id: &str, means: &Means) -> Result<Attempt, ApiError> {
    tx.set_time(tx.test_time(id));
    let invoice = tx.require(Kind::Invoice, id, Place::Path)?;
    let customer = text(&invoice, "customer").to_owned();
    let method = match means {
        Means::Saved(id) => {
            let method = tx.require(Kind::PaymentMethod, id, Place::Param("payment_method"))?;
            if method["customer"] != *customer {
                return Err(ApiError::no_such(Kind::PaymentMethod, id, Place::Param("payment_method")));
            }
            Some(id.clone())
        }
        Means::New(card) => card.as_ref().map(|card| {
            let method = payment_method::create(tx, card, json!({}));
            text(&method, "id").to_owned()
        }),
    };
    go_on(tx, &invoice, method, Authentication::NotYet)
}

/// The owner passed or failed the challenge. Gives the page to go back to.
pub fn conclude(tx: &mut Tx, challenge: &Value, verdict: Verdict) -> Result<(String, Attempt), ApiError> {
    let id = text(challenge, "invoice").to_owned();
    tx.set_time(tx.test_time(&id));
    let invoice = tx.require(Kind::Invoice, &id, Place::Path)?;
    let back = format!("/i/{id}");
    tx.remove(Kind::Challenge, text(challenge, "id"));
    if verdict == Verdict::Failed {
        payment::fail_authentication(tx, text(challenge, "intent"));
        return Ok((back, Attempt::Declined(NOT_AUTHENTICATED)));
    }
    let method = challenge["payment_method"].as_str().map(str::to_owned);
    let attempt = go_on(tx, &invoice, method, Authentication::Passed)?;
    Ok((back, attempt))
}

fn go_on(
    tx: &mut Tx,
    invoice: &Value,
    method: Option<String>,
    authentication: Authentication,
) -> Result<Attempt, ApiError> {
    if !matches!(text(invoice, "status"), "open" | "uncollectible") {
        return Ok(Attempt::Done);
    }
    keep(tx, invoice, method.as_deref());
    let attempt = collect::Attempt { method: method.clone(), occasion: Occasion::ByHand, authentication };
    Ok(match collect::collect(tx, invoice.clone(), &attempt) {
        Collected::Paid | Collected::Sent | Collected::NoMethod => Attempt::Done,
        Collected::Declined(decline) => Attempt::Declined(decline),
        Collected::NeedsAuthentication(intent) => {
            let challenge = ids::new("3ds_");
            let id = invoice["id"].clone();
            let value = json!({ "id": challenge, "invoice": id, "payment_method": method, "intent": intent });
            tx.put(Kind::Challenge, value);
            Attempt::Challenge(challenge)
        }
    })
}

/// A new card becomes one of the customer's, if it may.
fn keep(tx: &mut Tx, invoice: &Value, method: Option<&str>) {
    let Some(value) = method.and_then(|id| tx.copy(Kind::PaymentMethod, id)) else {
        return;
    };
    let id = text(&value, "id");
    let is_declined = matches!(payment_method::behaviour(tx, id), Behaviour::Declines(_));
    if value["customer"].is_null() && !is_declined {
        let attached = payment_method::attach(tx, id, text(invoice, "customer"));
        tx.emit("payment_method.attached", &attached);
    }
}
