//! Invoices: made of lines, then through their states draft, open, paid, void and uncollectible, and the record
//! that a payment paid one. Stores nothing but what finalising does to the customer.

pub mod apart;
pub mod lines;
pub mod revision;

use serde_json::{Value, json};

use super::subscription::Draft;
use super::{balance, customer, discount, invoice_item, least_charge, sending};
use crate::shapes::{self, Shape};
use crate::state::{Key, Kind, Tx, ids, number, text};

/// How long after it was let go on an invoice does.
const RESUMED: i64 = 3_600;

/// What an invoice is made of.
pub struct Bill<'b> {
    pub customer: &'b str,
    pub currency: &'b str,
    /// `null` where no subscription is billed.
    pub subscription: &'b Value,
    pub reason: &'static str,
    /// The time whose use is billed.
    pub period: (i64, i64),
    pub lines: Vec<Value>,
}

/// A draft. It is not stored.
pub fn build(tx: &Tx, bill: Bill) -> Value {
    let (id, now) = (ids::new("in_"), tx.now());
    let buyer = tx.copy(Kind::Customer, bill.customer).unwrap_or_default();
    let mut lines = bill.lines;
    for line in &mut lines {
        line["invoice"] = json!(id);
    }
    let count = lines.len();
    let mut invoice = shapes::filled(
        Shape::Invoice,
        json!({
            "id": id,
            "billing_reason": bill.reason,
            "created": now,
            "currency": bill.currency,
            "customer": bill.customer,
            "customer_address": buyer["address"],
            "customer_email": buyer["email"],
            "customer_name": buyer["name"],
            "customer_phone": buyer["phone"],
            "customer_shipping": buyer["shipping"],
            "customer_tax_ids": customer::tax_ids(tx, bill.customer),
            "custom_fields": buyer["invoice_settings"]["custom_fields"],
            "footer": buyer["invoice_settings"]["footer"],
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": false,
                "total_count": count,
                "url": format!("/v1/invoices/{id}/lines"),
            },
            "parent": parent(bill.subscription),
            "period_end": bill.period.1,
            "period_start": bill.period.0,
            "webhooks_delivered_at": now,
        }),
    );
    invoice["starting_balance"] = json!(balance::within(&buyer, bill.currency));
    invoice["test_clock"] = buyer["test_clock"].clone();
    sending::follow(&mut invoice, bill.subscription);
    add_up(&mut invoice);
    invoice
}

fn parent(subscription: &Value) -> Value {
    if subscription.is_null() {
        return Value::Null;
    }
    json!({
        "quote_details": null,
        "subscription_details": { "metadata": subscription["metadata"], "subscription": subscription["id"] },
        "type": "subscription_details",
    })
}

/// The sums, from the lines, what discounts take, and the customer's balance. A balance below nothing is credit.
/// What is less than can be charged is not due: it goes to the balance, and with it to the next invoice.
pub fn add_up(invoice: &mut Value) {
    let sum = |list: &Value| -> i64 {
        list.as_array().into_iter().flatten().map(|entry| number(entry, "amount")).sum()
    };
    let subtotal = sum(&invoice["lines"]["data"]);
    let total = subtotal - sum(&invoice["total_discount_amounts"]);
    let due = least_charge::due(total + number(invoice, "starting_balance"), text(invoice, "currency"));
    for (field, amount) in [("subtotal", subtotal), ("total", total)] {
        invoice[field] = json!(amount);
        invoice[format!("{field}_excluding_tax")] = json!(amount);
    }
    for field in ["amount_due", "amount_remaining"] {
        invoice[field] = json!(due);
    }
}

/// The first invoice of a subscription, still a draft. It is not stored.
pub fn draft(tx: &Tx, draft: &Draft, subscription: &Value) -> Value {
    draft_with(tx, draft, subscription, &[])
}

