//! Invoices that are sent to their customer, who pays them by a date: of subscriptions, of schedules and alone.

use serde_json::{Value, json};

use crate::support::{GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

const SENT: [(&str, &str); 2] = [("collection_method", "send_invoice"), ("days_until_due", "10")];

async fn subscribe(stripe: &Stripe) -> (String, Value) {
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [("customer", customer.as_str()), ("items[0][price]", price.as_str())];
    let subscription = stripe.post("/v1/subscriptions", &[&fields[..], &SENT[..]].concat()).await;
    (customer, subscription)
}

async fn only_invoice(stripe: &Stripe, customer: &str) -> Value {
    let mut all = stripe.invoices(customer).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn is_delinquent(stripe: &Stripe, customer: &str) -> Value {
    stripe.get(&format!("/v1/customers/{customer}")).await["delinquent"].clone()
}

#[tokio::test]
async fn a_subscription_begins_at_once_and_its_invoice_is_sent_after_an_hour() {
    let stripe = Stripe::start().await;
    let (customer, subscription) = subscribe(&stripe).await;
    assert_eq!((&subscription["status"], &subscription["days_until_due"]), (&json!("active"), &json!(10)));
    let draft = only_invoice(&stripe, &customer).await;
    assert_eq!((&draft["status"], &draft["collection_method"]), (&json!("draft"), &json!("send_invoice")));
    let due = draft["created"].as_i64().unwrap() + 10 * DAY;
    assert_eq!((&draft["due_date"], &draft["invoice_pdf"]), (&json!(due), &Value::Null));
    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    assert_eq!(
        stripe.events_since(count).await,
        ["customer.updated", "invoice.finalized", "invoice.sent"].map(str::to_owned)[1..].to_vec()
    );
    let open = only_invoice(&stripe, &customer).await;
    assert_eq!((&open["status"], &open["attempted"]), (&json!("open"), &json!(false)));
    assert_eq!((&open["next_payment_attempt"], &open["due_date"]), (&Value::Null, &json!(due)));
    assert_eq!(stripe.get("/v1/charges").await["data"], json!([]));
    let by_date = stripe.get(&format!("/v1/invoices?due_date[lte]={due}")).await;
    assert_eq!(by_date["data"].as_array().unwrap().len(), 1);
    assert_eq!(stripe.get(&format!("/v1/invoices?due_date[gt]={due}")).await["data"], json!([]));
}

#[tokio::test]
async fn who_has_not_paid_by_the_date_is_past_due_until_they_do() {
    let stripe = Stripe::start().await;
    let (customer, _) = subscribe(&stripe).await;
    stripe.pass(10 * DAY - 60).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    let count = stripe.event_count().await;
    stripe.pass(2 * 60).await;
    assert_eq!(
        stripe.events_since(count).await,
        ["customer.updated", "customer.subscription.updated"].map(str::to_owned)
    );
    assert_eq!(stripe.only_subscription(&customer).await["status"], "past_due");
    assert_eq!(is_delinquent(&stripe, &customer).await, true);
    let url = only_invoice(&stripe, &customer).await["hosted_invoice_url"].as_str().unwrap().to_owned();
    let shown = stripe.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("<dt>Due</dt>"), "{shown}");
    let fields = [("card_number", GOOD), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada Lovelace")];
    assert_eq!(stripe.submit(&url, &fields).await.status(), 303);
    assert_eq!(only_invoice(&stripe, &customer).await["status"], "paid");
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    assert_eq!(is_delinquent(&stripe, &customer).await, false);
}

#[tokio::test]
async fn a_card_that_fails_by_hand_makes_nobody_late_before_the_date() {
    let stripe = Stripe::start().await;
    let (customer, _) = subscribe(&stripe).await;
    stripe.pass(HOUR).await;
    let invoice = id(&only_invoice(&stripe, &customer).await);
    let card = stripe
        .post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", &[("customer", &customer)])
        .await;
    let paid =
        stripe.try_post(&format!("/v1/invoices/{invoice}/pay"), &[("payment_method", &id(&card))]).await;
    assert_eq!(paid.status, 402);
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    assert_eq!(is_delinquent(&stripe, &customer).await, false);
    assert_eq!(stripe.get(&format!("/v1/invoices/{invoice}")).await["next_payment_attempt"], Value::Null);
}

#[tokio::test]
async fn the_automations_tell_before_and_after_the_date_if_they_are_on() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/billing", json!({ "will_be_due_days": 3, "overdue_days": 2 })).await;
    let (customer, _) = subscribe(&stripe).await;
    stripe.pass(HOUR).await;
    for (days, expected) in [
        (7, vec!["invoice.will_be_due"]),
        (3, vec!["customer.updated", "customer.subscription.updated"]),
        (2, vec!["invoice.overdue"]),
    ] {
        let count = stripe.event_count().await;
        stripe.pass(days * DAY).await;
        assert_eq!(stripe.events_since(count).await, expected);
    }
    assert_eq!(only_invoice(&stripe, &customer).await["status"], "open");
    let bad = stripe.try_control("/_emulator/billing", json!({ "overdue_days": -1 })).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn the_way_of_paying_changes_for_the_invoices_to_come() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let missing = stripe.try_post(&path, &[("collection_method", "send_invoice")]).await;
    assert_eq!(missing.error()["param"], "days_until_due");
    assert_eq!(stripe.try_post(&path, &[("days_until_due", "5")]).await.error()["param"], "days_until_due");
    let changed = stripe.post(&path, &SENT).await;
    assert_eq!(
        (&changed["collection_method"], &changed["days_until_due"]),
        (&json!("send_invoice"), &json!(10))
    );
    let preview = stripe.post("/v1/invoices/create_preview", &[("subscription", &id(&subscription))]).await;
    let end = period(&subscription).1;
    assert_eq!(
        (&preview["due_date"], &preview["next_payment_attempt"]),
        (&json!(end + 10 * DAY), &Value::Null)
    );
    stripe.pass_until(end + 2 * HOUR).await;
    let renewal = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&renewal["status"], &renewal["due_date"]), (&json!("open"), &json!(end + 10 * DAY)));
    let changed = stripe.post(&path, &[("collection_method", "charge_automatically")]).await;
    assert_eq!(changed["days_until_due"], Value::Null);
    assert_eq!(stripe.invoices(&customer).await[0]["collection_method"], "send_invoice");
    let nobody = id(&stripe.post("/v1/customers", &[]).await);
    let price = stripe.price().await;
    let fields = [("customer", nobody.as_str()), ("items[0][price]", &price)];
    let refused = stripe.try_post("/v1/subscriptions", &[&fields[..], &SENT[..]].concat()).await;
    assert!(refused.error()["message"].as_str().unwrap().starts_with("Missing email."));
}

