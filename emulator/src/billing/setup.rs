//! Setting up a card for later, without a charge: the setup intent and its attempts. A card that is refused
//! leaves the intent open for another one; a success gives the card to the intent's customer.
//!
//! Not sure: what `next_action` holds for a card that needs 3-D Secure. Stripe's own scripts read it; here it has
//! the address of the challenge, and with a `return_url` it is a `redirect_to_url`.

use serde_json::{Value, json};

use super::cards::{Behaviour, Decline};
use super::payment::{Authentication, Verdict};
use super::{challenge, payment_method};
use crate::error::{ApiError, Place};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, text};

/// The answer when the owner fails the 3-D Secure challenge.
pub const NOT_SET_UP: Decline = Decline {
    code: "setup_intent_authentication_failure",
    decline_code: None,
    message: "We are unable to authenticate your payment method. Please choose a different payment method and try \
              again.",
};

/// What a new setup intent is for.
#[derive(Clone, Debug)]
pub struct Plan {
    pub customer: Option<String>,
    pub payment_method: Option<String>,
    pub description: Value,
    pub metadata: Value,
    /// `off_session` or `on_session`.
    pub usage: String,
}

/// What became of an attempt, with the intent as it is now.
#[derive(Clone, Debug)]
pub enum Attempted {
    Succeeded(Value),
    /// The card as it was tried, because the intent has let go of it.
    Declined {
        intent: Value,
        decline: Decline,
        method: Value,
    },
    /// The id of the challenge.
    Challenge {
        intent: Value,
        challenge: String,
    },
}

/// A new intent. It is not stored.
pub fn build(tx: &Tx, plan: Plan) -> Value {
    let id = ids::new("seti_");
    let status =
        if plan.payment_method.is_some() { "requires_confirmation" } else { "requires_payment_method" };
    shapes::filled(
        Shape::SetupIntent,
        json!({
            "id": id,
            "client_secret": format!("{id}_secret_{}", ids::random(30)),
            "created": tx.now(),
            "customer": plan.customer,
            "description": plan.description,
            "metadata": plan.metadata,
            "payment_method": plan.payment_method,
            "status": status,
            "usage": plan.usage,
        }),
    )
}

/// Tries the intent's card. `notes` go into the challenge, for whoever goes on after it.
pub fn confirm(tx: &mut Tx, mut intent: Value, authentication: Authentication, notes: Value) -> Attempted {
    let method = text(&intent, "payment_method").to_owned();
    intent["next_action"] = Value::Null;
    match (payment_method::behaviour(tx, &method), authentication) {
        (Behaviour::Declines(decline), _) => fail(tx, intent, decline),
        (behaviour, Authentication::NotYet) if behaviour.asks_owner() => challenge(tx, intent, notes),
        _ => Attempted::Succeeded(succeed(tx, intent)),
    }
}

/// The owner passed or failed the challenge, which is used up; an intent that went on without it is left alone.
pub fn conclude(tx: &mut Tx, challenge: &Value, verdict: Verdict) -> Result<Attempted, ApiError> {
    let challenge_id = text(challenge, "id");
    tx.remove(Kind::Challenge, challenge_id);
    let mut intent = tx.require(Kind::SetupIntent, text(challenge, "setup_intent"), Place::Path)?;
    intent["next_action"] = Value::Null;
    let is_waiting =
        intent["status"] == "requires_action" && intent["payment_method"] == challenge["payment_method"];
    match verdict {
        _ if !is_waiting => Err(ApiError::no_such(Kind::Challenge, challenge_id, Place::Path)),
        Verdict::Passed => Ok(Attempted::Succeeded(succeed(tx, intent))),
        Verdict::Failed => Ok(fail(tx, intent, NOT_SET_UP)),
    }
}

