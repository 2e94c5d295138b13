//! Several processes on one Redis: a trigger that one takes wakes another's worker at once.

use std::time::Duration;

use serde_json::json;
use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::{Clock, Due, Mark, SystemClock};

use crate::support::{App, AppOptions, Tuning, tuning};

/// Longer than any test waits: whoever is synced was not found by looking.
pub fn never_looks() -> AppOptions {
    let billing = |settings: &mut unsplit_billing::service::Settings| {
        (tuning().billing)(settings);
        settings.poll = Duration::from_secs(3600);
    };
    AppOptions { tuning: Tuning { billing, ..tuning() }, ..AppOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_wakes_another_processs_worker() {
    another_process_wakes_the_worker(&App::with(never_looks()).await).await;
}

/// The app's worker never looks by itself.
pub async fn another_process_wakes_the_worker(app: &App) {
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber("ada@example.com").await;
    app.eventually_quiet().await;
    let other = app.another_process(&app.stripe.url).await;
    let id = CustomerId::parse(customer.as_str()).unwrap();
    for status in ["past_due", "unpaid", "active"] {
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        other.mark(&Mark::of(id.clone(), Due::By(SystemClock.now()))).await.unwrap();
        app.eventually_status(&customer, status).await;
        // A worker that has just come to an end looks once more.
        app.eventually_quiet().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_loses_its_connection_is_woken_again() {
    let app = App::with(never_looks()).await;
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber("ada@example.com").await;
    app.eventually_quiet().await;
    let other = app.another_process(&app.stripe.url).await;
    let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"][..]).clone();
    let killed: u64 = kill.query_async(&mut app.redis.clone()).await.unwrap();
    assert!(killed >= 1, "somebody listens");
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    let id = CustomerId::parse(customer.as_str()).unwrap();
    other.mark(&Mark::of(id, Due::By(SystemClock.now()))).await.unwrap();
    app.eventually_status(&customer, "past_due").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_failing_holds_nobody_up() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, ada, subscription) = app.subscriber("ada@example.com").await;
    let bob = app.stripe.post("/v1/customers", &[("email", "bob@example.com")]).await;
    let bob = bob["id"].as_str().unwrap().to_owned();
    app.stripe.subscribe(&bob, "pro_monthly").await;
    app.eventually_quiet().await;
    // Ada's subscription can't be read any more; Bob's can.
    app.stripe.patch("subscriptions", &subscription, &json!({ "items": "nonsense" })).await;
    let now = Due::By(SystemClock.now());
    for customer in [&ada, &bob] {
        app.billing.mark(&Mark::of(CustomerId::parse(customer.as_str()).unwrap(), now)).await.unwrap();
    }
    app.eventually_status(&bob, "active").await;
    let failing = crate::support::eventually("Ada fails, and says why", async || {
        let entries = app.billing.queue_entries(10).await.unwrap();
        entries.into_iter().find(|it| it.attempts > 1 && it.customer.as_str() == ada)
    })
    .await;
    let why = failing.last_error.unwrap();
    assert!(why.contains(&subscription), "{why}");
    assert_eq!(app.snapshot(&ada).await["status"], "active", "what was known stays");
    assert!(app.billing.queue_stats().await.unwrap().failing >= 1);
}