#[tokio::test]
async fn a_change_is_sent_and_a_trial_ends_without_a_card() {
    let stripe = Stripe::start().await;
    let (customer, subscription) = subscribe(&stripe).await;
    stripe.pass(HOUR).await;
    let item = id(&subscription["items"]["data"][0]);
    let fields = [
        ("items[0][id]", item.as_str()),
        ("items[0][quantity]", "3"),
        ("proration_behavior", "always_invoice"),
    ];
    let count = stripe.event_count().await;
    stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &fields).await;
    let types = stripe.events_since(count).await;
    assert_eq!(types.last().unwrap(), "invoice.sent", "{types:?}");
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
    let (other, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", other.as_str()),
        ("items[0][price]", &price),
        ("trial_period_days", "3"),
        ("trial_settings[end_behavior][missing_payment_method]", "cancel"),
    ];
    let trial = stripe.post("/v1/subscriptions", &[&fields[..], &SENT[..]].concat()).await;
    assert_eq!(trial["status"], "trialing");
    stripe.pass(3 * DAY + 2 * HOUR).await;
    assert_eq!(stripe.only_subscription(&other).await["status"], "active");
    let states = stripe.invoices(&other).await.into_iter().map(|it| it["status"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["open", "paid"]);
}

#[tokio::test]
async fn phases_of_a_schedule_say_how_they_are_paid() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("start_date", "now"),
        ("phases[0][items][0][price]", &price),
        ("phases[0][duration][interval]", "month"),
        ("phases[0][collection_method]", "send_invoice"),
        ("phases[0][invoice_settings][days_until_due]", "7"),
        ("phases[1][items][0][price]", &price),
    ];
    let schedule = stripe.post("/v1/subscription_schedules", &fields).await;
    let subscription = stripe.only_subscription(&customer).await;
    assert_eq!(
        (&subscription["collection_method"], &subscription["days_until_due"]),
        (&json!("send_invoice"), &json!(7))
    );
    assert_eq!(only_invoice(&stripe, &customer).await["collection_method"], "send_invoice");
    stripe.pass_until(period(&subscription).1 + 60).await;
    let subscription = stripe.only_subscription(&customer).await;
    assert_eq!(
        (&subscription["collection_method"], &subscription["days_until_due"]),
        (&json!("charge_automatically"), &Value::Null)
    );
    let path = format!("/v1/subscription_schedules/{}", id(&schedule));
    stripe.post(&format!("{path}/release"), &[]).await;
    stripe.post(&format!("/v1/subscriptions/{}", id(&subscription)), &SENT).await;
    let over = stripe.post("/v1/subscription_schedules", &[("from_subscription", &id(&subscription))]).await;
    assert_eq!(over["default_settings"]["collection_method"], "send_invoice");
    assert_eq!(over["phases"][0]["invoice_settings"]["days_until_due"], 10);
}

