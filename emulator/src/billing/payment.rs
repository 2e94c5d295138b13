//! Charging a card: the payment intent and its charge. Failures announce themselves; a success is announced by
//! who asked for it, because Stripe tells of a purchase in an order of its own. What an intent says besides its
//! amount (`capture_method`, `metadata`, `receipt_email` and the like) its charge says too.

use serde_json::{Value, json};

use super::cards::{Behaviour, Decline, NOT_AUTHENTICATED};
use super::{intent, payment_method};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, text};

/// What is to be paid, by whom and with what.
#[derive(Clone, Debug)]
pub struct Order {
    pub customer: Option<String>,
    pub payment_method: String,
    pub amount: i64,
    pub currency: String,
    pub description: String,
    /// An intent from an earlier try, to go on with.
    pub intent: Option<String>,
}

/// Whether the card's owner is there, and has passed a 3-D Secure challenge for this payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    NotYet,
    Passed,
    /// Nobody is there.
    OffSession,
}

/// How a challenge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Failed,
}

/// A payment that succeeded.
#[derive(Clone, Debug)]
pub struct Paid {
    pub intent: Value,
    pub charge: Value,
    /// Whether `payment_intent.created` is still to be told.
    pub is_new: bool,
}

#[derive(Clone, Debug)]
pub enum Charged {
    Paid(Paid),
    Declined { decline: Decline, intent: String },
    NeedsAuthentication { intent: String },
}

/// How long an amount can be held before it is captured: seven days on most cards.
pub const HOLD: i64 = 7 * 86_400;
/// What a charge takes over from its intent.
const COPIED: &[&str] =
    &["metadata", "receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix"];

/// Charges the card as its behaviour says.
pub fn charge(tx: &mut Tx, order: &Order, authentication: Authentication) -> Charged {
    charge_with(tx, order, &Value::Null, authentication)
}

/// The same, where an intent that is new has these fields besides.
pub fn charge_with(tx: &mut Tx, order: &Order, fields: &Value, authentication: Authentication) -> Charged {
    let (intent, is_new) = open_intent(tx, order, fields);
    let outcome = payment_method::behaviour(tx, &order.payment_method);
    match (outcome, authentication) {
        (Behaviour::Declines(decline) | Behaviour::FailsToCharge(decline), _)
        | (Behaviour::AuthenticatesThenFails(decline), Authentication::Passed) => {
            let intent = decline_intent(tx, order, intent, is_new, decline);
            Charged::Declined { decline, intent }
        }
        (
            Behaviour::Authenticates | Behaviour::AuthenticatesThenFails(_),
            Authentication::NotYet | Authentication::OffSession,
        )
        | (Behaviour::AuthenticatesOnSetup, Authentication::NotYet) => {
            let next_action = json!({ "type": "use_stripe_sdk", "use_stripe_sdk": {} });
            let intent = await_authentication(tx, intent, is_new, next_action);
            Charged::NeedsAuthentication { intent }
        }
        (Behaviour::Succeeds | Behaviour::Authenticates | Behaviour::AuthenticatesOnSetup, _) => {
            Charged::Paid(settle(tx, order, intent, is_new))
        }
    }
}

/// The card is refused, whatever it would do by itself. Gives the intent's id.
pub fn decline(tx: &mut Tx, order: &Order, decline: Decline) -> String {
    let (intent, is_new) = open_intent(tx, order, &Value::Null);
    decline_intent(tx, order, intent, is_new, decline)
}

/// The intent waits for its owner to do what `next_action` says.
pub fn ask(tx: &mut Tx, order: &Order, next_action: Value) -> String {
    let (intent, is_new) = open_intent(tx, order, &Value::Null);
    await_authentication(tx, intent, is_new, next_action)
}

/// Records that the owner failed the challenge.
pub fn fail_authentication(tx: &mut Tx, intent: &str) {
    fail(tx, intent, NOT_AUTHENTICATED);
}

/// The intent fails before anything is charged, and lets go of its card.
pub fn fail(tx: &mut Tx, intent: &str, decline: Decline) {
    let Some(mut value) = tx.copy(Kind::PaymentIntent, intent) else {
        return;
    };
    let method = tx.copy(Kind::PaymentMethod, text(&value, "payment_method"));
    value["status"] = json!("requires_payment_method");
    value["next_action"] = Value::Null;
    value["last_payment_error"] = error_of(decline, None, method);
    value["payment_method"] = Value::Null;
    tx.put(Kind::PaymentIntent, value.clone());
    tx.emit("payment_intent.payment_failed", &value);
}

fn open_intent(tx: &Tx, order: &Order, fields: &Value) -> (Value, bool) {
    let known = order.intent.as_deref().and_then(|id| tx.copy(Kind::PaymentIntent, id));
    if let Some(mut intent) = known {
        intent["amount"] = json!(order.amount);
        intent["customer"] = json!(order.customer);
        intent["payment_method"] = json!(order.payment_method);
        intent["next_action"] = Value::Null;
        return (intent, false);
    }
    let mut intent = new_intent(tx, order);
    for (name, value) in fields.as_object().into_iter().flatten() {
        intent[name] = value.clone();
    }
    (intent, true)
}

fn new_intent(tx: &Tx, order: &Order) -> Value {
    let id = ids::new("pi_");
    shapes::filled(
        Shape::PaymentIntent,
        json!({
            "id": id,
            "amount": order.amount,
            "client_secret": format!("{id}_secret_{}", ids::random(25)),
            "created": tx.now(),
            "currency": order.currency,
            "customer": order.customer,
            "description": order.description,
            "payment_method": order.payment_method,
        }),
    )
}