/// The same with what is sold once beside the subscription.
pub fn draft_with(tx: &Tx, draft: &Draft, subscription: &Value, once: &[Value]) -> Value {
    let now = tx.now();
    let mut lines = lines::of_items(tx, subscription, draft.trial_end.is_some());
    lines.extend(once.iter().map(invoice_item::line));
    let bill = Bill {
        customer: &draft.customer,
        currency: draft.currency(),
        subscription,
        reason: draft.billing_reason,
        period: (now, now),
        lines,
    };
    let mut invoice = build(tx, bill);
    discount::put_on_invoice(&mut invoice, &draft.discounts);
    invoice
}

/// Gives the draft its number and its page, and uses the customer's balance. Counts the customer's invoices up.
pub fn finalize(tx: &mut Tx, invoice: &mut Value) {
    let customer_id = text(invoice, "customer").to_owned();
    revision::replace(tx, invoice);
    if let Some(mut customer) = tx.copy(Kind::Customer, &customer_id) {
        apart::take_number(tx, &mut customer, invoice);
        invoice["starting_balance"] = json!(balance::within(&customer, text(invoice, "currency")));
        add_up(invoice);
        invoice["ending_balance"] = json!(balance::use_for(tx, &mut customer, invoice));
        tx.update(Kind::Customer, customer, "customer.updated");
    }
    open(tx, invoice);
}

fn open(tx: &mut Tx, invoice: &mut Value) {
    let url = format!("{}/i/{}", tx.settings().base_url, text(invoice, "id"));
    invoice["status"] = json!("open");
    if invoice["effective_at"].is_null() {
        invoice["effective_at"] = json!(tx.now());
    }
    invoice["automatically_finalizes_at"] = Value::Null;
    invoice["invoice_pdf"] = json!(format!("{url}/pdf"));
    invoice["hosted_invoice_url"] = json!(url);
    invoice["status_transitions"]["finalized_at"] = json!(tx.now());
    sending::plan(tx, invoice);
}

/// Whether a payment that is made or fails is one of the automatic ones, which alone are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    Automatic,
    ByHand,
}

/// Notes that somebody tried to have it paid.
pub fn count_attempt(invoice: &mut Value, occasion: Occasion) {
    invoice["attempted"] = json!(true);
    if occasion == Occasion::Automatic {
        invoice["attempt_count"] = json!(number(invoice, "attempt_count") + 1);
    }
}

/// Marks an open invoice as paid.
pub fn mark_paid(tx: &Tx, invoice: &mut Value, occasion: Occasion) {
    // An invoice over nothing is paid without an attempt to charge.
    if number(invoice, "amount_due") > 0 {
        count_attempt(invoice, occasion);
    }
    invoice["attempted"] = json!(true);
    leave_uncollectible(invoice);
    invoice["status"] = json!("paid");
    invoice["auto_advance"] = json!(false);
    invoice["next_payment_attempt"] = Value::Null;
    invoice["amount_paid"] = invoice["amount_due"].clone();
    invoice["amount_remaining"] = json!(0);
    invoice["status_transitions"]["paid_at"] = json!(tx.now());
}

/// Stops whatever would happen to it by itself.
pub fn stop_collection(invoice: &mut Value) {
    invoice["auto_advance"] = json!(false);
    invoice["automatically_finalizes_at"] = Value::Null;
    invoice["next_payment_attempt"] = Value::Null;
}

/// Lets it go on by itself again: a draft is finalised, and an open one is tried, in an hour. When Stripe tries an
/// open one is not known.
pub fn resume_collection(invoice: &mut Value, now: i64) {
    if invoice["auto_advance"] == true {
        return;
    }
    invoice["auto_advance"] = json!(true);
    if invoice["status"] == "open" && sending::is_sent(invoice) {
        return;
    }
    let next =
        if invoice["status"] == "draft" { "automatically_finalizes_at" } else { "next_payment_attempt" };
    invoice[next] = json!(now + RESUMED);
}

