//! Payment intents that a shop makes and confirms itself, and those of invoices where somebody confirms them: from
//! the first try over a 3-D Secure challenge to the money, held or taken. Who may do what in which state is the
//! API's business.
//!
//! Not sure: that a try which fails because of `error_on_requires_action` leaves no charge; what an amount that is
//! captured in part does to `amount_refunded` (here nothing: the rest is let go); that an intent which is canceled
//! while an amount is held leaves no refund object.

use serde_json::{Value, json};

use super::cards::{AUTHENTICATION_REQUIRED, Behaviour, Decline, NOT_AUTHENTICATED, NOT_HANDLED};
use super::collect::{self, Collected};
use super::invoice::{self, Occasion};
use super::payment::{self, Authentication, Charged, Order, Paid, Verdict};
use super::{challenge, payment_method};
use crate::error::{ApiError, Place};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// How an intent is confirmed.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Nobody is there to pass a challenge.
    pub off_session: bool,
    /// Better no payment than one that waits for a challenge.
    pub error_on_requires_action: bool,
    /// Where the owner comes back to after a challenge.
    pub return_url: Option<String>,
}

/// What became of a try.
#[derive(Clone, Debug)]
pub enum Confirmed {
    /// Paid, held, or waiting for its owner: the intent as it is now.
    Done(Value),
    /// The card as it was tried, because the intent has let go of it.
    Declined { intent: Value, decline: Decline, method: Value },
}

/// A new intent over an amount. It is not stored.
pub fn build(tx: &Tx, amount: i64, currency: &str) -> Value {
    let id = ids::new("pi_");
    let mut intent = shapes::filled(
        Shape::PaymentIntent,
        json!({
            "id": id,
            "amount": amount,
            "client_secret": format!("{id}_secret_{}", ids::random(25)),
            "created": tx.now(),
            "currency": currency,
            "customer": null,
            "description": null,
            "payment_method": null,
        }),
    );
    intent["setup_future_usage"] = Value::Null;
    intent["capture_method"] = json!("automatic_async");
    intent["status"] = json!("requires_payment_method");
    intent
}

/// Tries the intent's card.
pub fn confirm(tx: &mut Tx, intent: &Value, terms: &Terms) -> Confirmed {
    let order = order(intent);
    let method = tx.copy(Kind::PaymentMethod, &order.payment_method).unwrap_or_default();
    let refused = match payment_method::behaviour(tx, &order.payment_method) {
        Behaviour::Authenticates | Behaviour::AuthenticatesThenFails(_) if terms.off_session => {
            payment::decline(tx, &order, AUTHENTICATION_REQUIRED);
            AUTHENTICATION_REQUIRED
        }
        Behaviour::AuthenticatesOnSetup if terms.off_session => return go_on(tx, intent, &order, &method),
        behaviour if behaviour.asks_owner() && terms.error_on_requires_action => {
            tx.put(Kind::PaymentIntent, intent.clone());
            payment::fail(tx, text(intent, "id"), NOT_HANDLED);
            NOT_HANDLED
        }
        behaviour if behaviour.asks_owner() => {
            tx.put(Kind::PaymentIntent, intent.clone());
            ask(tx, &order, terms.return_url.as_deref());
            return Confirmed::Done(stored(tx, intent));
        }
        _ => return go_on(tx, intent, &order, &method),
    };
    Confirmed::Declined { intent: stored(tx, intent), decline: refused, method }
}

/// The owner passed or failed the challenge, which is used up. One that is not waited for any more is gone.
pub fn conclude(tx: &mut Tx, challenge: &Value, verdict: Verdict) -> Result<Confirmed, ApiError> {
    let (id, intent) = (text(challenge, "id"), text(challenge, "payment_intent").to_owned());
    tx.remove(Kind::Challenge, id);
    tx.set_time(tx.test_time(&intent));
    let is_waiting = tx.private(Kind::PaymentIntent, &intent)["challenge"] == *id;
    let intent = tx.require(Kind::PaymentIntent, &intent, Place::Path)?;
    if !is_waiting || intent["status"] != "requires_action" {
        return Err(ApiError::no_such(Kind::Challenge, id, Place::Path));
    }
    let method = tx.copy(Kind::PaymentMethod, text(&intent, "payment_method")).unwrap_or_default();
    if verdict == Verdict::Failed {
        payment::fail_authentication(tx, text(&intent, "id"));
        return Ok(Confirmed::Declined { intent: stored(tx, &intent), decline: NOT_AUTHENTICATED, method });
    }
    let order = order(&intent);
    Ok(go_on(tx, &intent, &order, &method))
}

