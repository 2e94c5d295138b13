//! Revisions: a draft that is a copy of an open invoice, to be changed and then to take its place. The original is
//! void once the revision is finalised (https://docs.stripe.com/invoicing/invoice-edits). Not sure: that its lines
//! are items of their own, and that the original tells of its revision as `invoice.updated`.

use serde_json::{Value, json};

use super::{Bill, build, void};
use crate::billing::discount::redeem;
use crate::billing::invoice_item;
use crate::state::{Kind, Tx, ids, number, text};

/// What the customer is told beside the lines.
const KEPT: &[&str] = &[
    "collection_method",
    "custom_fields",
    "default_payment_method",
    "description",
    "discounts",
    "due_date",
    "footer",
    "metadata",
    "rendering",
];

/// The draft that would revise an invoice, and the items that its lines come of. Neither is stored.
pub fn of(tx: &Tx, original: &Value) -> (Value, Vec<Value>) {
    let lines = original["lines"]["data"].as_array().into_iter().flatten();
    let items: Vec<Value> = lines.map(|line| item(tx, original, line)).collect();
    let bill = Bill {
        customer: text(original, "customer"),
        currency: text(original, "currency"),
        subscription: &Value::Null,
        reason: "manual",
        period: (number(original, "period_start"), number(original, "period_end")),
        lines: items.iter().map(invoice_item::line).collect(),
    };
    let mut draft = build(tx, bill);
    for field in KEPT {
        draft[*field] = original[*field].clone();
    }
    draft["from_invoice"] = json!({ "action": "revision", "invoice": original["id"] });
    redeem::put_on_again(tx, &mut draft);
    (draft, items)
}

/// The item of a line once more, with what the line says now.
fn item(tx: &Tx, original: &Value, line: &Value) -> Value {
    let mut item = tx.copy(Kind::InvoiceItem, invoice_item::id_of_line(line)).unwrap_or_default();
    for field in ["amount", "currency", "description", "discountable", "metadata", "period", "pricing"] {
        item[field] = line[field].clone();
    }
    item["id"] = json!(ids::new("ii_"));
    item["customer"] = original["customer"].clone();
    item["date"] = json!(tx.now());
    item["invoice"] = Value::Null;
    item
}

/// Stores both, tells of them, and notes in the original what revises it.
pub fn store(tx: &mut Tx, draft: Value, items: Vec<Value>, mut original: Value) {
    for mut item in items {
        item["invoice"] = draft["id"].clone();
        invoice_item::add(tx, item);
    }
    original["latest_revision"] = draft["id"].clone();
    tx.create(Kind::Invoice, draft, "invoice.created");
    tx.update(Kind::Invoice, original, "invoice.updated");
}

/// A revision is finalised: nobody is to pay what it revises.
pub fn replace(tx: &mut Tx, revision: &Value) {
    let original = tx.copy(Kind::Invoice, text(&revision["from_invoice"], "invoice"));
    if let Some(original) = original.filter(|it| matches!(text(it, "status"), "open" | "uncollectible")) {
        void(tx, original);
    }
}
