//! Collecting an open invoice: with which card, the charge, and what becomes of the invoice. What it means for
//! the subscription is `standing`'s business.

use serde_json::{Value, json};

use super::cards::Decline;
use super::invoice::{self, Occasion};
use super::payment::{self, Authentication, Charged, Order, Paid};
use super::{ordered_decline, sending, standing};
use crate::state::diff::previous_attributes;
use crate::state::{Kind, Tx, number, text};

/// A try to have an invoice paid.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The card; the default one if `None`.
    pub method: Option<String>,
    pub occasion: Occasion,
    pub authentication: Authentication,
}

impl Attempt {
    /// What Stripe does by itself: nobody is there to pass a challenge.
    pub fn automatic() -> Attempt {
        Attempt { method: None, occasion: Occasion::Automatic, authentication: Authentication::OffSession }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Collected {
    Paid,
    /// Nothing was tried: the customer is sent the invoice, to pay by themself.
    Sent,
    /// There is no card.
    NoMethod,
    Declined(Decline),
    /// The intent waits for its owner.
    NeedsAuthentication(String),
}

/// Has an open invoice paid, and tells of all that comes of it.
pub fn collect(tx: &mut Tx, invoice: Value, attempt: &Attempt) -> Collected {
    if number(&invoice, "amount_remaining") == 0 {
        settle(tx, invoice, None, attempt.occasion);
        return Collected::Paid;
    }
    if attempt.occasion == Occasion::Automatic && sending::is_sent(&invoice) {
        sending::send(tx, &invoice);
        return Collected::Sent;
    }
    let Some(method) = attempt.method.clone().or_else(|| default_method(tx, &invoice)) else {
        fail(tx, invoice, attempt.occasion, None);
        return Collected::NoMethod;
    };
    let known = invoice::open_payment(tx, text(&invoice, "id"));
    let order = Order {
        customer: invoice["customer"].as_str().map(str::to_owned),
        payment_method: method,
        amount: number(&invoice, "amount_remaining"),
        currency: text(&invoice, "currency").to_owned(),
        description: description(&invoice).to_owned(),
        intent: known.map(|payment| text(&payment["payment"], "payment_intent").to_owned()),
    };
    let charged = match ordered_decline::take(tx, &invoice) {
        Some(decline) => Charged::Declined { decline, intent: payment::decline(tx, &order, decline) },
        None => payment::charge(tx, &order, attempt.authentication),
    };
    match charged {
        Charged::Paid(paid) => {
            settle(tx, invoice, Some(&paid), attempt.occasion);
            Collected::Paid
        }
        Charged::Declined { decline, intent } => {
            remember(tx, &invoice, &intent);
            fail(tx, invoice, attempt.occasion, None);
            Collected::Declined(decline)
        }
        Charged::NeedsAuthentication { intent } => {
            remember(tx, &invoice, &intent);
            fail(tx, invoice, attempt.occasion, Some("invoice.payment_action_required"));
            Collected::NeedsAuthentication(intent)
        }
    }
}

/// Marks an open invoice as paid, by a payment or outside of Stripe, and tells of it.
pub fn settle(tx: &mut Tx, mut invoice: Value, paid: Option<&Paid>, occasion: Occasion) {
    if let Some(paid) = paid {
        tx.emit("charge.succeeded", &paid.charge);
        if paid.is_new {
            tx.emit("payment_intent.created", &paid.intent);
        }
        tx.emit("payment_intent.succeeded", &paid.intent);
    }
    invoice::mark_paid(tx, &mut invoice, occasion);
    tx.put(Kind::Invoice, invoice.clone());
    if paid.is_none() {
        // Stripe cancels it; what it says why is not known.
        invoice::cancel_payment(tx, text(&invoice, "id"), "automatic");
    }
    tx.emit("invoice.paid", &invoice);
    tx.emit("invoice.payment_succeeded", &invoice);
    if let Some(paid) = paid {
        let id = text(&invoice, "id");
        let known = invoice::open_payment(tx, id);
        let mut payment =
            known.unwrap_or_else(|| invoice::payment_of(tx, &invoice, text(&paid.intent, "id")));
        invoice::mark_payment_paid(tx, &invoice, &mut payment);
        tx.put(Kind::InvoicePayment, payment.clone());
        tx.emit("invoice_payment.paid", &payment);
    }
    standing::paid(tx, &invoice);
}

/// The card that an invoice is paid with when nobody names one: its own, its subscription's, its customer's.
pub fn default_method(tx: &Tx, invoice: &Value) -> Option<String> {
    let of = |object: &Value| object["default_payment_method"].as_str().map(str::to_owned);
    let subscription = tx.find(Kind::Subscription, invoice::subscription_of(invoice));
    let customer = tx.find(Kind::Customer, text(invoice, "customer"));
    let of_customer = || customer.and_then(|customer| of(&customer["invoice_settings"]));
    of(invoice).or_else(|| subscription.and_then(|it| of(&it))).or_else(of_customer)
}

/// Ties the intent to the invoice, if it is not.
fn remember(tx: &mut Tx, invoice: &Value, intent: &str) {
    if invoice::open_payment(tx, text(invoice, "id")).is_none() {
        let payment = invoice::payment_of(tx, invoice, intent);
        tx.put(Kind::InvoicePayment, payment);
    }
}

/// Notes that the invoice was not paid, and when it is tried again.
fn fail(tx: &mut Tx, before: Value, occasion: Occasion, action: Option<&str>) {
    let mut invoice = before.clone();
    invoice::count_attempt(&mut invoice, occasion);
    if occasion == Occasion::Automatic {
        invoice["next_payment_attempt"] = json!(standing::next_attempt(tx, &invoice));
    }
    tx.put(Kind::Invoice, invoice.clone());
    if let Some(event) = action {
        tx.emit(event, &invoice);
    }
    tx.emit("invoice.payment_failed", &invoice);
    tx.emit_with("invoice.updated", &invoice, previous_attributes(&before, &invoice));
    standing::failed(tx, &invoice, occasion);
}

fn description(invoice: &Value) -> &'static str {
    match text(invoice, "billing_reason") {
        "subscription_create" => "Subscription creation",
        "manual" => "Payment for Invoice",
        _ => "Subscription update",
    }
}
