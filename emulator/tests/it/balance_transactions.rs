//! The ledger of a customer's credit: what changes the balance says why, and adds up.

use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};

async fn ledger(stripe: &Stripe, customer: &str) -> Vec<Value> {
    let list = stripe.get(&format!("/v1/customers/{customer}/balance_transactions?limit=100")).await;
    list["data"].as_array().unwrap().clone()
}

/// The types and amounts, oldest first. The balance is their sum, and each says what it was then.
async fn entries(stripe: &Stripe, customer: &str) -> Vec<(String, i64)> {
    let ledger = ledger(stripe, customer).await;
    let (mut sum, mut entries) = (0, Vec::new());
    for entry in ledger.iter().rev() {
        let amount = entry["amount"].as_i64().unwrap();
        sum += amount;
        assert_eq!((&entry["ending_balance"], &entry["customer"]), (&json!(sum), &json!(customer)));
        entries.push((entry["type"].as_str().unwrap().to_owned(), amount));
    }
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["balance"], sum);
    entries
}

/// An invoice over so much that is finalised, without a card to pay it.
async fn invoice(stripe: &Stripe, customer: &str, amount: &str) -> Value {
    stripe.post("/v1/invoiceitems", &[("customer", customer), ("amount", amount), ("currency", "usd")]).await;
    let fields = [("customer", customer), ("pending_invoice_items_behavior", "include")];
    let draft = id(&stripe.post("/v1/invoices", &fields).await);
    stripe.post(&format!("/v1/invoices/{draft}/finalize"), &[]).await
}

#[tokio::test]
async fn what_changes_a_balance_is_in_the_ledger_and_the_balance_is_its_sum() {
    let stripe = Stripe::start().await;
    let customer = id(&stripe.post("/v1/customers", &[("balance", "-1000")]).await);
    let path = format!("/v1/customers/{customer}");
    assert_eq!(stripe.get(&path).await["currency"], "usd");
    stripe.post(&path, &[("balance", "-700")]).await;
    let known = stripe.event_types().await.len();
    let open = invoice(&stripe, &customer, "1200").await;
    assert_eq!((&open["amount_due"], &open["starting_balance"]), (&json!(500), &json!(-700)));
    assert_eq!((&open["ending_balance"], &open["total"]), (&json!(0), &json!(1200)));
    let of_customer = stripe.event_types().await.split_off(known);
    assert_eq!(of_customer.iter().filter(|name| *name == "customer.updated").count(), 1);
    stripe.post(&format!("/v1/invoices/{}/void", id(&open)), &[]).await;
    invoice(&stripe, &customer, "-300").await;
    let expected = [
        ("adjustment", -1000),
        ("adjustment", 300),
        ("applied_to_invoice", 700),
        ("unapplied_from_invoice", -700),
        ("invoice_too_small", -300),
    ];
    assert_eq!(entries(&stripe, &customer).await, expected.map(|(kind, amount)| (kind.to_owned(), amount)));
    let list = stripe.get(&format!("{path}/balance_transactions?invoice={}", id(&open))).await;
    assert_eq!(ids(&list).len(), 2);
    let before = stripe.event_types().await.len();
    stripe.post(&path, &[("balance", "-1000")]).await;
    assert_eq!(stripe.event_types().await.len(), before, "what stays as it is tells nobody");
}

