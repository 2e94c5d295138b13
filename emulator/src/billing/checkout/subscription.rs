//! A subscription is bought: the page's form becomes a customer, a subscription with its first invoice and a
//! payment. What is sold once beside it is on that invoice.

use serde_json::{Value, json};

use super::{Attempt, buyer, challenge, close, lines, remember_intent, success_url};
use crate::billing::cards::{Behaviour, Decline};
use crate::billing::discount::redeem::Failed;
use crate::billing::discount::session as discounts;
use crate::billing::payment::{self, Authentication, Charged, Order, Paid};
use crate::billing::payment_method;
use crate::billing::purchase::{self, Settlement};
use crate::billing::subscription::Draft;
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

pub fn proceed(
    tx: &mut Tx,
    session: Value,
    email: Option<&str>,
    method: Option<String>,
    authentication: Authentication,
) -> Result<Attempt, ApiError> {
    let draft = match draft(tx, &session, method.clone()) {
        Ok(draft) => draft,
        Err(failed) => return Ok(Attempt::DiscountLost(discounts::lose(tx, session, &failed))),
    };
    let paid = match pay_today(tx, &session, &draft, method.as_deref(), authentication) {
        Today::Nothing => None,
        Today::Paid(paid) => Some(paid),
        Today::Declined(decline) => return Ok(Attempt::Declined(decline)),
        Today::NeedsAuthentication(intent) => {
            return Ok(challenge(tx, &session, email, method, json!(intent)));
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
            (behaviour, Authentication::NotYet) if behaviour.asks_owner() => Today::NeedsAuthentication(None),
            _ => Today::Nothing,
        };
    }
    let private = tx.private(Kind::CheckoutSession, text(session, "id")).clone();
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

/// Everything that a finished checkout changes, told in the order of a real first purchase.
fn complete(
    tx: &mut Tx,
    mut session: Value,
    mut draft: Draft,
    email: Option<&str>,
    method: Option<String>,
    mut paid: Option<Paid>,
) -> Value {
    let customer_before = buyer::ensure_customer(tx, &session, email);
    let customer = text(&customer_before, "id").to_owned();
    draft.customer.clone_from(&customer);
    if let Some(paid) = &mut paid {
        paid.intent["customer"] = json!(customer);
        paid.charge["customer"] = json!(customer);
        tx.put(Kind::PaymentIntent, paid.intent.clone());
        tx.put(Kind::Charge, paid.charge.clone());
    }
    let is_new_card =
        |id: &String| tx.find(Kind::PaymentMethod, id).is_some_and(|it| it["customer"].is_null());
    let is_new_card = method.as_ref().is_some_and(is_new_card);
    let method = method.map(|id| payment_method::attach(tx, &id, &customer));
    let purchase = purchase::begin(tx, &draft, Settlement::Paid(paid));
    purchase.announce_charge(tx);
    if let Some(method) = method.as_ref().filter(|_| is_new_card) {
        tx.emit("payment_method.attached", method);
    }
    buyer::announce_customer(tx, &session, &customer_before, email, method.as_ref());
    finish(tx, &mut session, &customer, method.as_ref(), &purchase.subscription, &purchase.invoice);
    close(tx, &session);
    purchase.announce(tx);
    session
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
    session["customer_details"] = buyer::details(session, Some(&customer_now), None, method);
}
