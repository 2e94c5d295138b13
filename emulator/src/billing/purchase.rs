//! A subscription begins: the subscription, its first invoice and the record of the payment, stored together.
//! `announce` tells of them in the order in which Stripe does.

use serde_json::{Value, json};

use super::balance;
use super::discount::redeem;
use super::invoice::{self, Occasion};
use super::payment::Paid;
use super::subscription::{self, Draft};
use super::{invoice_item, least_charge};
use crate::state::{Kind, Tx, text};

/// Everything that came to be, with the invoice as it was in each of its states.
pub struct Purchase {
    pub subscription: Value,
    pub draft_invoice: Value,
    pub open_invoice: Value,
    /// The invoice as it is now.
    pub invoice: Value,
    paid: Option<Paid>,
    /// The event that tells of a first payment that did not succeed.
    unpaid: Option<&'static str>,
    invoice_payment: Option<Value>,
    /// The items of what is sold once.
    once: Vec<Value>,
}

/// How the first invoice fares.
pub enum Settlement {
    /// Paid with this payment, or without one because nothing is due.
    Paid(Option<Paid>),
    /// It stays open, for the intent to pay it.
    Unpaid(Unpaid),
}

/// Why the first invoice is not paid, and the intent that was tried.
#[derive(Clone, Debug)]
pub enum Unpaid {
    /// Nobody tried yet.
    NotTried,
    Declined(String),
    NeedsAuthentication(String),
}

impl Unpaid {
    fn event(&self) -> Option<&'static str> {
        match self {
            Unpaid::NotTried => None,
            Unpaid::Declined(_) => Some("invoice.payment_failed"),
            Unpaid::NeedsAuthentication(_) => Some("invoice.payment_action_required"),
        }
    }

    fn intent(&self) -> Option<String> {
        match self {
            Unpaid::NotTried => None,
            Unpaid::Declined(intent) | Unpaid::NeedsAuthentication(intent) => Some(intent.clone()),
        }
    }
}

/// What the customer is charged today, in the currency's smallest unit: the first invoice less their credit, or with
/// what they owe. Whether Stripe's checkout page shows the balance is not known; its invoice uses it.
pub fn due_today(tx: &Tx, draft: &Draft, customer: &str) -> i64 {
    let balance =
        tx.find(Kind::Customer, customer).map_or(0, |customer| balance::within(&customer, draft.currency()));
    least_charge::due(draft.due_today() + balance, draft.currency())
}

/// Stores a new subscription and its first invoice, and tells no one yet.
pub fn begin(tx: &mut Tx, draft: &Draft, settlement: Settlement) -> Purchase {
    let status = match (&settlement, draft.trial_end) {
        (_, Some(_)) => "trialing",
        (Settlement::Paid(_), None) => "active",
        (Settlement::Unpaid(_), None) => "incomplete",
    };
    let mut subscription = subscription::build(tx, draft, status);
    let once = draft.once().map(|line| invoice_item::of_line(tx, &draft.customer, line)).collect::<Vec<_>>();
    let draft_invoice = invoice::draft_with(tx, draft, &subscription, &once);
    let once = invoice_item::bill(tx, once, &draft_invoice);
    redeem::store(tx, &draft.discounts, &subscription);
    let mut now = draft_invoice.clone();
    invoice::finalize(tx, &mut now);
    let open_invoice = now.clone();
    let mut unpaid = None;
    let (paid, intent) = match settlement {
        Settlement::Paid(paid) => {
            invoice::mark_paid(tx, &mut now, Occasion::Automatic);
            let intent = paid.as_ref().map(|paid| text(&paid.intent, "id").to_owned());
            (paid, intent)
        }
        Settlement::Unpaid(why) => {
            unpaid = why.event();
            now["attempted"] = json!(unpaid.is_some());
            now["attempt_count"] = json!(i64::from(unpaid.is_some()));
            (None, why.intent())
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
    Purchase { subscription, draft_invoice, open_invoice, invoice: now, paid, unpaid, invoice_payment, once }
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
        redeem::announce(tx, &self.draft_invoice);
        tx.emit("customer.subscription.created", &self.subscription);
        if let Some(paid) = &self.paid {
            if paid.is_new {
                tx.emit("payment_intent.created", &paid.intent);
            }
            tx.emit("payment_intent.succeeded", &paid.intent);
        }
        for item in &self.once {
            tx.emit("invoiceitem.created", item);
        }
        tx.emit("invoice.created", &self.draft_invoice);
        tx.emit("invoice.finalized", &self.open_invoice);
        if let Some(event) = self.unpaid {
            tx.emit(event, &self.invoice);
        }
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
pub fn set_currency(tx: &mut Tx, draft: &Draft) {
    if let Some(mut customer) = tx.copy(Kind::Customer, &draft.customer)
        && customer["currency"].is_null()
    {
        customer["currency"] = json!(draft.currency());
        tx.put(Kind::Customer, customer);
    }
}