#[tokio::test]
async fn what_somebody_owes_is_on_their_next_invoice() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let fields = [("amount", "250"), ("currency", "USD"), ("description", "A fee"), ("metadata[k]", "v")];
    let path = format!("/v1/customers/{customer}/balance_transactions");
    let fee = stripe.post(&path, &fields).await;
    assert!(id(&fee).starts_with("cbtxn_"));
    assert_eq!((&fee["type"], &fee["ending_balance"]), (&json!("adjustment"), &json!(250)));
    assert_eq!((&fee["description"], &fee["metadata"]), (&json!("A fee"), &json!({"k": "v"})));
    let open = invoice(&stripe, &customer, "1000").await;
    assert_eq!((&open["amount_due"], &open["ending_balance"]), (&json!(1250), &json!(0)));
    let second = stripe.post(&path, &[("amount", "500"), ("currency", "usd")]).await;
    let paid = invoice(&stripe, &customer, "-800").await;
    assert_eq!((&paid["amount_due"], &paid["ending_balance"]), (&json!(0), &json!(-300)));
    let expected = [
        ("adjustment", 250),
        ("applied_to_invoice", -250),
        ("adjustment", 500),
        ("applied_to_invoice", -500),
        ("invoice_too_small", -300),
    ];
    assert_eq!(entries(&stripe, &customer).await, expected.map(|(kind, amount)| (kind.to_owned(), amount)));

    let own = format!("{path}/{}", id(&second));
    let noted = stripe.post(&own, &[("description", "Why"), ("metadata[a]", "b")]).await;
    assert_eq!(stripe.get(&own).await, noted);
    assert_eq!((&noted["description"], &noted["amount"]), (&json!("Why"), &json!(500)));
    let expanded = stripe.get(&format!("{own}?expand[]=customer")).await;
    assert_eq!(expanded["customer"]["id"], customer);
}

#[tokio::test]
async fn nobodys_transactions_are_found_at_somebody_else_and_other_currencies_are_refused() {
    let stripe = Stripe::start().await;
    let (one, two) = (stripe.customer().await, stripe.customer().await);
    let path = format!("/v1/customers/{one}/balance_transactions");
    let theirs = id(&stripe.post(&path, &[("amount", "-5"), ("currency", "eur")]).await);
    let other = stripe.try_get(&format!("/v1/customers/{two}/balance_transactions/{theirs}")).await;
    assert_eq!((other.status, other.error()["code"].as_str()), (404, Some("resource_missing")));
    assert!(ledger(&stripe, &two).await.is_empty());
    let dollars = stripe.try_post(&path, &[("amount", "-5"), ("currency", "usd")]).await;
    assert_eq!((dollars.status, dollars.error()["param"].as_str()), (400, Some("currency")));
    assert_eq!(stripe.try_post(&path, &[("currency", "eur")]).await.error()["param"], "amount");
    assert_eq!(invoice(&stripe, &one, "100").await["amount_due"], 100, "a credit in euros pays no dollars");
    assert_eq!(entries(&stripe, &one).await.len(), 1);
}

/// A short walk through everything that moves a balance, by a fixed die.
#[tokio::test]
async fn the_balance_is_the_sum_of_its_transactions_whatever_is_done() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let mut open: Vec<String> = Vec::new();
    for step in 0_u32..40 {
        let dice = step.wrapping_mul(2_654_435_761) >> 16;
        let amount = (i64::from(dice % 2_000) - 900).to_string();
        match dice % 4 {
            0 => drop(stripe.post(&format!("/v1/customers/{customer}"), &[("balance", &amount)]).await),
            1 => {
                let path = format!("/v1/customers/{customer}/balance_transactions");
                stripe.post(&path, &[("amount", &amount), ("currency", "usd")]).await;
            }
            2 => match open.pop() {
                Some(open) => drop(stripe.post(&format!("/v1/invoices/{open}/void"), &[]).await),
                None => drop(invoice(&stripe, &customer, &amount).await),
            },
            _ => {
                let made = invoice(&stripe, &customer, &amount).await;
                open.extend((made["status"] == "open").then(|| id(&made)));
            }
        }
        entries(&stripe, &customer).await;
    }
    let kinds = entries(&stripe, &customer).await;
    for kind in ["adjustment", "applied_to_invoice", "unapplied_from_invoice", "invoice_too_small"] {
        assert!(kinds.iter().any(|(known, _)| known == kind), "{kind} never came: {kinds:?}");
    }
}
