//! One trial a card: what becomes of the next one, and whose trials are left alone.

use std::collections::BTreeSet;

use serde_json::json;
use unsplit_billing::id::CustomerId;

use super::{ADA, WITH_CARD, charges, in_trial, newest_customer, shop};
use crate::support::GOOD;

const BOB: &str = "bob@example.com";
/// Another good card than `GOOD`.
const MASTERCARD: &str = "5555555555554444";

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_has_had_a_trial_ends_the_next_one_once() {
    let app = shop("", WITH_CARD).await;
    in_trial(&app, ADA, GOOD).await;
    assert_eq!(app.keys("stripe:trial-card:*").await.len(), 1);
    let mut bob = app.signed_up(BOB).await;
    let checkout = bob.subscribe("pro", "month").await;
    let customer = newest_customer(&app).await;
    let success = bob.pay(&checkout, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.text("main"));
    let account = bob.get("/account").await;
    assert!(account.heading().starts_with("Pro, renews on"), "{}", account.text("main"));
    assert!(account.text(".notice").contains("one free trial a card"), "{}", account.text("main"));
    let stored = app.snapshot(&customer).await;
    assert_eq!((&stored["status"], &stored["trialRefused"]), (&json!("active"), &json!(true)));

    let id = CustomerId::parse(customer.as_str()).unwrap();
    for _ in 0..3 {
        app.billing.sync_now(&id).await.unwrap();
    }
    app.eventually_quiet().await;
    let path = format!("/v1/subscriptions/{}", stored["subscriptionId"].as_str().unwrap());
    let asked = app.stripe.requests("POST", &path).await;
    let keys: BTreeSet<_> = asked.iter().map(|request| request["idempotency_key"].as_str()).collect();
    assert_eq!(keys.len(), 1, "all who judge do it once: {asked:?}");
    assert_eq!(charges(&app).await, 1);
    let text = serde_json::to_string(&app.snapshot(&customer).await).unwrap();
    assert!(!text.contains("ingerprint"), "the fingerprint stays in the adapter: {text}");

    // Another card is nobody's.
    let (mut eve, _) = in_trial(&app, "eve@example.com", MASTERCARD).await;
    assert!(eve.get("/account").await.heading().starts_with("Pro, free for 14 more days"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_used_card_is_the_sellers_policy() {
    for (policy, status) in [("cancel", "canceled"), ("allow", "trialing")] {
        let app = shop(&format!("reused_card = \"{policy}\""), WITH_CARD).await;
        in_trial(&app, ADA, GOOD).await;
        let (mut bob, customer) = in_trial(&app, BOB, GOOD).await;
        app.eventually_status(&customer, status).await;
        let account = bob.get("/account").await;
        let told = account.text(".notice").contains("yours has had it. You weren't charged");
        assert_eq!(told, policy == "cancel", "{}", account.text("main"));
        assert_eq!(charges(&app).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_ends_no_trial_but_the_next_sync_does() {
    let app = shop("", WITH_CARD).await;
    in_trial(&app, ADA, GOOD).await;
    let mut bob = app.signed_up(BOB).await;
    let checkout = bob.subscribe("pro", "month").await;
    let customer = newest_customer(&app).await;
    app.stripe.fault(&json!({ "method": "POST", "path": "/v1/subscriptions", "status": 503 })).await;
    bob.pay(&checkout, GOOD).await;
    app.eventually_status(&customer, "trialing").await;
    app.stripe.heal().await;
    app.eventually_status(&customer, "active").await;
    assert_eq!(charges(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_from_the_dashboard_is_never_ended() {
    let app = shop("", WITH_CARD).await;
    in_trial(&app, ADA, GOOD).await;
    app.signed_up(BOB).await.subscribe("pro", "month").await;
    let customer = newest_customer(&app).await;
    let card =
        app.stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", customer.as_str())]).await;
    let price = app.stripe.price("pro_monthly").await;
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", price["id"].as_str().unwrap()),
        ("default_payment_method", card["id"].as_str().unwrap()),
        ("trial_period_days", "30"),
    ];
    app.stripe.post("/v1/subscriptions", &form).await;
    app.eventually_status(&customer, "trialing").await;
    app.eventually_quiet().await;
    app.billing.sync_now(&CustomerId::parse(customer.as_str()).unwrap()).await.unwrap();
    assert_eq!(app.snapshot(&customer).await["status"], "trialing");
}
