//! Reconciliation: what a webhook should have brought and did not is found in Stripe's events.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use redis::AsyncCommands;
use serde_json::{Value, json};
use unsplit_billing::clock::UnixMillis;
use unsplit_billing::ports::{Clock, SystemClock};
use unsplit_billing::service::Reconciler;

use crate::support::{App, AppOptions, Tuning, eventually, tuning};

const ADA: &str = "ada@example.com";
const UPDATED: &str = "customer.subscription.updated";
const CURSOR: &str = "stripe:reconciled";

/// A clock that is wrong.
pub struct Skewed(pub i64);

impl Clock for Skewed {
    fn now(&self) -> UnixMillis {
        UnixMillis(SystemClock.now().0 + self.0 * 1000)
    }
}

/// Changes made as in the Dashboard, with events and no webhooks.
async fn with_lost_webhook(tuning: Tuning) -> (App, String) {
    let app = App::with(AppOptions { tuning, ..AppOptions::default() }).await;
    app.stripe.drop_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.billing.reconcile().await.unwrap();
    app.eventually_quiet().await;
    // Fetched a minute ago, by Redis: nothing that came since has brought a fetch.
    let mut value = app.snapshot(&customer).await;
    value["syncedAt"] = json!(value["syncedAt"].as_i64().unwrap() - 60);
    let key = format!("stripe:customer:{customer}");
    let _: () = app.redis.clone().set(&key, value.to_string()).await.unwrap();
    let change = json!({ "status": "past_due", "_event": UPDATED });
    app.stripe.patch("subscriptions", &subscription, &change).await;
    (app, customer)
}

async fn cursor(app: &App) -> Value {
    serde_json::from_str(&app.stored(CURSOR).await.unwrap()).unwrap()
}

