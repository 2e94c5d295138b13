//! Refunds: money given back of a charge. Most succeed at once; two test cards make them pend, or fail later, as
//! Stripe's documents on testing say: `pm_card_pendingRefund` succeeds, and `pm_card_refundFail` fails, some time
//! after. Here that is a minute by the clock.
//!
//! Not sure: that a refund that fails takes back `amount_refunded` of its charge, so that it can be tried again, and
//! that all three events come. Of a card's refund Stripe later learns the network's reference, which tells of itself
//! as `refund.updated`; here the reference stays pending. There are no balance transactions.

use serde_json::{Value, json};

use super::payment_method;
use crate::state::{Kind, Tx, ids, number, text};

/// So many seconds pass before a refund that pends succeeds, or one that will fail does.
const LATER: i64 = 60;

/// What becomes of a refund to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeds,
    /// Pends, then succeeds.
    SucceedsLater,
    /// Succeeds, then fails.
    FailsLater,
}

/// What somebody wants given back.
pub struct Order {
    /// In the currency's smallest unit; not more than is left of the charge.
    pub amount: i64,
    pub reason: Option<String>,
    pub metadata: Value,
}

/// Gives money back and tells of it.
pub fn create(tx: &mut Tx, charge: Value, order: Order) -> Value {
    let outcome = payment_method::refund_outcome(tx, text(&charge, "payment_method"));
    let mut refund = build(tx, &charge, &order);
    if outcome == Outcome::SucceedsLater {
        refund["status"] = json!("pending");
        refund["pending_reason"] = json!("processing");
    }
    let id = text(&refund, "id").to_owned();
    if outcome != Outcome::Succeeds {
        let clock = tx.find(Kind::Customer, text(&charge, "customer"));
        let clock = clock.map(|customer| customer["test_clock"].clone());
        let notes = json!({ "settles_at": tx.now() + LATER, "test_clock": clock });
        tx.put_with(Kind::Refund, &id, refund.clone(), notes);
    }
    tx.create(Kind::Refund, refund.clone(), "refund.created");
    give_back(tx, charge, order.amount);
    refund
}

fn build(tx: &Tx, charge: &Value, order: &Order) -> Value {
    json!({
        "id": ids::new("re_"),
        "object": "refund",
        "amount": order.amount,
        "balance_transaction": null,
        "charge": charge["id"],
        "created": tx.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": null,
        "destination_details": {
            "card": {
                "reference_status": "pending",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
            "type": "card",
        },
        "metadata": order.metadata,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": order.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "succeeded",
        "transfer_reversal": null,
    })
}

/// What was given back of the charge; below nothing, what came back.
fn give_back(tx: &mut Tx, mut charge: Value, amount: i64) {
    let given = number(&charge, "amount_refunded") + amount;
    charge["amount_refunded"] = json!(given);
    charge["refunded"] = json!(given == number(&charge, "amount_captured"));
    tx.update(Kind::Charge, charge, if amount < 0 { "charge.updated" } else { "charge.refunded" });
}

/// The minute is over.
pub fn settle(tx: &mut Tx, mut refund: Value) {
    let id = text(&refund, "id").to_owned();
    tx.put_with(Kind::Refund, &id, refund.clone(), Value::Null);
    if refund["status"] == "pending" {
        refund["status"] = json!("succeeded");
        if let Some(fields) = refund.as_object_mut() {
            fields.remove("pending_reason");
        }
        return tell(tx, refund, "pending");
    }
    refund["status"] = json!("failed");
    refund["failure_reason"] = json!("unknown");
    tell(tx, refund.clone(), "succeeded");
    tx.emit("refund.failed", &refund);
    if let Some(charge) = tx.copy(Kind::Charge, text(&refund, "charge")) {
        give_back(tx, charge, -number(&refund, "amount"));
    }
}

/// The same under both of its names.
fn tell(tx: &mut Tx, refund: Value, before: &str) {
    tx.put(Kind::Refund, refund.clone());
    for event in ["charge.refund.updated", "refund.updated"] {
        tx.emit_with(event, &refund, Some(json!({ "status": before })));
    }
}
