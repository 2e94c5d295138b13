//! What stands on an invoice besides its lines, when it goes on by itself, and how it ends without a charge.

use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};
use crate::time::{DAY, HOUR};

type Fields<'f> = &'f [(&'f str, &'f str)];

async fn draft(stripe: &Stripe, customer: &str, more: Fields<'_>) -> Value {
    let item = [("customer", customer), ("amount", "900"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &item).await;
    let fields = [("customer", customer), ("pending_invoice_items_behavior", "include")];
    stripe.post("/v1/invoices", &[&fields[..], more].concat()).await
}

async fn open(stripe: &Stripe, customer: &str) -> (String, Value) {
    let path = format!("/v1/invoices/{}", id(&draft(stripe, customer, &[]).await));
    let open = stripe.post(&format!("{path}/finalize"), &[]).await;
    (path, open)
}

#[tokio::test]
async fn a_draft_says_what_it_is_told_and_a_finalised_one_says_no_more() {
    let stripe = Stripe::start().await;
    let fields = [
        ("email", "a@b.c"),
        ("invoice_settings[footer]", "Theirs"),
        ("invoice_settings[custom_fields][0][name]", "VAT"),
        ("invoice_settings[custom_fields][0][value]", "DE1"),
    ];
    let customer = id(&stripe.post("/v1/customers", &fields).await);
    let plain = stripe.post("/v1/invoices", &[("customer", &customer)]).await;
    assert_eq!(plain["custom_fields"], json!([{"name": "VAT", "value": "DE1"}]));
    let fields = [
        ("number", "X-1"),
        ("effective_at", "1900000000"),
        ("custom_fields[0][name]", "Order"),
        ("custom_fields[0][value]", "7"),
        ("rendering[pdf][page_size]", "letter"),
    ];
    let draft = draft(&stripe, &customer, &fields).await;
    assert_eq!((&draft["footer"], &draft["number"]), (&json!("Theirs"), &json!("X-1")));
    assert_eq!(draft["custom_fields"], json!([{"name": "Order", "value": "7"}]));
    let path = format!("/v1/invoices/{}", id(&draft));
    let cleared = stripe.post(&path, &[("custom_fields", ""), ("footer", ""), ("description", "Memo")]).await;
    assert_eq!((&cleared["custom_fields"], &cleared["footer"]), (&Value::Null, &Value::Null));
    let open = stripe.post(&format!("{path}/finalize"), &[]).await;
    assert_eq!((&open["number"], &open["effective_at"]), (&json!("X-1"), &json!(1_900_000_000)));
    let late = stripe.try_post(&path, &[("description", "Other")]).await;
    assert_eq!(late.error()["message"], "Finalized invoices can't be updated in this way");
    assert_eq!(stripe.post(&path, &[("metadata[k]", "v")]).await["metadata"], json!({"k": "v"}));
    let (_, next) = self::open(&stripe, &customer).await;
    assert!(next["number"].as_str().unwrap().ends_with("-0001"), "one's own number uses none up: {next}");
}

#[tokio::test]
async fn what_cannot_stand_on_an_invoice_is_refused() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    draft(&stripe, &customer, &[("number", "X-1")]).await;
    let long = "x".repeat(41);
    let own = ("customer", customer.as_str());
    for (fields, param) in [
        (vec![own, ("number", "X-1")], "number"),
        (
            vec![own, ("custom_fields[0][name]", &long), ("custom_fields[0][value]", "1")],
            "custom_fields[0][name]",
        ),
        (vec![own, ("custom_fields[0][name]", "a")], "custom_fields[0][value]"),
        (vec![own, ("rendering[pdf][page_size]", "a0")], "rendering[pdf][page_size]"),
        (vec![own, ("rendering[template]", "inrtem_1")], "rendering[template]"),
        (vec![own, ("due_date", "1")], "due_date"),
        (vec![own, ("automatically_finalizes_at", "1")], "automatically_finalizes_at"),
    ] {
        assert_eq!(stripe.try_post("/v1/invoices", &fields).await.error()["param"], param);
    }
}

#[tokio::test]
async fn a_draft_is_finalised_when_it_was_told_to_be() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let at = stripe.now().await + 3 * DAY;
    let draft = draft(&stripe, &customer, &[("automatically_finalizes_at", &at.to_string())]).await;
    assert_eq!((&draft["auto_advance"], &draft["automatically_finalizes_at"]), (&json!(true), &json!(at)));
    let path = format!("/v1/invoices/{}", id(&draft));
    stripe.pass(3 * DAY - HOUR).await;
    assert_eq!(stripe.get(&path).await["status"], "draft");
    let later = (at + DAY).to_string();
    stripe.post(&path, &[("automatically_finalizes_at", &later)]).await;
    stripe.pass(2 * HOUR).await;
    assert_eq!(stripe.get(&path).await["status"], "draft");
    let stopped = stripe.post(&path, &[("auto_advance", "false")]).await;
    assert_eq!(stopped["automatically_finalizes_at"], Value::Null);
    stripe.post(&path, &[("automatically_finalizes_at", &later)]).await;
    stripe.pass(DAY).await;
    assert_eq!(stripe.get(&path).await["status"], "open");
}

