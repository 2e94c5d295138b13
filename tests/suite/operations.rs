//! What docs/operations.md promises whoever is paged: every metric that it names, and what the queue
//! says of a customer whose sync fails.

use std::collections::BTreeSet;

use redis::AsyncCommands;
use serde_json::json;
use unsplit_billing::ports::EntryState;

use crate::support::{
    App, AppOptions, Delivery, Place, RedisServer, SlowLine, WEBHOOK_SECRET, event, eventually, finished,
};

const LIST: &str = "/v1/subscriptions";

/// Every metric that a text names, without what Prometheus appends to a histogram's name.
fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let all = text.split(word).filter(|it| it.starts_with("unsplit_"));
    let plain = |name: &str| {
        let part = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        part.unwrap_or(name).to_owned()
    };
    all.map(plain).collect()
}

/// The metrics of a process, asked until they have all these lines.
async fn scraped(home: &str, lines: &[&str]) -> String {
    let what = format!("the metrics say {lines:?}");
    eventually(&what, async || {
        let metrics = reqwest::get(format!("{home}/metrics")).await.ok()?.text().await.ok()?;
        lines.iter().all(|line| metrics.lines().any(|it| it.starts_with(line))).then_some(metrics)
    })
    .await
}

async fn webhook(home: &str, id: &str, customer: &str) -> u16 {
    Delivery::signed(event(id, customer), WEBHOOK_SECRET).send(home).await.0
}

/// A line's number.
fn number(metrics: &str, line: &str) -> Option<f64> {
    metrics.lines().find_map(|it| it.strip_prefix(line)?.trim().parse().ok())
}

/// The fetch of the first sync is overtaken by another process's, and the next one fails once.
async fn syncs_that_are_not_written(app: &App, line: &SlowLine, home: &str, customer: &str) {
    line.answered().await;
    app.sync(customer).await;
    // From now on the line holds nothing back for long.
    (0..100).for_each(|_| line.release());
    let overtaken = ["unsplit_redis_failovers_total 1", "unsplit_syncs_total{result=\"refused\"} 1"];
    scraped(home, &overtaken).await;
    app.stripe.fault(&json!({ "path": LIST, "status": 500, "should_retry": false, "times": 1 })).await;
    assert_eq!(webhook(home, "evt_1", customer).await, 200);
    let done = [
        "unsplit_webhooks_total{outcome=\"marked\"} 1",
        "unsplit_syncs_total{result=\"failed\"} 1",
        "unsplit_syncs_total{result=\"written\"}",
        "unsplit_trigger_to_stored_seconds_bucket",
    ];
    scraped(home, &done).await;
}

