//! Finalising an invoice whose money is taken already, apart from the customer's balance; and the invoices' numbers.

use serde_json::{Value, json};

use super::open;
use crate::state::{Kind, Tx, number, text};

/// Gives the draft its number and its page, and leaves the customer's balance as it is.
pub fn finalize(tx: &mut Tx, invoice: &mut Value) {
    if let Some(mut customer) = tx.copy(Kind::Customer, text(invoice, "customer")) {
        take_number(tx, &mut customer, invoice);
    }
    invoice["ending_balance"] = json!(0);
    open(tx, invoice);
}

/// Counts the customer's invoices up, unless this one has a number of its own.
pub fn take_number(tx: &mut Tx, customer: &mut Value, invoice: &mut Value) {
    let next = number(customer, "next_invoice_sequence").max(1);
    if invoice["number"].is_null() {
        invoice["number"] = json!(format!("{}-{next:04}", text(customer, "invoice_prefix")));
        customer["next_invoice_sequence"] = json!(next + 1);
    }
    tx.put(Kind::Customer, customer.clone());
}