/// Closes an open invoice that nobody is to pay any more. The customer's balance is again what it was without it
/// (https://docs.stripe.com/changelog/2019-12-03/customer-balances-returned-voided-invoices).
pub fn void(tx: &mut Tx, mut invoice: Value) -> Value {
    stop_collection(&mut invoice);
    leave_uncollectible(&mut invoice);
    invoice["status"] = json!("void");
    invoice["status_transitions"]["voided_at"] = json!(tx.now());
    tx.put(Kind::Invoice, invoice.clone());
    tx.emit("invoice.voided", &invoice);
    cancel_payment(tx, text(&invoice, "id"), "void_invoice");
    balance::give_back(tx, &invoice);
    invoice
}

/// The same for one that somebody may have closed already: what it used of the balance is given back once.
pub fn void_if_open(tx: &mut Tx, id: &str) {
    if let Some(invoice) = tx.copy(Kind::Invoice, id).filter(|invoice| invoice["status"] == "open") {
        void(tx, invoice);
    }
}

/// Nobody can pay it with the intent any more that was tried. In which order Stripe tells of that is not known.
pub fn cancel_payment(tx: &mut Tx, invoice: &str, reason: &str) {
    let Some(mut payment) = open_payment(tx, invoice) else {
        return;
    };
    payment["status"] = json!("canceled");
    payment["status_transitions"]["canceled_at"] = json!(tx.now());
    let intent = tx.copy(Kind::PaymentIntent, text(&payment["payment"], "payment_intent"));
    tx.put(Kind::InvoicePayment, payment);
    if let Some(mut intent) = intent {
        intent["status"] = json!("canceled");
        intent["canceled_at"] = json!(tx.now());
        intent["cancellation_reason"] = json!(reason);
        intent["next_action"] = Value::Null;
        tx.put(Kind::PaymentIntent, intent.clone());
        tx.emit("payment_intent.canceled", &intent);
    }
}

/// Why it is uncollectible is said only while it is.
fn leave_uncollectible(invoice: &mut Value) {
    if let Some(fields) = invoice.as_object_mut() {
        fields.remove("status_details");
    }
}

/// Gives an open invoice up: nobody is expected to pay it. `reason` is a word of Stripe's.
pub fn give_up(tx: &mut Tx, mut invoice: Value, reason: &str) -> Value {
    stop_collection(&mut invoice);
    invoice["status"] = json!("uncollectible");
    invoice["status_details"] = json!({ "uncollectible": { "reason": reason } });
    invoice["status_transitions"]["marked_uncollectible_at"] = json!(tx.now());
    tx.put(Kind::Invoice, invoice.clone());
    tx.emit("invoice.marked_uncollectible", &invoice);
    invoice
}

/// The subscription that an invoice bills; "" where there is none.
pub fn subscription_of(invoice: &Value) -> &str {
    text(&invoice["parent"]["subscription_details"], "subscription")
}

/// The record that ties an invoice to the intent that pays it. It is not stored.
pub fn payment_of(tx: &Tx, invoice: &Value, intent: &str) -> Value {
    let mut payment = json!({
        "id": ids::new("inpay_"),
        "object": "invoice_payment",
        "amount_paid": null,
        "amount_requested": invoice["amount_due"],
        "created": tx.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": true,
        "livemode": false,
        "payment": { "payment_intent": intent, "type": "payment_intent" },
        "status": "open",
        "status_transitions": { "canceled_at": null, "paid_at": null },
    });
    if invoice["status"] == "paid" {
        mark_payment_paid(tx, invoice, &mut payment);
    }
    payment
}

/// The payment went through.
pub fn mark_payment_paid(tx: &Tx, invoice: &Value, payment: &mut Value) {
    payment["status"] = json!("paid");
    payment["amount_paid"] = invoice["amount_paid"].clone();
    payment["status_transitions"]["paid_at"] = json!(tx.now());
}

/// The payment that an open invoice waits for, if one was tried.
pub fn open_payment(tx: &Tx, invoice: &str) -> Option<Value> {
    let all = tx.store().collection(Kind::InvoicePayment)?;
    let open = all.by_key(Key::Invoice, invoice).find(|record| *record.raw("status") == "open");
    open.map(|record| record.value().into_owned())
}