/// Stripe wants no calls for a while: who calls meanwhile is held back.
async fn a_pause(app: &App, home: &str, customer: &str) {
    let limit = "{limit=\"GET /v1/subscriptions\"}";
    let paused = format!("unsplit_stripe_budget_paused_seconds{limit}");
    let none = format!("{paused} 0");
    scraped(home, &[&none]).await;
    let slower =
        json!({ "path": LIST, "status": 429, "reason": "endpoint-rate", "retry_after": 8, "times": 1 });
    app.stripe.fault(&slower).await;
    assert_eq!(webhook(home, "evt_2", customer).await, 200);
    let metrics = eventually("the pause shows", async || {
        let metrics = scraped(home, &[&paused]).await;
        number(&metrics, &paused).is_some_and(|seconds| seconds > 0.0).then_some(metrics)
    })
    .await;
    assert!(number(&metrics, &paused).unwrap() <= 8.0, "{metrics}");
    assert!(number(&metrics, &format!("unsplit_stripe_budget_rate{limit}")).unwrap() < 25.0, "{metrics}");
    let other = app.stripe.post("/v1/customers", &[]).await["id"].as_str().unwrap().to_owned();
    assert_eq!(webhook(home, "evt_3", &other).await, 200);
    let waits =
        "unsplit_stripe_budget_waits_total{endpoint=\"GET /v1/subscriptions\",priority=\"background\"}";
    scraped(home, &[waits, "unsplit_stripe_budget_wait_seconds_bucket", &none]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_those_that_the_docs_name() {
    let mut redis = RedisServer::start();
    let mut app = App::with(AppOptions { redis_url: redis.url(), ..AppOptions::default() }).await;
    app.stripe.hold_webhooks().await;
    let customer = app.stripe.post("/v1/customers", &[]).await["id"].as_str().unwrap().to_owned();
    app.stripe.subscribe(&customer, "pro_monthly").await;
    // From here on the built program's worker is the only one. It finds another history, and marks everybody.
    app.stop().await;
    let history = json!(["0123456789012345678901234567890123456789"]).to_string();
    let _: () = app.redis.clone().set("stripe:replication", history).await.unwrap();
    let line = SlowLine::to(&app.stripe.url, LIST).await;
    let place = Place::new();
    let home = place.home();
    let mut serve = place.command(&["serve"], &app.variables(&home));
    serve.env("STRIPE_API_BASE", &line.url);
    let _running = place.answering(serve).await;
    syncs_that_are_not_written(&app, &line, &home, &customer).await;

    let unheard = app.stripe.post("/v1/customers", &[]).await["id"].as_str().unwrap().to_owned();
    app.stripe.subscribe(&unheard, "pro_monthly").await;
    assert_eq!(app.billing.reconcile().await.unwrap().drift, 1);
    scraped(&home, &["unsplit_drift_total 1"]).await;
    a_pause(&app, &home, &customer).await;

    redis.kill();
    assert_eq!(webhook(&home, "evt_4", &customer).await, 503);
    let down = ["unsplit_redis_up 0", "unsplit_webhooks_total{outcome=\"not stored: try again\"} 1"];
    let scraped = names(&scraped(&home, &down).await);
    let [operations, sync] =
        ["docs/operations.md", "docs/sync.md"].map(|path| names(&std::fs::read_to_string(path).unwrap()));
    assert!(operations.len() > 15, "{operations:?}");
    assert_eq!(operations, scraped, "the left ones are documented, the right ones are there");
    assert!(sync.is_subset(&operations), "{:?}", sync.difference(&operations));
}

/// Waits until a worker has failed so often, and waits to try again.
async fn failed(app: &App, customer: &str, attempts: u32) -> String {
    eventually("its syncs have failed", async || {
        let entries = app.billing.queue_entries(10).await.ok()?;
        let entry = entries.into_iter().find(|it| it.customer.as_str() == customer)?;
        let waits = entry.state == EntryState::Scheduled && entry.attempts == attempts;
        entry.last_error.filter(|_| waits)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_tells_how_often_a_customer_has_failed_why_and_what_comes_next() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, healthy, _) = app.subscriber("ada@example.com").await;
    app.eventually_quiet().await;
    let broken = json!({ "path": LIST, "status": 503, "should_retry": false, "retry_after": 600 });
    app.stripe.fault(&broken).await;
    let customer = app.stripe.post("/v1/customers", &[]).await["id"].as_str().unwrap().to_owned();
    assert_eq!(webhook(&app.url, "evt_1", &customer).await, 200);
    let (place, home) = (Place::new(), app.url.clone());
    for (attempts, said) in [(1, "1 try failed"), (2, "2 tries failed")] {
        let error = failed(&app, &customer, attempts).await;
        let queue = finished(place.command(&["queue"], &app.variables(&home))).await;
        let text = String::from_utf8(queue.stdout).unwrap();
        assert!(text.starts_with("0 due, 0 in flight, 1 failing, "), "{text}");
        let line = text.lines().find(|line| line.starts_with(&customer)).unwrap_or_else(|| panic!("{text}"));
        assert!(line.contains(" next try in ") && line.contains(" min "), "{line}");
        assert!(line.ends_with(&format!("  {said}, last: {error}")), "{line}\n{error}");
        assert!(text.find(&customer) < text.find(&healthy), "who fails comes first: {text}");
        // As after ten minutes.
        let _: () = app.redis.clone().zadd("{stripe:due:0}:due", &customer, 1).await.unwrap();
    }
}