fn settle(tx: &mut Tx, order: &Order, mut intent: Value, is_new: bool) -> Paid {
    let charge = new_charge(tx, order, &intent, None);
    if intent["capture_method"] == "manual" {
        intent["status"] = json!("requires_capture");
        intent["amount_capturable"] = json!(order.amount);
    } else {
        intent["status"] = json!("succeeded");
        intent["amount_received"] = json!(order.amount);
    }
    intent["latest_charge"] = charge["id"].clone();
    intent["last_payment_error"] = Value::Null;
    tx.put(Kind::Charge, charge.clone());
    tx.put(Kind::PaymentIntent, intent.clone());
    if intent["status"] == "requires_capture" {
        intent::hold(tx, &intent);
    }
    Paid { intent, charge, is_new }
}

fn decline_intent(tx: &mut Tx, order: &Order, mut intent: Value, is_new: bool, decline: Decline) -> String {
    if is_new {
        tx.create(Kind::PaymentIntent, intent.clone(), "payment_intent.created");
    }
    let charge = new_charge(tx, order, &intent, Some(decline));
    tx.create(Kind::Charge, charge.clone(), "charge.failed");
    intent["status"] = json!("requires_payment_method");
    intent["latest_charge"] = charge["id"].clone();
    let method = tx.copy(Kind::PaymentMethod, &order.payment_method);
    intent["last_payment_error"] = error_of(decline, charge["id"].as_str(), method);
    intent["payment_method"] = Value::Null;
    tx.put(Kind::PaymentIntent, intent.clone());
    tx.emit("payment_intent.payment_failed", &intent);
    text(&intent, "id").to_owned()
}

fn await_authentication(tx: &mut Tx, mut intent: Value, is_new: bool, next_action: Value) -> String {
    if is_new {
        tx.create(Kind::PaymentIntent, intent.clone(), "payment_intent.created");
    }
    intent["status"] = json!("requires_action");
    intent["next_action"] = next_action;
    tx.put(Kind::PaymentIntent, intent.clone());
    tx.emit("payment_intent.requires_action", &intent);
    text(&intent, "id").to_owned()
}

fn error_of(decline: Decline, charge: Option<&str>, method: Option<Value>) -> Value {
    let mut error = json!({
        "type": "card_error",
        "code": decline.code,
        "message": decline.message,
        "doc_url": format!("https://docs.stripe.com/error-codes/{}", decline.code.replace('_', "-")),
    });
    if let Some(decline_code) = decline.decline_code {
        error["decline_code"] = json!(decline_code);
    }
    if let Some(charge) = charge {
        error["charge"] = json!(charge);
    }
    if let Some(method) = method {
        error["payment_method"] = method;
    }
    error
}

fn new_charge(tx: &Tx, order: &Order, intent: &Value, decline: Option<Decline>) -> Value {
    let method = tx.copy(Kind::PaymentMethod, &order.payment_method).unwrap_or_default();
    let is_captured = decline.is_none() && intent["capture_method"] != "manual";
    let id = ids::new("ch_");
    let mut charge = shapes::filled(
        Shape::Charge,
        json!({
            "id": id,
            "amount": order.amount,
            "amount_captured": if is_captured { order.amount } else { 0 },
            "billing_details": method["billing_details"],
            "captured": is_captured,
            "created": tx.now(),
            "currency": order.currency,
            "customer": order.customer,
            "description": intent["description"],
            "failure_code": decline.map(|decline| decline.code),
            "failure_message": decline.map(|decline| decline.message),
            "outcome": outcome_of(decline),
            "paid": decline.is_none(),
            "payment_intent": intent["id"],
            "payment_method": order.payment_method,
            "payment_method_details": { "card": card_details(order, &method["card"], decline), "type": "card" },
            "status": if decline.is_none() { "succeeded" } else { "failed" },
        }),
    );
    for field in COPIED {
        charge[*field] = intent[*field].clone();
    }
    if decline.is_none() && !is_captured {
        charge["payment_method_details"]["card"]["capture_before"] = json!(tx.now() + HOLD);
    }
    charge
}

fn outcome_of(decline: Option<Decline>) -> Value {
    match decline {
        None => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
            "seller_message": "Payment complete.", "type": "authorized",
        }),
        Some(decline) if decline.decline_code == Some("fraudulent") => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "not_sent_to_network", "reason": "highest_risk_level", "risk_level": "highest",
            "seller_message": "Stripe blocked this payment as too risky.", "type": "blocked",
        }),
        Some(decline) => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "declined_by_network", "reason": decline.decline_code, "risk_level": "normal",
            "seller_message": "The bank did not accept this payment.", "type": "issuer_declined",
        }),
    }
}

fn card_details(order: &Order, card: &Value, outcome: Option<Decline>) -> Value {
    json!({
        "amount_authorized": outcome.is_none().then_some(order.amount),
        "authorization_code": null,
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "electronic_commerce_indicator": null,
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "installments": null,
        "last4": card["last4"],
        "mandate": null,
        "network": card["brand"],
        "network_transaction_id": null,
        "extended_authorization": { "status": "disabled" },
        "incremental_authorization": { "status": "unavailable" },
        "multicapture": { "status": "unavailable" },
        "network_token": { "used": false },
        "overcapture": { "maximum_amount_capturable": order.amount, "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": null,
        "transaction_link_id": null,
        "wallet": null,
    })
}