/// The open invoice that an intent is to pay.
pub fn invoice_of(tx: &Tx, intent: &Value) -> Option<Value> {
    let invoices = tx.of_customer(Kind::Invoice, text(intent, "customer"));
    invoices.into_iter().filter(|invoice| matches!(text(invoice, "status"), "open" | "uncollectible")).find(
        |invoice| {
            let payment = invoice::open_payment(tx, text(invoice, "id"));
            payment.is_some_and(|payment| payment["payment"]["payment_intent"] == intent["id"])
        },
    )
}

/// Takes an amount that was held, or a part of it, and lets the rest go.
pub fn capture(tx: &mut Tx, mut intent: Value, amount: i64) -> Value {
    if let Some(mut charge) = tx.copy(Kind::Charge, text(&intent, "latest_charge")) {
        charge["captured"] = json!(true);
        charge["amount_captured"] = json!(amount);
        for field in ["statement_descriptor", "statement_descriptor_suffix", "metadata"] {
            charge[field] = intent[field].clone();
        }
        tx.put(Kind::Charge, charge.clone());
        tx.emit("charge.captured", &charge);
    }
    intent["status"] = json!("succeeded");
    intent["amount_capturable"] = json!(0);
    intent["amount_received"] = json!(amount);
    tx.put(Kind::PaymentIntent, intent.clone());
    tx.emit("payment_intent.succeeded", &intent);
    // Not sure: that the session of an amount that was held is paid from then on, and that no event tells of it.
    let session = text(tx.private(Kind::PaymentIntent, text(&intent, "id")), "checkout_session").to_owned();
    if let Some(mut session) = tx.copy(Kind::CheckoutSession, &session) {
        session["payment_status"] = json!("paid");
        tx.put(Kind::CheckoutSession, session);
    }
    intent
}

/// Notes until when an amount is held, by which clock.
pub fn hold(tx: &mut Tx, intent: &Value) {
    let id = text(intent, "id");
    let clock = tx.find(Kind::Customer, text(intent, "customer"));
    let clock = clock.map_or(Value::Null, |customer| customer["test_clock"].clone());
    note(tx, id, "test_clock", clock);
    note(tx, id, "capture_before", json!(tx.now() + payment::HOLD));
}

/// An amount that was held too long is let go. Not sure: the reason.
pub fn expire(tx: &mut Tx, intent: Value) {
    if let Some(mut charge) = tx.copy(Kind::Charge, text(&intent, "latest_charge")) {
        charge["amount_refunded"] = charge["amount"].clone();
        charge["refunded"] = json!(true);
        tx.put(Kind::Charge, charge.clone());
        tx.emit("charge.expired", &charge);
    }
    end(tx, intent, Some("automatic"));
}

/// Ends an intent that is not paid. An amount that was held is let go.
pub fn cancel(tx: &mut Tx, intent: Value, reason: Option<&str>) -> Value {
    if intent["status"] == "requires_capture"
        && let Some(mut charge) = tx.copy(Kind::Charge, text(&intent, "latest_charge"))
    {
        charge["amount_refunded"] = charge["amount"].clone();
        charge["refunded"] = json!(true);
        tx.update(Kind::Charge, charge, "charge.refunded");
    }
    end(tx, intent, reason)
}

fn end(tx: &mut Tx, mut intent: Value, reason: Option<&str>) -> Value {
    intent["status"] = json!("canceled");
    intent["canceled_at"] = json!(tx.now());
    intent["cancellation_reason"] = json!(reason);
    intent["amount_capturable"] = json!(0);
    intent["next_action"] = Value::Null;
    tx.put(Kind::PaymentIntent, intent.clone());
    tx.emit("payment_intent.canceled", &intent);
    intent
}

