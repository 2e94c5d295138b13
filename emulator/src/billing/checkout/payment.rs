//! Something is bought once: the page's form becomes a payment, and where that is wanted a customer and a paid
//! invoice. An amount that is only held leaves the session complete and unpaid.
//!
//! Not sure: in which order Stripe tells of it. Here it is that of a first subscription, whose log is known.

use serde_json::{Value, json};

use super::{Attempt, buyer, challenge, close, invoice, remember_intent, success_url};
use crate::billing::discount::Applied;
use crate::billing::discount::{redeem, session as discounts};
use crate::billing::payment::{self, Authentication, Charged, Order, Paid};
use crate::billing::{intent, payment_method};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

pub fn proceed(
    tx: &mut Tx,
    session: Value,
    email: Option<&str>,
    method: Option<String>,
    authentication: Authentication,
) -> Result<Attempt, ApiError> {
    let discounts = match discounts::discounts(tx, &session) {
        Ok(discounts) => discounts,
        Err(failed) => return Ok(Attempt::DiscountLost(discounts::lose(tx, session, &failed))),
    };
    if number(&session, "amount_total") == 0 {
        let session = complete(tx, session, &Bought { email, method: None, paid: None, discounts });
        return Ok(Attempt::Complete(success_url(&session)));
    }
    let method = method.ok_or_else(|| ApiError::missing_param("card_number"))?;
    let (order, fields) = order(tx, &session, &method);
    match payment::charge_with(tx, &order, &fields, authentication) {
        Charged::Paid(paid) => {
            tie(tx, &session, text(&paid.intent, "id"));
            let bought = Bought { email, method: Some(method), paid: Some(paid), discounts };
            let session = complete(tx, session, &bought);
            Ok(Attempt::Complete(success_url(&session)))
        }
        Charged::Declined { decline, intent } => {
            keep(tx, session, &intent);
            Ok(Attempt::Declined(decline))
        }
        Charged::NeedsAuthentication { intent } => {
            let session = keep(tx, session, &intent);
            Ok(challenge(tx, &session, email, Some(method), json!(intent)))
        }
    }
}

/// What is to be paid, and what a new intent says besides.
fn order(tx: &Tx, session: &Value, method: &str) -> (Order, Value) {
    let private = tx.private(Kind::CheckoutSession, text(session, "id"));
    let order = Order {
        customer: session["customer"].as_str().map(str::to_owned),
        payment_method: method.to_owned(),
        amount: number(session, "amount_total"),
        currency: text(session, "currency").to_owned(),
        description: String::new(),
        intent: private["payment_intent"].as_str().map(str::to_owned),
    };
    (order, private["payment_intent_data"].clone())
}

/// The intent of a try that failed or waits: it is the session's, and the next try goes on with it.
fn keep(tx: &mut Tx, mut session: Value, intent: &str) -> Value {
    session["payment_intent"] = json!(intent);
    let private = tx.private(Kind::CheckoutSession, text(&session, "id")).clone();
    remember_intent(tx, &session, private, intent);
    tie(tx, &session, intent);
    session
}

/// Whose intent it is, so that nobody else goes on with it.
fn tie(tx: &mut Tx, session: &Value, intent: &str) {
    intent::note(tx, intent, "checkout_session", session["id"].clone());
}

/// What a buyer did.
struct Bought<'b> {
    email: Option<&'b str>,
    method: Option<String>,
    /// `None` where nothing is due.
    paid: Option<Paid>,
    discounts: Vec<Applied>,
}

/// Everything that a finished payment changes, told in the order of a subscription's first purchase.
fn complete(tx: &mut Tx, mut session: Value, bought: &Bought) -> Value {
    let customer = wants_customer(tx, &session).then(|| buyer::ensure_customer(tx, &session, bought.email));
    let id = customer.as_ref().map(|customer| text(customer, "id").to_owned());
    let mut paid = bought.paid.clone();
    if let Some(paid) = &mut paid {
        paid.intent["customer"] = json!(id);
        paid.charge["customer"] = json!(id);
        tx.put(Kind::PaymentIntent, paid.intent.clone());
        tx.put(Kind::Charge, paid.charge.clone());
        tx.emit("charge.succeeded", &paid.charge);
    }
    let method = bought.method.as_ref().and_then(|method| tx.copy(Kind::PaymentMethod, method));
    save_card(tx, paid.as_ref(), method.as_ref(), id.as_deref());
    if let Some(before) = &customer {
        buyer::announce_customer(tx, &session, before, bought.email, method.as_ref());
    }
    let wants_invoice = session["invoice_creation"]["enabled"] == true;
    let billed = id.as_deref().filter(|_| wants_invoice);
    let billed = billed.map(|id| invoice::begin(tx, &session, id, paid.as_ref(), &bought.discounts));
    let customer = id.as_deref().and_then(|id| tx.copy(Kind::Customer, id));
    let details = buyer::details(&session, customer.as_ref(), bought.email, method.as_ref());
    finish(&mut session, paid.as_ref());
    session["customer"] = json!(id);
    session["customer_details"] = details;
    session["invoice"] = billed.as_ref().map_or(Value::Null, |billed| billed.invoice["id"].clone());
    close(tx, &session);
    if let Some(paid) = &paid {
        intent::tell(tx, paid);
    }
    match billed {
        Some(billed) => billed.announce(tx),
        None => redeem::spend(tx, &bought.discounts),
    }
    session
}

/// Whether there is somebody to keep: they were there before, or the session makes a customer of every buyer or
/// needs one.
fn wants_customer(tx: &Tx, session: &Value) -> bool {
    let data = &tx.private(Kind::CheckoutSession, text(session, "id"))["payment_intent_data"];
    !session["customer"].is_null()
        || session["customer_creation"] == "always"
        || session["invoice_creation"]["enabled"] == true
        || !data["setup_future_usage"].is_null()
}

/// A card that is to be used again becomes the customer's.
fn save_card(tx: &mut Tx, paid: Option<&Paid>, method: Option<&Value>, customer: Option<&str>) {
    let (Some(paid), Some(method), Some(customer)) = (paid, method, customer) else {
        return;
    };
    if !paid.intent["setup_future_usage"].is_null() && method["customer"].is_null() {
        let attached = payment_method::attach(tx, text(method, "id"), customer);
        tx.emit("payment_method.attached", &attached);
    }
}

fn finish(session: &mut Value, paid: Option<&Paid>) {
    let is_held = paid.is_some_and(|paid| paid.intent["status"] == "requires_capture");
    session["status"] = json!("complete");
    session["payment_status"] = json!(match paid {
        None => "no_payment_required",
        Some(_) if is_held => "unpaid",
        Some(_) => "paid",
    });
    session["url"] = Value::Null;
    session["payment_intent"] = paid.map_or(Value::Null, |paid| paid.intent["id"].clone());
}
