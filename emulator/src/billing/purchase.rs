//! A subscription begins: the subscription, its first invoice and the record of the payment, stored together.
//! `announce` tells of them in the order in which Stripe does.

use serde_json::{Value, json};

use super::invoice;
use super::payment::Paid;
use super::subscription::{self, Draft};
use crate::state::{Kind, Tx, text};

/// Everything that came to be, with the invoice as it was in each of its states.
pub struct Purchase {
    pub subscription: Value,
    pub draft_invoice: Value,
    pub open_invoice: Value,
    /// The invoice as it is now.
    pub invoice: Value,
    paid: Option<Paid>,
    invoice_payment: Option<Value>,
}

/// How the first invoice fares.
pub enum Settlement {
    /// Paid with this payment, or without one because nothing is due.
    Paid(Option<Paid>),
    /// It stays open, for this intent to pay it.
    Unpaid { intent: Option<String>, attempted: bool },
}

/// Stores a new subscription and its first invoice, and tells no one yet.
pub fn begin(tx: &mut Tx, draft: &Draft, settlement: Settlement) -> Purchase {
    let status = match (&settlement, draft.trial_end) {
        (_, Some(_)) => "trialing",
        (Settlement::Paid(_), None) => "active",
        (Settlement::Unpaid { .. }, None) => "incomplete",
    };
    let mut subscription = subscription::build(tx, draft, status);
    let draft_invoice = invoice::draft(tx, draft, &subscription);
    let mut now = draft_invoice.clone();
    invoice::finalize(tx, &mut now);
    let open_invoice = now.clone();
    let (paid, intent) = match settlement {
        Settlement::Paid(paid) => {
            invoice::mark_paid(tx, &mut now);
            let intent = paid.as_ref().map(|paid| text(&paid.intent, "id").to_owned());
            (paid, intent)
        }
        Settlement::Unpaid { intent, attempted } => {
            now["attempted"] = json!(attempted);
            now["attempt_count"] = json!(i64::from(attempted));
            (None, intent)
        }
    };
    let invoice_payment = intent.map(|intent| invoice::payment_of(tx, &now, &intent));
    subscription["latest_invoice"] = now["id"].clone();
    tx.put(Kind::Subscription, subscription.clone());
    tx.put(Kind::Invoice, now.clone());
    if let Some(payment) = &invoice_payment {
        tx.put(Kind::InvoicePayment, payment.clone());
    }
    set_currency(tx, draft);
    Purchase { subscription, draft_invoice, open_invoice, invoice: now, paid, invoice_payment }
}

impl Purchase {
    /// The charge, before anything else.
    pub fn announce_charge(&self, tx: &mut Tx) {
        if let Some(paid) = &self.paid {
            tx.emit("charge.succeeded", &paid.charge);
        }
    }

    /// The subscription, the payment intent and the invoice.
    pub fn announce(&self, tx: &mut Tx) {
        tx.emit("customer.subscription.created", &self.subscription);
        if let Some(paid) = &self.paid {
            if paid.is_new {
                tx.emit("payment_intent.created", &paid.intent);
            }
            tx.emit("payment_intent.succeeded", &paid.intent);
        }
        tx.emit("invoice.created", &self.draft_invoice);
        tx.emit("invoice.finalized", &self.open_invoice);
        if self.invoice["status"] == "paid" {
            tx.emit("invoice.paid", &self.invoice);
            tx.emit("invoice.payment_succeeded", &self.invoice);
            if let Some(payment) = &self.invoice_payment {
                tx.emit("invoice_payment.paid", payment);
            }
        }
    }
}

/// A customer's currency is that of the first thing they are billed for.
fn set_currency(tx: &mut Tx, draft: &Draft) {
    if let Some(mut customer) = tx.find(Kind::Customer, &draft.customer).cloned()
        && customer["currency"].is_null()
    {
        customer["currency"] = json!(draft.currency());
        tx.put(Kind::Customer, customer);
    }
}