/// Tells of a payment, taken or held, whose charge was told of.
pub fn tell(tx: &mut Tx, paid: &Paid) {
    if paid.is_new {
        tx.emit("payment_intent.created", &paid.intent);
    }
    let is_held = paid.intent["status"] == "requires_capture";
    let event = if is_held { "payment_intent.amount_capturable_updated" } else { "payment_intent.succeeded" };
    tx.emit(event, &paid.intent);
}

fn order(intent: &Value) -> Order {
    Order {
        customer: intent["customer"].as_str().map(str::to_owned),
        payment_method: text(intent, "payment_method").to_owned(),
        amount: number(intent, "amount"),
        currency: text(intent, "currency").to_owned(),
        description: text(intent, "description").to_owned(),
        intent: intent["id"].as_str().map(str::to_owned),
    }
}

fn stored(tx: &Tx, intent: &Value) -> Value {
    tx.copy(Kind::PaymentIntent, text(intent, "id")).unwrap_or_default()
}

/// Nothing stands between the card and its charge any more.
fn go_on(tx: &mut Tx, intent: &Value, order: &Order, method: &Value) -> Confirmed {
    tx.put(Kind::PaymentIntent, intent.clone());
    let refused = match invoice_of(tx, intent) {
        Some(invoice) => pay_invoice(tx, invoice, intent, method),
        None => pay(tx, intent, order, method),
    };
    match refused {
        None => Confirmed::Done(stored(tx, intent)),
        Some(decline) => Confirmed::Declined { intent: stored(tx, intent), decline, method: method.clone() },
    }
}

/// Why there is no money, if there is none.
fn pay(tx: &mut Tx, intent: &Value, order: &Order, method: &Value) -> Option<Decline> {
    match payment::charge(tx, order, Authentication::Passed) {
        Charged::Paid(paid) => {
            tx.emit("charge.succeeded", &paid.charge);
            keep(tx, intent, method);
            tell(tx, &paid);
            None
        }
        Charged::Declined { decline, .. } => Some(decline),
        Charged::NeedsAuthentication { .. } => Some(NOT_AUTHENTICATED),
    }
}

fn pay_invoice(tx: &mut Tx, invoice: Value, intent: &Value, method: &Value) -> Option<Decline> {
    if !matches!(payment_method::behaviour(tx, text(method, "id")), Behaviour::Declines(_)) {
        keep(tx, intent, method);
    }
    let attempt = collect::Attempt {
        method: method["id"].as_str().map(str::to_owned),
        occasion: Occasion::ByHand,
        authentication: Authentication::Passed,
    };
    match collect::collect(tx, invoice, &attempt) {
        Collected::Declined(decline) => Some(decline),
        Collected::NeedsAuthentication(_) => Some(NOT_AUTHENTICATED),
        Collected::Paid | Collected::Sent | Collected::NoMethod => None,
    }
}

/// A card that is to be used again becomes one of the customer's.
fn keep(tx: &mut Tx, intent: &Value, method: &Value) {
    let customer = text(intent, "customer");
    if !intent["setup_future_usage"].is_null() && method["customer"].is_null() && !customer.is_empty() {
        let attached = payment_method::attach(tx, text(method, "id"), customer);
        tx.emit("payment_method.attached", &attached);
    }
}

/// Opens a challenge.
fn ask(tx: &mut Tx, order: &Order, return_url: Option<&str>) {
    let (id, next_action) = challenge::open(tx, return_url);
    let intent = payment::ask(tx, order, next_action);
    let challenge = json!({
        "id": id, "payment_intent": intent, "payment_method": order.payment_method, "return_url": return_url,
    });
    tx.put(Kind::Challenge, challenge);
    note(tx, &intent, "challenge", json!(id));
}

/// Remembers something beside the intent.
pub fn note(tx: &mut Tx, intent: &str, name: &str, value: Value) {
    let Some(stored) = tx.copy(Kind::PaymentIntent, intent) else {
        return;
    };
    let mut notes = tx.private(Kind::PaymentIntent, intent).clone();
    if notes.is_null() {
        notes = json!({});
    }
    notes[name] = value;
    tx.put_with(Kind::PaymentIntent, intent, stored, notes);
}
