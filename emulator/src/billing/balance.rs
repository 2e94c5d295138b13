//! A customer's credit balance: what they are owed (below nothing) or owe (above), which their next invoice uses.
//! Every change of it is a transaction, so that the balance is the sum of them. Stores the transactions; the
//! customer is the caller's to store and to tell of.
//!
//! Not sure: that what an invoice below nothing gives the customer is called `invoice_too_small`, and that a balance
//! of somebody without a currency is one in dollars. Stripe can keep a balance for each currency; here a customer
//! has one, in their own.

use serde_json::{Value, json};

use crate::state::{Kind, Tx, ids, number, text};

/// Why a balance changes.
pub struct Reason<'r> {
    /// A word of Stripe's for the transaction's `type`.
    pub kind: &'static str,
    /// The currency of a customer who has none yet.
    pub currency: &'r str,
    /// The id of an invoice, or `null`.
    pub invoice: Value,
    /// Text or `null`.
    pub description: Value,
    pub metadata: Value,
}

impl<'r> Reason<'r> {
    /// Somebody changes it by hand.
    pub fn adjustment(currency: &'r str) -> Reason<'r> {
        Reason {
            kind: "adjustment",
            currency,
            invoice: Value::Null,
            description: Value::Null,
            metadata: json!({}),
        }
    }

    fn of_invoice(kind: &'static str, invoice: &'r Value) -> Reason<'r> {
        Reason { kind, invoice: invoice["id"].clone(), ..Reason::adjustment(text(invoice, "currency")) }
    }
}

/// The customer's currency, or that of the account for somebody who has none yet.
pub fn currency(customer: &Value) -> &str {
    customer["currency"].as_str().unwrap_or("usd")
}

/// What an invoice in this currency can use: nothing of a balance in another one.
pub fn within(customer: &Value, currency: &str) -> i64 {
    if customer["currency"].as_str().is_none_or(|own| own == currency) {
        number(customer, "balance")
    } else {
        0
    }
}

/// Changes the balance by `amount`, in the currency's smallest unit. Gives the transaction, which is stored.
pub fn change(tx: &mut Tx, customer: &mut Value, amount: i64, reason: Reason) -> Value {
    let ending = number(customer, "balance") + amount;
    if customer["currency"].is_null() {
        customer["currency"] = json!(reason.currency);
    }
    customer["balance"] = json!(ending);
    let transaction = json!({
        "id": ids::new("cbtxn_"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": null,
        "created": tx.now(),
        "credit_note": null,
        "currency": customer["currency"],
        "customer": customer["id"],
        "customer_account": null,
        "description": reason.description,
        "ending_balance": ending,
        "invoice": reason.invoice,
        "livemode": false,
        "metadata": reason.metadata,
        "type": reason.kind,
    });
    tx.put(Kind::CustomerBalanceTransaction, transaction.clone());
    transaction
}

/// Uses the balance for an invoice whose `amount_due` is reckoned, and keeps what it is below nothing, or too little to
/// be charged. Gives the balance after it.
pub fn use_for(tx: &mut Tx, customer: &mut Value, invoice: &Value) -> i64 {
    let (total, starting) = (number(invoice, "total"), within(customer, text(invoice, "currency")));
    let applied = if starting > 0 { -starting } else { total.clamp(0, -starting) };
    let ending = total + starting - number(invoice, "amount_due");
    let credited = ending - starting - applied;
    for (amount, kind) in [(applied, "applied_to_invoice"), (credited, "invoice_too_small")] {
        if amount != 0 {
            change(tx, customer, amount, Reason::of_invoice(kind, invoice));
        }
    }
    ending
}

/// Gives back what an invoice used, which nobody is to pay any more.
pub fn give_back(tx: &mut Tx, invoice: &Value) {
    let used = number(invoice, "ending_balance") - number(invoice, "starting_balance");
    let customer = tx.copy(Kind::Customer, text(invoice, "customer"));
    let Some(mut customer) = customer.filter(|it| it["deleted"] != true && used != 0) else {
        return;
    };
    change(tx, &mut customer, -used, Reason::of_invoice("unapplied_from_invoice", invoice));
    tx.update(Kind::Customer, customer, "customer.updated");
}