fn succeed(tx: &mut Tx, mut intent: Value) -> Value {
    attempt(tx, &mut intent, "succeeded", Value::Null);
    intent["status"] = json!("succeeded");
    intent["last_setup_error"] = Value::Null;
    let (method, customer) =
        (text(&intent, "payment_method").to_owned(), text(&intent, "customer").to_owned());
    let is_free = tx.find(Kind::PaymentMethod, &method).is_some_and(|method| method["customer"].is_null());
    if is_free && !customer.is_empty() {
        let attached = payment_method::attach(tx, &method, &customer);
        tx.emit("payment_method.attached", &attached);
    }
    tx.put(Kind::SetupIntent, intent.clone());
    tx.emit("setup_intent.succeeded", &intent);
    intent
}

fn fail(tx: &mut Tx, mut intent: Value, decline: Decline) -> Attempted {
    let method = tx.copy(Kind::PaymentMethod, text(&intent, "payment_method")).unwrap_or_default();
    let error = error_of(decline, &method);
    attempt(tx, &mut intent, "failed", error.clone());
    intent["status"] = json!("requires_payment_method");
    intent["payment_method"] = Value::Null;
    intent["last_setup_error"] = error;
    tx.put(Kind::SetupIntent, intent.clone());
    tx.emit("setup_intent.setup_failed", &intent);
    Attempted::Declined { intent, decline, method }
}

fn challenge(tx: &mut Tx, mut intent: Value, notes: Value) -> Attempted {
    attempt(tx, &mut intent, "requires_action", Value::Null);
    let (id, next_action) = challenge::open(tx, notes["return_url"].as_str());
    intent["status"] = json!("requires_action");
    intent["next_action"] = next_action;
    let mut challenge = notes;
    challenge["id"] = json!(id);
    challenge["setup_intent"] = intent["id"].clone();
    challenge["payment_method"] = intent["payment_method"].clone();
    tx.put(Kind::Challenge, challenge);
    tx.put(Kind::SetupIntent, intent.clone());
    tx.emit("setup_intent.requires_action", &intent);
    Attempted::Challenge { intent, challenge: id }
}

/// Records an attempt, or how the one that waited for its owner ended.
fn attempt(tx: &mut Tx, intent: &mut Value, status: &str, error: Value) {
    let waiting = intent["status"] == "requires_action";
    let known = tx.copy(Kind::SetupAttempt, text(intent, "latest_attempt")).filter(|_| waiting);
    let known = known.filter(|known| known["payment_method"] == intent["payment_method"]);
    let mut value = known.unwrap_or_else(|| new_attempt(tx, intent));
    value["status"] = json!(status);
    value["setup_error"] = error;
    intent["latest_attempt"] = value["id"].clone();
    tx.put(Kind::SetupAttempt, value);
}

fn new_attempt(tx: &Tx, intent: &Value) -> Value {
    let method = tx.copy(Kind::PaymentMethod, text(intent, "payment_method")).unwrap_or_default();
    let mut card = json!({ "network": method["card"]["brand"], "three_d_secure": null, "wallet": null });
    for field in ["brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4"] {
        card[field] = method["card"][field].clone();
    }
    json!({
        "id": ids::new("setatt_"),
        "object": "setup_attempt",
        "application": null,
        "created": tx.now(),
        "customer": intent["customer"],
        "customer_account": null,
        "flow_directions": null,
        "livemode": false,
        "on_behalf_of": null,
        "payment_method": intent["payment_method"],
        "payment_method_details": { "card": card, "type": "card" },
        "setup_intent": intent["id"],
        "usage": intent["usage"],
    })
}

/// A setup intent's error says a `decline_code` even where a charge's has none.
fn error_of(decline: Decline, method: &Value) -> Value {
    let mut error = json!({
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code.unwrap_or(decline.code),
        "doc_url": format!("https://docs.stripe.com/error-codes/{}", decline.code.replace('_', "-")),
        "message": decline.message,
        "payment_method": method,
    });
    if decline.code == "expired_card" {
        error["param"] = json!("exp_month");
    }
    error
}
