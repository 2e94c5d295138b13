//! The invoice of something that was bought once (`invoice_creation`): made when the money is taken already, so that
//! it is paid from the start and leaves the customer's balance alone.
//!
//! Not sure: that the balance stays as it is, and what `billing_reason` says (here `manual`).

use serde_json::{Value, json};

use super::lines;
use crate::billing::discount::{self, Applied, redeem};
use crate::billing::invoice::{self, Bill, Occasion};
use crate::billing::invoice_item;
use crate::billing::payment::Paid;
use crate::state::{Kind, Tx, text};

/// The invoice in each of its states, and what it consists of.
pub struct Billed {
    items: Vec<Value>,
    draft: Value,
    open: Value,
    pub invoice: Value,
    payment: Option<Value>,
}

/// Stores the invoice, and tells no one yet.
pub fn begin(
    tx: &mut Tx,
    session: &Value,
    customer: &str,
    paid: Option<&Paid>,
    discounts: &[Applied],
) -> Billed {
    let sold = lines(tx, text(session, "id"));
    let items: Vec<Value> = sold.iter().map(|line| invoice_item::of_line(tx, customer, line)).collect();
    let draft = draft(tx, session, customer, &items, discounts);
    redeem::store(tx, discounts, &json!({ "customer": customer, "id": null }));
    let mut now = draft.clone();
    invoice::apart::finalize(tx, &mut now);
    let open = now.clone();
    invoice::mark_paid(tx, &mut now, Occasion::Automatic);
    let payment = paid.map(|paid| invoice::payment_of(tx, &now, text(&paid.intent, "id")));
    tx.put(Kind::Invoice, now.clone());
    if let Some(payment) = &payment {
        tx.put(Kind::InvoicePayment, payment.clone());
    }
    let items = invoice_item::bill(tx, items, &draft);
    Billed { items, draft, open, invoice: now, payment }
}

fn draft(tx: &Tx, session: &Value, customer: &str, items: &[Value], discounts: &[Applied]) -> Value {
    let now = tx.now();
    let bill = Bill {
        customer,
        currency: text(session, "currency"),
        subscription: &Value::Null,
        reason: "manual",
        period: (now, now),
        lines: items.iter().map(invoice_item::line).collect(),
    };
    let mut draft = invoice::build(tx, bill);
    draft["starting_balance"] = json!(0);
    let data = &session["invoice_creation"]["invoice_data"];
    for field in ["custom_fields", "description", "footer", "metadata"] {
        if !data[field].is_null() {
            draft[field] = data[field].clone();
        }
    }
    invoice::add_up(&mut draft);
    discount::put_on_invoice(&mut draft, discounts);
    draft
}

impl Billed {
    pub fn announce(&self, tx: &mut Tx) {
        redeem::announce(tx, &self.draft);
        for item in &self.items {
            tx.emit("invoiceitem.created", item);
        }
        tx.emit("invoice.created", &self.draft);
        tx.emit("invoice.finalized", &self.open);
        tx.emit("invoice.paid", &self.invoice);
        tx.emit("invoice.payment_succeeded", &self.invoice);
        if let Some(payment) = &self.payment {
            tx.emit("invoice_payment.paid", payment);
        }
    }
}