async fn set_cursor(app: &App, cursor: &Value) {
    let _: () = app.redis.clone().set(CURSOR, cursor.to_string()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_webhook_is_found_and_counted() {
    let (app, customer) = with_lost_webhook(tuning()).await;
    assert_eq!(app.snapshot(&customer).await["status"], "active", "nobody has said so");
    let found = app.billing.reconcile().await.unwrap();
    assert_eq!((found.customers, found.marked, found.drift), (1, 1, 1), "{found:?}");
    assert_eq!(found.rebuild_due, None);
    app.eventually_status(&customer, "past_due").await;
    let cursor = cursor(&app).await;
    assert!(cursor["drift"].as_u64().unwrap() >= 1, "{cursor}");
    assert_eq!(Some(app.billing.drift().await.unwrap()), cursor["drift"].as_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_fetched_after_the_event_is_left_alone() {
    let (app, customer) = with_lost_webhook(tuning()).await;
    let mut value = app.sync(&customer).await;
    let later = SystemClock.now().secs() + 60;
    value["syncedAt"] = json!(later);
    let key = format!("stripe:customer:{customer}");
    let _: () = app.redis.clone().set(&key, value.to_string()).await.unwrap();
    let found = app.billing.reconcile().await.unwrap();
    assert_eq!((found.customers, found.marked), (1, 0), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_hides_nothing() {
    let ahead = Tuning { clock: Arc::new(Skewed(90)), ..tuning() };
    let (app, customer) = with_lost_webhook(ahead).await;
    assert_eq!(app.billing.reconcile().await.unwrap().marked, 1);
    app.eventually_status(&customer, "past_due").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_no_longer_lists_only_a_rebuild_can_tell() {
    let app = App::start().await;
    app.billing.reconcile().await.unwrap();
    let old = SystemClock.now().secs() - 40 * 86_400;
    set_cursor(&app, &json!({ "eventsUntil": old, "rebuildDue": null, "drift": 3 })).await;
    let found = app.billing.reconcile().await.unwrap();
    assert!(found.rebuild_due.as_deref().unwrap().contains("40 days"), "{found:?}");
    // It stays due until one has run.
    assert!(app.billing.reconcile().await.unwrap().rebuild_due.is_some());
    app.billing.rebuild(&|_| {}).await.unwrap();
    let found = app.billing.reconcile().await.unwrap();
    assert_eq!(found.rebuild_due, None);
    assert!(app.stored(CURSOR).await.unwrap().contains("\"drift\":3"), "what was counted stays counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_new_to_an_old_account_says_so() {
    let app = App::start().await;
    let customer = app.stripe.post("/v1/customers", &[("email", ADA)]).await;
    app.stripe.subscribe(customer["id"].as_str().unwrap(), "pro_monthly").await;
    let _: u64 = app.redis.clone().del(CURSOR).await.unwrap();
    let why = app.billing.reconcile().await.unwrap().rebuild_due.unwrap();
    assert!(why.contains("never reconciled"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_stripe_moves_no_cursor() {
    let (app, customer) = with_lost_webhook(tuning()).await;
    let before = app.stored(CURSOR).await;
    // The second page fails: what the first one said must not be forgotten.
    app.stripe.fault(&json!({ "path": "/v1/events", "status": 500 })).await;
    app.billing.reconcile().await.unwrap_err();
    assert_eq!(app.stored(CURSOR).await, before);
    app.stripe.heal().await;
    assert_eq!(app.billing.reconcile().await.unwrap().marked, 1);
    app.eventually_status(&customer, "past_due").await;
}

/// Stripe lists an event after a pass that should have seen it: the next pass begins before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_stripe_lists_late_is_found_by_the_next_pass() {
    let app = App::start().await;
    app.stripe.drop_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let now = SystemClock.now().secs();
    // What happened until then belongs to another day, and the value is as old.
    for event in app.stripe.list("/v1/events?limit=100").await {
        let id = event["id"].as_str().unwrap();
        app.stripe.patch("events", id, &json!({ "created": now - 7200 })).await;
    }
    let mut value = app.snapshot(&customer).await;
    value["syncedAt"] = json!(now - 3600);
    let key = format!("stripe:customer:{customer}");
    let _: () = app.redis.clone().set(&key, value.to_string()).await.unwrap();
    assert_eq!(app.billing.reconcile().await.unwrap().events, 0, "it is not listed yet");
    let until = cursor(&app).await["eventsUntil"].as_i64().unwrap();

    let change = json!({ "status": "past_due", "_event": UPDATED });
    app.stripe.patch("subscriptions", &subscription, &change).await;
    let event = app.stripe.list("/v1/events?limit=1").await[0]["id"].as_str().unwrap().to_owned();
    for (before_the_cursor, found) in [(400, 0), (200, 1)] {
        set_cursor(&app, &json!({ "eventsUntil": until, "rebuildDue": null, "drift": 0 })).await;
        app.stripe.patch("events", &event, &json!({ "created": until - before_the_cursor })).await;
        let pass = app.billing.reconcile().await.unwrap();
        assert_eq!((pass.events, pass.marked, pass.drift), (found, found, found), "{before_the_cursor}");
    }
    app.eventually_status(&customer, "past_due").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_fails_keeps_the_drift_that_it_has_found() {
    let (app, customer) = with_lost_webhook(tuning()).await;
    let before = cursor(&app).await;
    // Another customer's value is no text, and the pass comes to them after the first.
    let other = app.stripe.post("/v1/customers", &[("email", "bob@example.com")]).await;
    let other = other["id"].as_str().unwrap();
    app.stripe.post(&format!("/v1/customers/{other}"), &[("name", "Bob")]).await;
    let key = format!("stripe:customer:{other}");
    let _: u64 = app.redis.clone().lpush(&key, "damage").await.unwrap();
    let value = app.snapshot(&customer).await;
    let change = json!({ "_event": UPDATED });
    app.stripe.patch("subscriptions", value["subscriptionId"].as_str().unwrap(), &change).await;

    app.billing.reconcile().await.unwrap_err();
    let counted = before["drift"].as_u64().unwrap() + 1;
    let mut expected = before.clone();
    expected["drift"] = json!(counted);
    assert_eq!(cursor(&app).await, expected, "the next pass begins where this one did");
    app.eventually_status(&customer, "past_due").await;
    app.eventually_quiet().await;
    let _: u64 = app.redis.clone().del(&key).await.unwrap();
    assert_eq!(app.billing.reconcile().await.unwrap().drift, 1, "only the other one is new");
    assert_eq!(app.billing.drift().await.unwrap(), counted + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_counts_from_its_end_as_it_marks_until_then() {
    let app = App::start().await;
    // There are two lists.
    app.stripe.fault(&json!({ "path": "/v1/events", "latency_ms": 1100, "times": 2 })).await;
    let began = SystemClock.now().secs();
    app.billing.reconcile().await.unwrap();
    let passes = cursor(&app).await["passes"].clone();
    let last = passes.as_array().unwrap().last().unwrap();
    assert!(last["at"].as_i64().unwrap() >= began + 2, "{began}: {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_during_a_pass_is_not_undone_by_its_end() {
    let app = App::start().await;
    let customer = app.stripe.post("/v1/customers", &[("email", ADA)]).await;
    app.stripe.subscribe(customer["id"].as_str().unwrap(), "pro_monthly").await;
    app.stripe.forget_requests().await;
    app.stripe.fault(&json!({ "path": "/v1/events", "latency_ms": 1000, "times": 2 })).await;
    let billing = app.billing.clone();
    let pass = tokio::spawn(async move { billing.reconcile().await });
    eventually("it is under way", async || app.stripe.requests("GET", "/v1/events").await.pop()).await;
    let _: u64 = app.redis.clone().del(CURSOR).await.unwrap();
    pass.await.unwrap().unwrap();
    assert_eq!(app.stored(CURSOR).await, None);
    assert!(app.billing.reconcile().await.unwrap().rebuild_due.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_can_not_be_read_counts_as_none() {
    let app = App::start().await;
    let customer = app.stripe.post("/v1/customers", &[("email", ADA)]).await;
    app.stripe.subscribe(customer["id"].as_str().unwrap(), "pro_monthly").await;
    let _: () = app.redis.clone().set(CURSOR, "{").await.unwrap();
    assert_eq!(app.billing.drift().await.unwrap(), 0);
    let why = app.billing.reconcile().await.unwrap().rebuild_due.unwrap();
    assert!(why.contains("never reconciled"), "{why}");
    assert_eq!(cursor(&app).await["rebuildDue"], why.as_str());
    let _: () = app.redis.clone().set(CURSOR, "{").await.unwrap();
    app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!(cursor(&app).await["rebuildDue"], Value::Null);
}

/// One thread, so that all of the app counts into this test's own recorder.
#[tokio::test]
async fn a_process_tells_what_the_pass_of_another_has_found() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let often = Tuning {
        billing: |settings| {
            (tuning().billing)(settings);
            settings.reconcile.every = Duration::from_secs(2);
            settings.reconcile.watch_every = Duration::from_millis(20);
        },
        ..tuning()
    };
    let app = App::with(AppOptions { tuning: often, ..AppOptions::default() }).await;
    // `unsplit reconcile` has said so, and then `unsplit rebuild` was run.
    for (why, told) in [(json!("so"), "unsplit_rebuild_due 1"), (Value::Null, "unsplit_rebuild_due 0")] {
        eventually(told, async || {
            let now = SystemClock.now().secs();
            let passes = json!([{ "at": now, "since": now }]);
            let by_another = json!({ "eventsUntil": now, "rebuildDue": why, "drift": 0, "passes": passes });
            set_cursor(&app, &by_another).await;
            recorder.handle().render().lines().any(|line| line == told).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_of_redis_the_last_minutes_are_marked_again() {
    let (app, customer) = with_lost_webhook(tuning()).await;
    let mut value = app.snapshot(&customer).await;
    // By its time the value is younger than the event: only the failover says that it may be lost.
    value["syncedAt"] = json!(SystemClock.now().secs() + 60);
    let key = format!("stripe:customer:{customer}");
    let _: () = app.redis.clone().set(&key, value.to_string()).await.unwrap();
    assert_eq!(app.billing.reconcile().await.unwrap().marked, 0);
    let other = json!(["0123456789012345678901234567890123456789"]).to_string();
    let _: () = app.redis.clone().set("stripe:replication", other).await.unwrap();
    let watching = tokio::spawn(Reconciler::new(app.billing.clone()).run(std::future::pending()));
    app.eventually_status(&customer, "past_due").await;
    let known = eventually("the new history is known", async || {
        app.stored("stripe:replication").await.filter(|ids| !ids.contains("01234567890"))
    })
    .await;
    assert!(!known.is_empty());
    watching.abort();
}
