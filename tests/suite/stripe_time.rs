//! Whose clock counts: Stripe's, which an emulator's user moves.

use serde_json::json;

use crate::support::{App, GOOD, eventually};

const ADA: &str = "ada@example.com";
const DAY: i64 = 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_sold_after_the_clock_was_moved() {
    let app = App::start().await;
    app.stripe.control("clock", &json!({ "advance_seconds": 400 * DAY })).await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    assert!(checkout.url.as_str().starts_with(&app.stripe.url), "{} {}", checkout.url, checkout.text("main"));
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro");
    let stored = app.snapshot(&app.only_customer().await).await;
    let (start, synced) = (stored["currentPeriodStart"].as_i64(), stored["syncedAt"].as_i64());
    assert!(synced.unwrap() >= start.unwrap() - 60, "dated by Stripe's clock: {stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn access_ends_by_stripes_clock_without_a_word_from_stripe() {
    let app = App::start().await;
    let (mut browser, _, subscription) = app.subscriber(ADA).await;
    app.stripe.post(&format!("/v1/subscriptions/{subscription}"), &[("cancel_at_period_end", "true")]).await;
    app.stripe.drop_webhooks().await;
    app.sync(&app.only_customer().await).await;
    assert_eq!(browser.get("/app").await.heading(), "Your year ahead");
    app.stripe.control("clock", &json!({ "advance_seconds": 32 * DAY })).await;
    eventually("the gate to close", async || {
        let page = browser.get("/app").await.text("main");
        page.contains("It comes with any paid plan").then_some(())
    })
    .await;
}
