//! The one value: which subscription it shows, that no old fetch overwrites a newer one, and what
//! each status looks like.

use std::time::Duration;

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::Written;

use crate::support::{App, SlowLine, eventually};

const ADA: &str = "ada@example.com";
const LIST: &str = "/v1/subscriptions";

#[tokio::test(flavor = "multi_thread")]
async fn the_best_subscription_wins_over_a_newer_abandoned_one() {
    let app = App::start().await;
    let (mut browser, customer, paid) = app.subscriber(ADA).await;
    let price = app.stripe.price("team_monthly").await;
    let form = [
        ("customer", customer.as_str()),
        ("items[0][price]", price["id"].as_str().unwrap()),
        ("payment_behavior", "default_incomplete"),
    ];
    let abandoned = app.stripe.post(LIST, &form).await;
    assert_eq!(abandoned["status"], "incomplete");
    let stored = app.sync(&customer).await;
    assert_eq!(stored["subscriptionId"], json!(paid));
    assert_eq!(stored["others"], Value::Null, "one that was never paid is not running");

    // A second one that is paid is told, and the higher plan is shown.
    let team = app.stripe.subscribe(&customer, "team_monthly").await;
    let stored = app.sync(&customer).await;
    assert_eq!((&stored["subscriptionId"], &stored["plan"]), (&json!(team), &json!("team")));
    assert_eq!(stored["others"][0]["subscriptionId"], json!(paid));
    assert!(browser.get("/account").await.text(".notice").contains("more than one subscription"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_old_fetch_never_overwrites_a_newer_one() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let slow = app.another_process(&line.url).await;
    let id = CustomerId::parse(customer.as_str()).unwrap();
    let old = tokio::spawn(async move { slow.sync(&id).await.unwrap() });
    line.answered().await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    let newer = app.sync(&customer).await;
    assert_eq!(newer["status"], "past_due");
    line.release();
    let old = old.await.unwrap();
    assert_eq!(old.written, Written::Refused);
    assert_eq!(serde_json::to_value(&old.snapshot).unwrap(), newer, "it reports what the newer one wrote");
    assert_eq!(app.snapshot(&customer).await, newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_began_before_redis_lost_its_memory_is_refused() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let slow = app.another_process(&line.url).await;
    let id = CustomerId::parse(customer.as_str()).unwrap();
    let old = tokio::spawn(async move { slow.sync_now(&id).await.unwrap() });
    line.answered().await;
    let keys = app.keys("*stripe:customer:*").await;
    let _: u64 = app.redis.clone().del(keys).await.unwrap();
    line.release();
    assert_eq!(old.await.unwrap().written, Written::Refused);
    // It stayed due, and the app's own worker made it good.
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_and_one_that_never_was_can_be_synced() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    app.stripe.delete(&format!("/v1/customers/{customer}")).await;
    let stored = app.sync(&customer).await;
    assert!(["none", "canceled"].contains(&stored["status"].as_str().unwrap()), "{stored}");
    assert!(browser.get("/app").await.text("main").contains("comes with any paid plan"));
    assert_eq!(app.sync("cus_unknown").await["status"], "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_gives_what_redis_holds_to_the_letter() {
    let app = App::start().await;
    assert_eq!(app.browser().once(Method::GET, "/api/subscription", &[]).await.status, 401);
    let mut bob = app.signed_up("bob@example.com").await;
    assert_eq!(bob.get("/api/subscription").await.html, r#"{"status":"none"}"#);
    app.stripe.hold_webhooks().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let stored = app.stored(&format!("stripe:customer:{customer}")).await.unwrap();
    let answer = browser.get("/api/subscription").await;
    assert_eq!(answer.html, stored);
    assert_eq!(answer.headers["content-type"], "application/json");
    for field in [
        "subscriptionId",
        "status",
        "priceId",
        "currentPeriodStart",
        "currentPeriodEnd",
        "cancelAtPeriodEnd",
        "paymentMethod",
    ] {
        assert!(!app.snapshot(&customer).await[field].is_null(), "Theo's field {field}: {stored}");
    }
    // Another program's value, with Theo's fields alone, is read as well.
    let theirs = r#"{"subscriptionId":"sub_1","status":"active","priceId":"price_1","currentPeriodEnd":1900000000,
        "currentPeriodStart":1890000000,"cancelAtPeriodEnd":false,"paymentMethod":null}"#;
    let _: () = app.redis.clone().set(format!("stripe:customer:{customer}"), theirs).await.unwrap();
    assert_eq!(browser.get("/api/subscription").await.html, theirs);
    assert_eq!(browser.get("/account").await.heading(), "We don't know your plan");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_value_heals_at_the_first_look() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    for path in ["/account", "/app", "/api/subscription"] {
        let _: u64 = app.redis.clone().del(format!("stripe:customer:{customer}")).await.unwrap();
        assert_eq!(browser.get(path).await.status, 200, "{path}");
        assert_eq!(app.snapshot(&customer).await["status"], "active", "{path}");
    }
    // Where Stripe does not answer either, nobody is told that they have no plan.
    let _: u64 = app.redis.clone().del(format!("stripe:customer:{customer}")).await.unwrap();
    app.stripe.fault(&json!({ "path": "/v1", "status": 503 })).await;
    for path in ["/account", "/app", "/api/subscription"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 503, "{path}");
        assert!(!page.text("main").contains("Free"), "{path}: {}", page.text("main"));
    }
    app.stripe.heal().await;
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_tried_again_as_stripe_asks() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    let id = CustomerId::parse(customer.as_str()).unwrap();
    for (fault, requests, succeeds) in [
        (json!({ "status": 429 }), 2, true),
        (json!({ "status": 429, "should_retry": false }), 1, false),
        (json!({ "status": 429, "should_retry": true }), 2, true),
        (json!({ "status": 503 }), 2, true),
        (json!({ "status": 503, "should_retry": false }), 1, false),
        (json!({ "status": 409 }), 2, true),
        (json!({ "status": 400 }), 1, false),
        (json!({ "cut": "before" }), 2, true),
        // Longer than a caller waits: handed on.
        (json!({ "status": 503, "retry_after": 60 }), 1, false),
    ] {
        let mut once = fault.clone();
        once["path"] = json!(LIST);
        once["times"] = json!(1);
        app.stripe.forget_requests().await;
        app.stripe.fault(&once).await;
        assert_eq!(app.billing.sync(&id).await.is_ok(), succeeds, "{fault}");
        assert_eq!(app.stripe.requests("GET", LIST).await.len(), requests, "{fault}");
        app.stripe.heal().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_waits_as_long_as_stripe_asks_and_then_heals() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.stripe.forget_requests().await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    app.stripe.fault(&json!({ "path": LIST, "status": 429, "retry_after": 1, "times": 1 })).await;
    let asked = std::time::Instant::now();
    app.stripe.release_webhooks().await;
    eventually("the first try", async || (!app.stripe.requests("GET", LIST).await.is_empty()).then_some(()))
        .await;
    app.eventually_status(&customer, "unpaid").await;
    assert!(asked.elapsed() >= Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(app.stripe.requests("GET", LIST).await[0]["status"], 429);
}