/// An open invoice whose payment was tried and declined.
async fn declined(stripe: &Stripe) -> (String, String, String) {
    let customer = stripe.customer().await;
    let (path, _) = open(stripe, &customer).await;
    let card = id(&stripe
        .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
        .await);
    assert_eq!(stripe.try_post(&format!("{path}/pay"), &[("payment_method", &card)]).await.status, 402);
    let intent = id(&stripe.get(&format!("/v1/payment_intents?customer={customer}")).await["data"][0]);
    (customer, path, intent)
}

#[tokio::test]
async fn what_is_paid_outside_or_void_cannot_be_paid_with_its_intent() {
    let stripe = Stripe::start().await;
    for (action, fields, reason) in [
        ("pay", vec![("paid_out_of_band", "true"), ("forgive", "true")], "automatic"),
        ("void", vec![], "void_invoice"),
    ] {
        let (_, path, intent) = declined(&stripe).await;
        let count = stripe.event_count().await;
        stripe.post(&format!("{path}/{action}"), &fields).await;
        let intent = stripe.get(&format!("/v1/payment_intents/{intent}")).await;
        assert_eq!((&intent["status"], &intent["cancellation_reason"]), (&json!("canceled"), &json!(reason)));
        assert!(stripe.events_since(count).await.contains(&"payment_intent.canceled".to_owned()));
        let invoice = path.rsplit_once('/').unwrap().1;
        let payments = stripe.get(&format!("/v1/invoice_payments?invoice={invoice}")).await;
        assert_eq!(payments["data"][0]["status"], "canceled");
    }
}

#[tokio::test]
async fn only_automatic_tries_make_delinquent_and_what_is_forgiven_does_not() {
    let stripe = Stripe::start().await;
    let (customer, _, _) = declined(&stripe).await;
    let customer = format!("/v1/customers/{customer}");
    assert_eq!(stripe.get(&customer).await["delinquent"], false, "somebody tried by hand");
    let card = stripe.get(&format!("{customer}/payment_methods")).await["data"][0].clone();
    let default = [("invoice_settings[default_payment_method]", card["id"].as_str().unwrap())];
    stripe.post(&customer, &default).await;
    let own = customer.rsplit_once('/').unwrap().1;
    let path = format!("/v1/invoices/{}", id(&draft(&stripe, own, &[]).await));
    stripe.post(&format!("{path}/finalize"), &[("auto_advance", "true")]).await;
    assert_eq!(stripe.get(&customer).await["delinquent"], true, "it was tried by itself");
    let given_up = stripe.post(&format!("{path}/mark_uncollectible"), &[]).await;
    assert_eq!(given_up["status_details"], json!({"uncollectible": {"reason": "user_forgiven"}}));
    assert_eq!(stripe.get(&customer).await["delinquent"], false);
    let again = stripe.try_post(&format!("{path}/mark_uncollectible"), &[]).await;
    assert_eq!(again.error()["message"], "You can only pass in open invoices. This invoice isn't open.");
    let void = stripe.post(&format!("{path}/void"), &[]).await;
    assert_eq!((&void["status"], void.get("status_details")), (&json!("void"), None));
}

#[tokio::test]
async fn a_revision_takes_the_place_of_an_open_invoice() {
    let stripe = Stripe::start().await;
    let customer = id(&stripe.post("/v1/customers", &[("balance", "-100"), ("email", "a@b.c")]).await);
    let (path, original) = open(&stripe, &customer).await;
    let from =
        [("from_invoice[action]", "revision"), ("from_invoice[invoice]", original["id"].as_str().unwrap())];
    let count = stripe.event_count().await;
    let revision = stripe.post("/v1/invoices", &[&from[..], &[("description", "Better")]].concat()).await;
    assert_eq!(
        stripe.events_since(count).await,
        ["invoiceitem.created", "invoice.created", "invoice.updated"]
    );
    assert_eq!((&revision["status"], &revision["total"]), (&json!("draft"), &json!(900)));
    assert_eq!(revision["from_invoice"], json!({"action": "revision", "invoice": original["id"]}));
    assert_eq!(stripe.get(&path).await["latest_revision"], revision["id"]);
    let own = format!("/v1/invoices/{}", id(&revision));
    let line = id(&revision["lines"]["data"][0]);
    stripe.post(&format!("{own}/lines/{line}"), &[("amount", "500")]).await;
    let done = stripe.post(&format!("{own}/finalize"), &[]).await;
    assert_eq!((&done["total"], &done["amount_due"]), (&json!(500), &json!(400)), "the credit is used again");
    let replaced = stripe.get(&path).await;
    assert_eq!((&replaced["status"], &replaced["total"]), (&json!("void"), &json!(900)));
    let refused = stripe.try_post("/v1/invoices", &from).await;
    assert_eq!(refused.error()["param"], "from_invoice[invoice]");
    let items = stripe.get(&format!("/v1/invoiceitems?customer={customer}")).await;
    assert_eq!(ids(&items).len(), 2);
}
