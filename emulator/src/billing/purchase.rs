//! A subscription begins: the subscription, its first invoice and the record of the payment, stored together.
//! `announce` tells of them in the order in which Stripe does.

use serde_json::{Value, json};

use super::discount::lines::use_up;
use super::discount::redeem::{self, Owner};
use super::invoice::{self, Occasion};
use super::payment::Paid;
use super::subscription::{self, Draft};
use super::{balance, change, invoice_item, least_charge};
use crate::state::{Kind, Tx, number, text};

/// Everything that came to be, with the invoice as it was in each of its states.
pub struct Purchase {
    pub subscription: Value,
    /// The ids of the discounts that it began with.
    redeemed: Vec<String>,
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

impl Settlement {
    /// What tells of a first payment that was tried and did not succeed.
    fn event(&self) -> Option<&'static str> {
        match self {
            Settlement::Paid(_) => None,
            Settlement::Unpaid(why) => why.event(),
        }
    }
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
    let first = invoice::draft(tx, draft, &subscription::build(tx, draft, "active"));
    least_charge::due(number(&first, "total") + balance, draft.currency())
}

/// Stores a new subscription and its first invoice, and tells no one yet.
pub fn begin(tx: &mut Tx, draft: &Draft, settlement: Settlement) -> Purchase {
    let status = match (&settlement, draft.trial_end) {
        (_, Some(_)) => "trialing",
        (Settlement::Paid(_), None) => "active",
        (Settlement::Unpaid(_), None) => "incomplete",
    };
    let mut subscription = subscription::build(tx, draft, status);
    let draft_invoice = invoice::draft(tx, draft, &subscription);
    let redeemed = redeem_all(tx, draft, &mut subscription, &draft_invoice);
    let once = put_invoice_items(tx, draft, &subscription, &draft_invoice);
    let mut now = draft_invoice.clone();
    invoice::finalize(tx, &mut now);
    let open_invoice = now.clone();
    let unpaid = settlement.event();
    let (paid, intent) = settle(tx, &mut now, settlement);
    let invoice_payment = intent.map(|intent| invoice::payment_of(tx, &now, &intent));
    subscription["latest_invoice"] = now["id"].clone();
    tx.put(Kind::Subscription, subscription.clone());
    tx.put(Kind::Invoice, now.clone());
    if let Some(payment) = &invoice_payment {
        tx.put(Kind::InvoicePayment, payment.clone());
    }
    set_currency(tx, draft);
    Purchase {
        subscription,
        redeemed,
        draft_invoice,
        open_invoice,
        invoice: now,
        paid,
        unpaid,
        invoice_payment,
        once,
    }
}

/// Marks the first invoice as paid, or as tried if it was. Gives the payment, and the intent that was tried.
fn settle(tx: &Tx, first: &mut Value, settlement: Settlement) -> (Option<Paid>, Option<String>) {
    let is_tried = settlement.event().is_some();
    match settlement {
        Settlement::Paid(paid) => {
            invoice::mark_paid(tx, first, Occasion::Automatic);
            let intent = paid.as_ref().map(|paid| text(&paid.intent, "id").to_owned());
            (paid, intent)
        }
        Settlement::Unpaid(why) => {
            first["attempted"] = json!(is_tried);
            first["attempt_count"] = json!(i64::from(is_tried));
            (None, why.intent())
        }
    }
}

/// Stores what is sold once with the first invoice, for the customer that there is by now. Gives it.
pub fn put_invoice_items(tx: &mut Tx, draft: &Draft, subscription: &Value, first: &Value) -> Vec<Value> {
    let mut items = draft.beginning.invoice_items.clone();
    for item in &mut items {
        item["customer"] = json!(draft.customer);
        item["test_clock"] = subscription["test_clock"].clone();
        item["parent"] = invoice_item::parent_of(subscription);
    }
    invoice_item::bill(tx, items, first)
}

/// Stores the discounts that a subscription begins with, and uses up those that are for its first invoice alone.
pub fn redeem_all(tx: &mut Tx, draft: &Draft, subscription: &mut Value, first: &Value) -> Vec<String> {
    let (id, customer) = (text(subscription, "id").to_owned(), draft.customer.as_str());
    let owner = Owner { customer, subscription: Some(&id), ..Owner::default() };
    redeem::store(tx, &draft.discounts, owner);
    for (line, item) in draft.lines.iter().zip(change::items_of(subscription)) {
        redeem::store(tx, &line.discounts, Owner { item: item["id"].as_str(), ..owner });
    }
    redeem::store(tx, &draft.beginning.of_invoice_items, Owner { customer, ..Owner::default() });
    let all = [draft.discounts.clone(), draft.own_discounts()].concat();
    use_up(subscription, &all, first);
    all.into_iter().map(|discount| discount.id).collect()
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
        redeem::announce(tx, &self.redeemed);
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
