//! What ties an invoice to the intent that pays it: the invoice payment, from the first try to the end. Stores only
//! what canceling one changes.

use serde_json::{Value, json};

use crate::state::{Key, Kind, Tx, ids, text};

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
