//! What must be true of money at any time: a customer's balance is what their invoices made of it, whoever paid an
//! invoice was charged for it once and no more, discounts add up, and what has ended collects nothing by itself.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Stripe, id};

fn sum(list: &Value) -> i64 {
    list.as_array().into_iter().flatten().map(|one| one["amount"].as_i64().unwrap()).sum()
}

/// What is wrong, a line each.
pub async fn wrong(stripe: &Stripe, customer: &str, invoices: &[Value]) -> Vec<String> {
    let mut wrong: Vec<String> = invoices.iter().filter_map(has_wrong_discounts).collect();
    wrong.extend(balance_is_wrong(stripe, customer, invoices).await);
    wrong.extend(charged_wrongly(stripe, customer, invoices).await);
    wrong.extend(collects_after_the_end(stripe, customer, invoices).await);
    wrong.extend(is_not_billed(stripe, customer, invoices).await);
    wrong
}

fn has_wrong_discounts(invoice: &Value) -> Option<String> {
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let of_lines: i64 = lines.iter().map(|line| sum(&line["discount_amounts"])).sum();
    let of_all = sum(&invoice["total_discount_amounts"]);
    (of_lines != of_all).then(|| format!("{} takes {of_all} off, and its lines {of_lines}", id(invoice)))
}

async fn balance_is_wrong(stripe: &Stripe, customer: &str, invoices: &[Value]) -> Option<String> {
    let balance = stripe.get(&format!("/v1/customers/{customer}")).await["balance"].as_i64().unwrap();
    let counts = |it: &&Value| !matches!(it["status"].as_str().unwrap(), "draft" | "void");
    let change =
        |it: &Value| it["ending_balance"].as_i64().unwrap() - it["starting_balance"].as_i64().unwrap();
    let expected: i64 = invoices.iter().filter(counts).map(change).sum();
    (balance != expected).then(|| format!("the balance is {balance}, and not {expected}"))
}

/// Succeeded charges by payment intent against what the invoices say.
async fn charged_wrongly(stripe: &Stripe, customer: &str, invoices: &[Value]) -> Vec<String> {
    let charges = stripe.get(&format!("/v1/charges?customer={customer}&limit=100")).await;
    let mut charged: BTreeMap<String, i64> = BTreeMap::new();
    for charge in charges["data"].as_array().unwrap().iter().filter(|it| it["status"] == "succeeded") {
        *charged.entry(charge["payment_intent"].as_str().unwrap().to_owned()).or_default() +=
            charge["amount"].as_i64().unwrap();
    }
    let mut wrong = Vec::new();
    for invoice in invoices {
        let payments = stripe.get(&format!("/v1/invoice_payments?invoice={}", id(invoice))).await;
        let intents = payments["data"].as_array().unwrap().iter();
        let found: i64 =
            intents.filter_map(|it| charged.remove(it["payment"]["payment_intent"].as_str().unwrap())).sum();
        if found != invoice["amount_paid"].as_i64().unwrap() {
            wrong.push(format!("{} was charged {found}, and says {}", id(invoice), invoice["amount_paid"]));
        }
    }
    wrong.extend(charged.iter().map(|(intent, amount)| format!("{intent} took {amount} for no invoice")));
    wrong
}

async fn collects_after_the_end(stripe: &Stripe, customer: &str, invoices: &[Value]) -> Vec<String> {
    let subscriptions = stripe.subscriptions(customer).await;
    let mut wrong = Vec::new();
    for ended in subscriptions.iter().filter(|it| it["ended_at"].is_i64()) {
        if !ended["pending_update"].is_null() {
            wrong.push(format!("{} has ended and waits for a change", id(ended)));
        }
        let ours = invoices
            .iter()
            .filter(|it| it["parent"]["subscription_details"]["subscription"] == ended["id"])
            .filter(|it| it["next_payment_attempt"].is_i64() || it["automatically_finalizes_at"].is_i64());
        wrong.extend(ours.map(|it| format!("{} is still collected for {}", id(it), id(ended))));
    }
    wrong
}

/// Every item is on the invoice that it names, once.
async fn is_not_billed(stripe: &Stripe, customer: &str, invoices: &[Value]) -> Vec<String> {
    let items = stripe.get(&format!("/v1/invoiceitems?customer={customer}&limit=100")).await;
    let mut wrong = Vec::new();
    for item in items["data"].as_array().unwrap() {
        let name = |line: &Value| {
            let of = |details: &str| line["parent"][details]["invoice_item"].clone();
            [of("invoice_item_details"), of("subscription_item_details")].contains(&item["id"])
        };
        let on = invoices.iter().flat_map(|invoice| {
            let lines = invoice["lines"]["data"].as_array().unwrap().iter();
            lines.filter(|line| name(line)).map(|_| invoice["id"].clone())
        });
        let (on, expected): (Vec<Value>, Vec<Value>) =
            (on.collect(), Some(&item["invoice"]).filter(|it| !it.is_null()).cloned().into_iter().collect());
        if on != expected {
            wrong.push(format!("{} is on {on:?}, and not on {expected:?}", id(item)));
        }
    }
    wrong
}
