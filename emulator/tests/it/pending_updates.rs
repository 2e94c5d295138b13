//! What becomes of a change whose invoice is not paid at once.

use serde_json::{Value, json};

use crate::support::{GOOD, Stripe, id};
use crate::time::{DAY, HOUR, period};

/// Somebody in the middle of a month, whose card fails from now on; their subscription's path and item, and what
/// costs more.
async fn broke(stripe: &Stripe, token: &str) -> (String, String, String, String) {
    let (customer, subscription, item) = stripe.halfway().await;
    stripe.change_card(&customer, token).await;
    let dear = stripe.price_of("9900", "month").await;
    (customer, format!("/v1/subscriptions/{}", id(&subscription)), item, dear)
}

fn upgrade<'f>(item: &'f str, price: &'f str, behavior: &'f str) -> [(&'f str, &'f str); 4] {
    [
        ("items[0][id]", item),
        ("items[0][price]", price),
        ("proration_behavior", "always_invoice"),
        ("payment_behavior", behavior),
    ]
}

fn price(subscription: &Value) -> &Value {
    &subscription["items"]["data"][0]["price"]["id"]
}

#[tokio::test]
async fn a_change_that_is_not_paid_waits_and_happens_when_it_is() {
    for token in ["pm_card_chargeCustomerFail", "pm_card_authenticationRequired"] {
        let stripe = Stripe::start().await;
        let (customer, path, item, dear) = broke(&stripe, token).await;
        let before = stripe.only_subscription(&customer).await;
        let count = stripe.event_count().await;
        let waits = stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
        assert_eq!((waits["status"].as_str(), price(&waits)), (Some("active"), price(&before)));
        let update = &waits["pending_update"];
        assert_eq!(update["subscription_items"][0]["price"]["id"], *dear);
        let left = update["expires_at"].as_i64().unwrap() - stripe.now().await;
        assert!((23 * HOUR - 600..=23 * HOUR).contains(&left));
        assert_eq!(stripe.events_since(count).await.last().unwrap(), "customer.subscription.updated");
        let told = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"];
        assert_eq!(told["previous_attributes"]["pending_update"], Value::Null);
        assert!(told["previous_attributes"].get("items").is_none());

        let invoice =
            stripe.get(&format!("/v1/invoices/{}", waits["latest_invoice"].as_str().unwrap())).await;
        assert_eq!((&invoice["status"], &invoice["next_payment_attempt"]), (&json!("open"), &Value::Null));
        let url = invoice["hosted_invoice_url"].as_str().unwrap();
        let card = [("card_number", GOOD), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada")];
        let count = stripe.event_count().await;
        assert_eq!(stripe.submit(url, &card).await.status(), 303);
        let now = stripe.only_subscription(&customer).await;
        assert_eq!(
            (price(&now), &now["pending_update"], now["status"].as_str()),
            (&json!(dear), &Value::Null, Some("active"))
        );
        let types = stripe.events_since(count).await;
        assert_eq!(
            types[types.len() - 2..],
            ["customer.subscription.updated", "customer.subscription.pending_update_applied"]
        );
    }
}

#[tokio::test]
async fn a_change_that_is_paid_at_once_has_just_happened() {
    let stripe = Stripe::start().await;
    let (customer, path, item, dear) = broke(&stripe, "pm_card_visa").await;
    let count = stripe.event_count().await;
    let now = stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
    assert_eq!((price(&now), &now["pending_update"]), (&json!(dear), &Value::Null));
    let types = stripe.events_since(count).await;
    assert!(!types.iter().any(|name| name.contains("pending_update")), "{types:?}");
    let told = &stripe.get("/v1/events?type=customer.subscription.updated").await["data"][0]["data"];
    assert!(told["previous_attributes"].get("pending_update").is_none(), "nobody saw it wait");
    let first = stripe.invoices(&customer).await.remove(1);
    assert_eq!(told["previous_attributes"]["latest_invoice"], first["id"]);
    assert_eq!(stripe.invoices(&customer).await.remove(0)["status"], "paid");
}

#[tokio::test]
async fn a_change_that_nobody_pays_expires() {
    let stripe = Stripe::start().await;
    let (customer, path, item, dear) = broke(&stripe, "pm_card_chargeCustomerFail").await;
    let before = stripe.only_subscription(&customer).await;
    stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
    let count = stripe.event_count().await;
    stripe.pass(23 * HOUR + 1).await;
    let expected = [
        "customer.subscription.updated",
        "customer.subscription.pending_update_expired",
        "invoice.voided",
        "payment_intent.canceled",
    ];
    assert_eq!(stripe.events_since(count).await, expected);
    let now = stripe.only_subscription(&customer).await;
    assert_eq!(
        (price(&now), &now["pending_update"], period(&now)),
        (price(&before), &Value::Null, period(&before))
    );

    stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
    let waiting = stripe.invoices(&customer).await.remove(0);
    stripe.post(&format!("/v1/invoices/{}/void", id(&waiting)), &[]).await;
    assert!(stripe.only_subscription(&customer).await["pending_update"].is_null());
    stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
    let first = stripe.invoices(&customer).await.remove(0);
    stripe.change_card(&customer, "pm_card_visa").await;
    stripe.post(&path, &upgrade(&item, &dear, "pending_if_incomplete")).await;
    assert_eq!(stripe.get(&format!("/v1/invoices/{}", id(&first))).await["status"], "void", "it gives way");
    assert_eq!(price(&stripe.only_subscription(&customer).await), &json!(dear));
}

#[tokio::test]
async fn the_other_behaviors_do_what_they_say() {
    let stripe = Stripe::start().await;
    let (customer, path, item, dear) = broke(&stripe, "pm_card_chargeCustomerFail").await;
    let before = stripe.only_subscription(&customer).await;
    let count = stripe.event_count().await;
    let refused = stripe.try_post(&path, &upgrade(&item, &dear, "error_if_incomplete")).await;
    assert_eq!((refused.status, refused.error()["code"].as_str()), (402, Some("card_declined")));
    assert_eq!(stripe.only_subscription(&customer).await, before);
    assert!(stripe.events_since(count).await.is_empty());

    let late = stripe.post(&path, &upgrade(&item, &dear, "allow_incomplete")).await;
    assert_eq!((late["status"].as_str(), price(&late)), (Some("past_due"), &json!(dear)));
    let open = stripe.invoices(&customer).await.remove(0);
    assert!(open["next_payment_attempt"].is_i64());
    stripe.change_card(&customer, "pm_card_visa").await;
    stripe.post(&format!("/v1/invoices/{}/pay", id(&open)), &[]).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");

    let dearer = stripe.price_of("19900", "month").await;
    let waits = stripe.post(&path, &upgrade(&item, &dearer, "default_incomplete")).await;
    assert_eq!((waits["status"].as_str(), price(&waits)), (Some("past_due"), &json!(dearer)));
    let open = stripe.invoices(&customer).await.remove(0);
    assert_eq!((&open["status"], &open["attempted"]), (&json!("open"), &json!(false)));
    stripe.pass(DAY).await;
    stripe.post(&format!("/v1/invoices/{}/pay", id(&open)), &[]).await;
    assert_eq!(stripe.only_subscription(&customer).await["status"], "active");
}

#[tokio::test]
async fn only_what_can_wait_may_be_asked_to() {
    let stripe = Stripe::start().await;
    let (_, path, item, dear) = broke(&stripe, "pm_card_visa").await;
    for (name, value) in [("metadata[a]", "b"), ("cancel_at_period_end", "true"), ("description", "x")] {
        let fields = [&upgrade(&item, &dear, "pending_if_incomplete")[..], &[(name, value)]].concat();
        let refused = stripe.try_post(&path, &fields).await;
        assert_eq!((refused.status, refused.error()["param"].as_str()), (400, name.split('[').next()));
    }
    let canceled = stripe.delete(&path).await;
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(stripe.try_post(&path, &upgrade(&item, &dear, "allow_incomplete")).await.status, 400);
}

#[tokio::test]
async fn a_paused_subscription_goes_on_when_it_is_paid_for() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let fields = [
        ("customer", customer.as_str()),
        ("items[0][price]", price.as_str()),
        ("trial_period_days", "1"),
        ("trial_settings[end_behavior][missing_payment_method]", "pause"),
    ];
    let path = format!("/v1/subscriptions/{}", id(&stripe.post("/v1/subscriptions", &fields).await));
    stripe.pass(2 * DAY).await;
    assert_eq!(stripe.post(&format!("{path}/resume"), &[]).await["status"], "paused", "there is no card yet");
    stripe.change_card(&customer, "pm_card_visa").await;
    let resumed = stripe.post(&format!("{path}/resume"), &[]).await;
    assert_eq!(resumed["status"], "active");
    let (start, _) = period(&resumed);
    assert!((0..600).contains(&(stripe.now().await - start)));
    assert_eq!(stripe.event_types().await.last().unwrap(), "customer.subscription.resumed");
    assert_eq!(stripe.try_post(&format!("{path}/resume"), &[]).await.status, 400);
}
