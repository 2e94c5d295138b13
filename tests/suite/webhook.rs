//! The webhook: whose deliveries are taken, what is ignored, and that nothing is lost.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
use tokio::task::JoinSet;
use unsplit_billing::adapters::redis::QueueSettings;

use crate::support::{
    App, AppOptions, Delivery, GOOD, RedisServer, Tuning, WEBHOOK_SECRET, event, eventually, tuning,
};

/// How many triggers the app has taken.
async fn marks(app: &App) -> usize {
    let events = app.billing.received_events(200).await.unwrap();
    events.iter().filter(|event| event.received.outcome == "marked").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_stripe_has_signed_lately_is_taken() {
    let secrets = vec!["whsec_new".to_owned(), WEBHOOK_SECRET.to_owned()];
    let app = App::with(AppOptions { webhook_secrets: secrets, ..AppOptions::default() }).await;
    let body = event("evt_1", "cus_1");
    let bad = [
        ("missing", Delivery { body: body.to_string(), signature: None }),
        ("malformed", Delivery { body: body.to_string(), signature: Some("v1=00".to_owned()) }),
        ("of another secret", Delivery::signed(&body, "whsec_other")),
        ("old", Delivery::signed_at(&body, WEBHOOK_SECRET, 400)),
        (
            "of another body",
            Delivery { body: event("evt_2", "cus_2").to_string(), ..Delivery::signed(&body, WEBHOOK_SECRET) },
        ),
    ];
    for (what, delivery) in bad {
        let (status, text) = delivery.send(&app.url).await;
        assert_eq!(status, 400, "{what}: {text}");
        assert!(!text.contains("whsec"), "{what}: {text}");
    }
    assert_eq!(marks(&app).await, 0);
    // Both secrets of a rotation are good, and so is one of several signatures.
    for secret in ["whsec_new", WEBHOOK_SECRET] {
        assert_eq!(Delivery::signed(&body, secret).send(&app.url).await.0, 200, "{secret}");
    }
    let mut several = Delivery::signed(&body, WEBHOOK_SECRET);
    several.signature = several.signature.map(|it| it.replace(",v1=", ",v1=00,v0=11,v1="));
    assert_eq!(several.send(&app.url).await.0, 200);
    assert_eq!(marks(&app).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_concerns_no_customer_of_this_mode_is_acknowledged_and_ignored() {
    let app = App::start().await;
    let with = |change: serde_json::Value| {
        let mut body = event("evt_1", "cus_1");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    for body in [
        with(json!({ "livemode": true })),
        with(json!({ "type": "product.created" })),
        with(json!({ "type": "something.new" })),
        with(json!({ "data": { "object": { "customer": null } } })),
        with(json!({ "data": {} })),
    ] {
        let (status, text) = Delivery::signed(&body, WEBHOOK_SECRET).send(&app.url).await;
        assert_eq!(status, 200, "{text} {body}");
        assert!(text.starts_with("ignored"), "{text} {body}");
    }
    assert_eq!(marks(&app).await, 0);
    let version = with(json!({ "api_version": "2099-01-01.future", "new_field": [1] }));
    assert_eq!(Delivery::signed(&version, WEBHOOK_SECRET).send(&app.url).await.0, 200);
    let expanded =
        with(json!({ "data": { "object": { "customer": { "id": "cus_2", "object": "customer" } } } }));
    assert_eq!(Delivery::signed(&expanded, WEBHOOK_SECRET).send(&app.url).await.0, 200);
    assert_eq!(marks(&app).await, 2);
    let kept: Vec<String> = app.redis.clone().lrange("{stripe:due:0}:events", 0, -1).await.unwrap();
    assert_eq!(kept.iter().filter(|text| text.contains("marked")).count(), 2, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_is_refused() {
    let app = App::start().await;
    for body in ["", "not JSON", "[]", "{}", r#"{"id":"evt_1","type":"invoice.paid"}"#] {
        let (status, text) = Delivery::signed(body, WEBHOOK_SECRET).send(&app.url).await;
        assert_eq!(status, 400, "{body:?}: {text}");
    }
    let large = Delivery::signed("x".repeat(1024 * 1024 + 1), WEBHOOK_SECRET);
    assert_eq!(large.send(&app.url).await.0, 413);
    let get = reqwest::get(format!("{}/webhooks/stripe", app.url)).await.unwrap();
    assert_eq!(get.status(), 405);
    assert_eq!(marks(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_for_one_customer_costs_few_fetches() {
    let queue = QueueSettings { quiet: Duration::from_millis(500), ..tuning().queue };
    let app = App::with(AppOptions { tuning: Tuning { queue, ..tuning() }, ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber("ada@example.com").await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.stripe.forget_requests().await;
    let started = std::time::Instant::now();
    let mut burst = JoinSet::new();
    for number in 0..100 {
        let delivery = Delivery::signed(event(&format!("evt_{number}"), &customer), WEBHOOK_SECRET);
        let url = app.url.clone();
        burst.spawn(async move { delivery.send(&url).await.0 });
    }
    assert!(burst.join_all().await.iter().all(|status| *status == 200));
    app.eventually_status(&customer, "past_due").await;
    eventually("no mark is left", async || {
        let waiting: Vec<String> =
            app.redis.clone().zrangebyscore("{stripe:due:0}:due", 0, now() + 60_000).await.unwrap();
        let leased: u64 = app.redis.clone().zcard("{stripe:due:0}:leased").await.unwrap();
        (waiting.is_empty() && leased == 0).then_some(())
    })
    .await;
    let most = 2 + started.elapsed().as_millis() / 500;
    let fetches = app.stripe.requests("GET", "/v1/subscriptions").await.len();
    assert!(fetches as u128 <= most, "{fetches} fetches for one burst, in {:?}", started.elapsed());
    assert!(fetches >= 1);
}

fn now() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_redis_loses_no_event() {
    let mut redis = RedisServer::start();
    let app = App::with(AppOptions { redis_url: redis.url(), ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    let mut browser = app.signed_up("ada@example.com").await;
    let checkout = browser.subscribe("pro", "month").await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let customer = app.only_customer().await;
    redis.kill();
    let (status, _) = Delivery::signed(event("evt_1", &customer), WEBHOOK_SECRET).send(&app.url).await;
    assert_eq!(status, 503, "Stripe is to send it again");
    app.stripe.release_webhooks().await;
    eventually("a delivery has failed", async || {
        let all = app.stripe.list("/_emulator/deliveries?limit=100").await;
        all.iter().any(|delivery| delivery["attempts"][0]["status"] == 503).then_some(())
    })
    .await;
    redis.restart();
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_redis_goes_on_when_it_is_back() {
    let mut redis = RedisServer::start();
    let app = App::with(AppOptions { redis_url: redis.url(), ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber("ada@example.com").await;
    // Taken and acknowledged, then Redis dies before or in the middle of the sync.
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    app.stripe.fault(&json!({ "path": "/v1/subscriptions", "latency_ms": 150, "times": 1 })).await;
    assert_eq!(Delivery::signed(event("evt_1", &customer), WEBHOOK_SECRET).send(&app.url).await.0, 200);
    redis.kill();
    redis.restart();
    app.eventually_status(&customer, "unpaid").await;
}