/// One of nobody's subscription, over 9 dollars.
async fn draft(stripe: &Stripe, customer: &str, more: &[(&str, &str)]) -> Value {
    let item = [("customer", customer), ("amount", "900"), ("currency", "usd")];
    stripe.post("/v1/invoiceitems", &item).await;
    let fields = [("customer", customer), ("pending_invoice_items_behavior", "include")];
    stripe.post("/v1/invoices", &[&fields[..], more].concat()).await
}

#[tokio::test]
async fn an_invoice_alone_is_sent_by_hand() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let charged = draft(&stripe, &customer, &[]).await;
    let refused = stripe.try_post(&format!("/v1/invoices/{}/send", id(&charged)), &[]).await;
    assert!(refused.error()["message"].as_str().unwrap().contains("'send_invoice'"));
    let due = (stripe.now().await + 5 * DAY).to_string();
    let by_date =
        draft(&stripe, &customer, &[("collection_method", "send_invoice"), ("due_date", &due)]).await;
    assert_eq!(by_date["due_date"].to_string(), due);
    let count = stripe.event_count().await;
    let sent = stripe.post(&format!("/v1/invoices/{}/send", id(&by_date)), &[]).await;
    assert_eq!((&sent["status"], sent["hosted_invoice_url"].is_string()), (&json!("open"), true));
    assert_eq!(stripe.events_since(count).await, ["invoice.finalized", "invoice.sent"]);
    let again = stripe.post(&format!("/v1/invoices/{}/send", id(&by_date)), &[]).await;
    assert_eq!(again, sent);
    let path = format!("/v1/invoices/{}", id(&by_date));
    assert_eq!(stripe.try_post(&path, &[("due_date", &due)]).await.error()["code"], "invoice_not_editable");
    stripe.post(&format!("{path}/void"), &[]).await;
    assert_eq!(stripe.try_post(&format!("{path}/send"), &[]).await.status, 400);
}

#[tokio::test]
async fn an_invoice_alone_is_sent_by_itself_if_it_may() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let due = (stripe.now().await + 5 * DAY).to_string();
    let resumed = draft(&stripe, &customer, &SENT).await;
    let path = format!("/v1/invoices/{}", id(&resumed));
    stripe.post(&format!("{path}/finalize"), &[("auto_advance", "false")]).await;
    let resumed = stripe.post(&path, &[("auto_advance", "true")]).await;
    assert_eq!((&resumed["auto_advance"], &resumed["next_payment_attempt"]), (&json!(true), &Value::Null));
    stripe.post(&format!("{path}/void"), &[]).await;
    let itself = draft(&stripe, &customer, &[&SENT[..], &[("auto_advance", "true")]].concat()).await;
    let count = stripe.event_count().await;
    stripe.pass(HOUR).await;
    assert_eq!(stripe.events_since(count).await, ["invoice.finalized", "invoice.sent"]);
    let both = [&SENT[..], &[("due_date", due.as_str())]].concat();
    let fields = [("customer", customer.as_str())];
    let refused = stripe.try_post("/v1/invoices", &[&fields[..], &both].concat()).await;
    assert_eq!(refused.error()["param"], "due_date");
    let path = format!("/v1/invoices/{}", id(&itself));
    let paid = stripe.post(&format!("{path}/pay"), &[("paid_out_of_band", "true")]).await;
    assert_eq!(paid["status"], "paid");
    stripe.pass(20 * DAY).await;
    assert_eq!(is_delinquent(&stripe, &customer).await, false, "what is paid or void is never overdue");
}
