//! A buyer pays on the hosted checkout page. All of it is one transaction, and a session that is complete only
//! gives its redirect again: however often the form is sent, it buys once. A refused card leaves the session
//! open and makes no subscription.

use serde_json::{Value, json};

use super::cards::{Behaviour, Decline, NOT_AUTHENTICATED};
use super::discount::redeem::Failed;
use super::discount::session as discounts;
use super::payment::{self, Authentication, Charged, Order, Paid, Verdict};
use super::payment_method::{self, CardDetails};
use super::purchase::{self, Settlement};
use super::subscription::{Beginning, Draft, Line};
use crate::error::{ApiError, Place};
use crate::state::diff::previous_attributes;
use crate::state::{Kind, Tx, ids, number, text};

/// What the page's form says.
#[derive(Clone, Debug)]
pub struct Buyer {
    /// Only asked for when the session knows no e-mail.
    pub email: Option<String>,
    /// `None` where no card is needed.
    pub card: Option<CardDetails>,
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

/// The buyer pressed "Subscribe".
pub fn pay(tx: &mut Tx, session_id: &str, buyer: &Buyer) -> Result<Attempt, ApiError> {
    tx.set_time(tx.test_time(session_id));
    let session = tx.require(Kind::CheckoutSession, session_id, Place::Path)?;
    if let Some(closed) = closed(&session) {
        return Ok(closed);
    }
    let method = buyer.card.as_ref().map(|card| {
        let method = payment_method::create(tx, card, json!({}));
        text(&method, "id").to_owned()
    });
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
        payment::fail_authentication(tx, text(&challenge, "intent"));
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

/// The lines that a session sells, with their prices as they are now.
pub fn lines(tx: &Tx, session_id: &str) -> Vec<Line> {
    let items = tx.private(Kind::CheckoutSession, session_id)["line_items"].as_array();
    let line = |item: &Value| {
        let price = tx.copy(Kind::Price, text(&item["price"], "id"));
        Line::new(price.unwrap_or_else(|| item["price"].clone()), number(item, "quantity"))
    };
    items.into_iter().flatten().map(line).collect()
}

pub fn closed(session: &Value) -> Option<Attempt> {
    match text(session, "status") {
        "complete" => Some(Attempt::Complete(success_url(session))),
        "expired" => Some(Attempt::Expired),
        _ => None,
    }
}

fn proceed(
    tx: &mut Tx,
    session: Value,
    email: Option<&str>,
    method: Option<String>,
    authentication: Authentication,
) -> Result<Attempt, ApiError> {
    let session_id = text(&session, "id").to_owned();
    let draft = match draft(tx, &session, method.clone()) {
        Ok(draft) => draft,
        Err(failed) => return Ok(Attempt::DiscountLost(discounts::lose(tx, session, &failed))),
    };
    let paid = match pay_today(tx, &session, &draft, method.as_deref(), authentication) {
        Today::Nothing => None,
        Today::Paid(paid) => Some(paid),
        Today::Declined(decline) => return Ok(Attempt::Declined(decline)),
        Today::NeedsAuthentication(intent) => {
            let challenge = ids::new("3ds_");
            let value = json!({
                "id": challenge, "session": session_id, "payment_method": method, "email": email, "intent": intent,
            });
            tx.put(Kind::Challenge, value);
            return Ok(Attempt::Challenge(challenge));
        }
    };
    let session = complete(tx, session, draft, email, method, paid);
    Ok(Attempt::Complete(success_url(&session)))
}

fn draft(tx: &Tx, session: &Value, method: Option<String>) -> Result<Draft, Failed> {
    let private = tx.private(Kind::CheckoutSession, text(session, "id"));
    let data = &private["subscription_data"];
    let trial_days = data["trial_period_days"].as_i64().map(|days| tx.now() + days * 86_400);
    let missing = data["missing_payment_method"].as_str().unwrap_or("create_invoice");
    Ok(Draft {
        customer: text(session, "customer").to_owned(),
        lines: lines(tx, text(session, "id")),
        trial_end: data["trial_end"].as_i64().or(trial_days),
        metadata: if data["metadata"].is_object() { data["metadata"].clone() } else { json!({}) },
        description: data["description"].clone(),
        default_payment_method: method,
        missing_payment_method: missing.to_owned(),
        billing_reason: "subscription_create",
        discounts: discounts::discounts(tx, session)?,
        beginning: Beginning::in_mode(&data["billing_mode"]),
    })
}

enum Today {
    Nothing,
    Paid(Paid),
    Declined(Decline),
    NeedsAuthentication(Option<String>),
}

fn pay_today(
    tx: &mut Tx,
    session: &Value,
    draft: &Draft,
    method: Option<&str>,
    authentication: Authentication,
) -> Today {
    let Some(method) = method else {
        return Today::Nothing;
    };
    if purchase::due_today(tx, draft, text(session, "customer")) == 0 {
        return match (payment_method::behaviour(tx, method), authentication) {
            (Behaviour::Declines(decline), _) => Today::Declined(decline),
            (Behaviour::Authenticates | Behaviour::AuthenticatesOnSetup, Authentication::NotYet) => {
                Today::NeedsAuthentication(None)
            }
            _ => Today::Nothing,
        };
    }
    let id = text(session, "id");
    let private = tx.private(Kind::CheckoutSession, id).clone();
    let order = Order {
        customer: session["customer"].as_str().map(str::to_owned),
        payment_method: method.to_owned(),
        amount: purchase::due_today(tx, draft, text(session, "customer")),
        currency: draft.currency().to_owned(),
        description: "Subscription creation".to_owned(),
        intent: private["payment_intent"].as_str().map(str::to_owned),
    };
    match payment::charge(tx, &order, authentication) {
        Charged::Paid(paid) => Today::Paid(paid),
        Charged::Declined { decline, intent } => {
            remember_intent(tx, session, private, &intent);
            Today::Declined(decline)
        }
        Charged::NeedsAuthentication { intent } => {
            remember_intent(tx, session, private, &intent);
            Today::NeedsAuthentication(Some(intent))
        }
    }
}

/// The next try goes on with the same intent, as at Stripe.
fn remember_intent(tx: &mut Tx, session: &Value, mut private: Value, intent: &str) {
    private["payment_intent"] = json!(intent);
    tx.put_with(Kind::CheckoutSession, text(session, "id"), session.clone(), private);
}

/// Everything that a finished checkout changes, told in the order of a real first purchase.
fn complete(
    tx: &mut Tx,
    mut session: Value,
    mut draft: Draft,
    email: Option<&str>,
    method: Option<String>,
    mut paid: Option<Paid>,
) -> Value {
    let customer_before = ensure_customer(tx, &session, email);
    let customer = text(&customer_before, "id").to_owned();
    draft.customer.clone_from(&customer);
    if let Some(paid) = &mut paid {
        paid.intent["customer"] = json!(customer);
        paid.charge["customer"] = json!(customer);
        tx.put(Kind::PaymentIntent, paid.intent.clone());
        tx.put(Kind::Charge, paid.charge.clone());
    }
    let method = method.map(|id| payment_method::attach(tx, &id, &customer));
    let purchase = purchase::begin(tx, &draft, Settlement::Paid(paid));
    purchase.announce_charge(tx);
    if let Some(method) = &method {
        tx.emit("payment_method.attached", method);
    }
    announce_customer(tx, &session, &customer_before, email, method.as_ref());
    finish(tx, &mut session, &customer, method.as_ref(), &purchase.subscription, &purchase.invoice);
    tx.put(Kind::CheckoutSession, session.clone());
    tx.emit("checkout.session.completed", &session);
    purchase.announce(tx);
    session
}

/// The session's customer, or a new one made from what the buyer typed.
fn ensure_customer(tx: &mut Tx, session: &Value, email: Option<&str>) -> Value {
    if let Some(customer) = tx.copy(Kind::Customer, text(session, "customer")) {
        return customer;
    }
    let email = session["customer_email"].as_str().or(email).map_or(Value::Null, |email| json!(email));
    let customer = super::customer::build(tx, email);
    tx.put(Kind::Customer, customer.clone());
    customer
}

/// Keeps what checkout learned about the customer: an e-mail they lacked, and their name where that is wanted.
fn announce_customer(
    tx: &mut Tx,
    session: &Value,
    before: &Value,
    email: Option<&str>,
    method: Option<&Value>,
) {
    let id = text(before, "id").to_owned();
    let mut customer = tx.copy(Kind::Customer, &id).unwrap_or_default();
    let name = method.map(|method| method["billing_details"]["name"].clone()).unwrap_or_default();
    let may_rename =
        tx.private(Kind::CheckoutSession, text(session, "id"))["customer_update"]["name"] == "auto";
    let is_new = session["customer"].is_null();
    if (may_rename || is_new) && !name.is_null() {
        customer["name"] = name;
    }
    if customer["email"].is_null() {
        customer["email"] = json!(email);
    }
    tx.put(Kind::Customer, customer.clone());
    if is_new {
        tx.emit("customer.created", before);
    }
    if let Some(previous) = previous_attributes(before, &customer) {
        tx.emit_with("customer.updated", &customer, Some(previous));
    }
}

fn finish(
    tx: &Tx,
    session: &mut Value,
    customer: &str,
    method: Option<&Value>,
    subscription: &Value,
    invoice: &Value,
) {
    let customer_now = tx.copy(Kind::Customer, customer).unwrap_or_default();
    session["status"] = json!("complete");
    let nothing_due = number(session, "amount_total") == 0;
    session["payment_status"] = json!(if nothing_due { "no_payment_required" } else { "paid" });
    session["url"] = Value::Null;
    session["customer"] = json!(customer);
    session["subscription"] = subscription["id"].clone();
    session["invoice"] = invoice["id"].clone();
    session["customer_details"] = json!({
        "address": method.map(|method| method["billing_details"]["address"].clone()),
        "business_name": null,
        "email": customer_now["email"],
        "individual_name": null,
        "name": method.map_or(customer_now["name"].clone(), |method| method["billing_details"]["name"].clone()),
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    });
}
