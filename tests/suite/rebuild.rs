//! Rebuild: everything that Redis knows of Stripe, made again from Stripe alone.

mod late;
mod lists;
mod lost;
mod strangers;

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::json;
use tokio::task::JoinHandle;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::error::Error;
use unsplit_billing::ports::{RebuildProgress, RebuildStep};
use unsplit_billing::service::Rebuilt;

use crate::support::{App, SlowLine, Tuning, tuning, without_time};

const LIST: &str = "/v1/subscriptions";
const ADA: &str = "ada@example.com";

/// Somebody who has bought, with what Redis says of them.
async fn buyer(app: &App, email: &str, plan: &str) -> (crate::support::Browser, String) {
    let mut browser = app.signed_up(email).await;
    let checkout = browser.subscribe(plan, "month").await;
    browser.pay(&checkout, crate::support::GOOD).await;
    let customers = app.stripe.customers().await;
    let customer = customers.iter().find(|customer| customer["email"] == email).unwrap();
    (browser, customer["id"].as_str().unwrap().to_owned())
}

/// Somebody with a subscription, and nothing more to be done or heard of: their customer and it.
async fn subscriber(app: &App) -> (String, String) {
    app.stripe.hold_webhooks().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    (customer, subscription)
}

/// Another process's rebuild, whose first answer of this path is held back.
async fn held_rebuild(app: &App, path: &'static str) -> (SlowLine, JoinHandle<Result<Rebuilt, Error>>) {
    let line = SlowLine::to(&app.stripe.url, path).await;
    let slow = app.another_process(&line.url).await;
    let rebuilding = tokio::spawn(async move { slow.rebuild(&|_| {}).await });
    line.answered().await;
    (line, rebuilding)
}

/// As after the half minute that a rebuild which was killed keeps its turn.
async fn end_turn(app: &App) {
    let _: u64 = app.redis.clone().del("stripe:turn:rebuild").await.unwrap();
}

/// A rebuild that is killed when it has come to a step.
async fn dies_at(app: &App, step: fn(&RebuildStep) -> bool) {
    let (stop, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let told = |progress: &RebuildProgress| {
        if step(&progress.step) {
            let _ = stop.send(());
        }
    };
    tokio::select! {
        biased;
        _ = stopped.recv() => {}
        done = app.billing.rebuild(&told) => panic!("it came to its end: {done:?}"),
    }
    end_turn(app).await;
}

fn first_value(step: &RebuildStep) -> bool {
    matches!(step, RebuildStep::Values { page: 0 })
}

fn first_binding(step: &RebuildStep) -> bool {
    matches!(step, RebuildStep::Bindings { page: 0 })
}

/// How often customers were listed.
async fn listings(app: &App) -> usize {
    app.stripe.requests("GET", "/v1/customers").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flushed_redis_heals_by_a_rebuild_alone() {
    let app = App::start().await;
    let (mut ada, ada_customer) = buyer(&app, ADA, "pro").await;
    let (mut bob, bob_customer) = buyer(&app, "bob@example.com", "team").await;
    let eve = app.stripe.post("/v1/customers", &[("email", "eve@example.com")]).await;
    app.eventually_quiet().await;
    app.stripe.hold_webhooks().await;
    let before = [app.sync(&ada_customer).await, app.sync(&bob_customer).await].map(without_time);
    app.flush_stripe().await;

    let rebuilt = app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!((rebuilt.counts.customers, rebuilt.counts.subscriptions), (3, 2), "{rebuilt:?}");
    assert_eq!((rebuilt.counts.changed, rebuilt.counts.marked, rebuilt.counts.failed), (3, 0, 0));
    assert!(rebuilt.conflicts.is_empty(), "{rebuilt:?}");
    app.stripe.fault(&json!({ "path": "/v1", "status": 500 })).await;
    let after = [app.snapshot(&ada_customer).await, app.snapshot(&bob_customer).await].map(without_time);
    assert_eq!(after, before);
    assert_eq!(app.snapshot(eve["id"].as_str().unwrap()).await["status"], "none");
    for browser in [&mut ada, &mut bob] {
        let page = browser.get("/app").await;
        assert_eq!(page.status, 200);
        assert!(!page.text("main").contains("comes with any paid plan"), "{}", page.html);
    }
    // The next renewal is looked at, and nothing is left behind.
    let entries = app.billing.queue_entries(10).await.unwrap();
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(app.keys("stripe:rebuild*").await.is_empty());

    app.stripe.heal().await;
    let again = app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!((again.counts.changed, again.counts.unchanged), (0, 3), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_nobody_has_heard_of_is_found() {
    let app = App::start().await;
    app.stripe.drop_webhooks().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    app.stripe.delete(&format!("{LIST}/{subscription}")).await;
    assert_eq!(app.snapshot(&customer).await["status"], "active");
    let rebuilt = app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!((rebuilt.counts.changed, rebuilt.counts.unchanged), (1, 0), "{rebuilt:?}");
    assert_eq!(app.snapshot(&customer).await["status"], "canceled");
    assert!(browser.get("/app").await.text("main").contains("comes with any paid plan"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_customers_of_one_user_are_told_and_never_merged() {
    let app = App::start().await;
    app.stripe.drop_webhooks().await;
    let (_, paying, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let user = app.keys("stripe:user:*").await[0].trim_start_matches("stripe:user:").to_owned();
    let second = app.stripe.post("/v1/customers", &[("metadata[userId]", &user)]).await["id"].clone();
    let second = second.as_str().unwrap().to_owned();

    app.flush_stripe().await;
    let rebuilt = app.billing.rebuild(&|_| {}).await.unwrap();
    let [conflict] = &rebuilt.conflicts[..] else { panic!("{rebuilt:?}") };
    assert_eq!((conflict.user.as_str(), conflict.bound.as_str()), (user.as_str(), paying.as_str()));
    let order: Vec<_> = conflict.customers.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(order, [paying.as_str(), second.as_str()], "best access first");

    // A binding that is there stays, also where another customer gives more.
    let key = format!("stripe:user:{user}");
    let _: () = app.redis.clone().set(&key, &second).await.unwrap();
    let rebuilt = app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!(rebuilt.conflicts[0].bound.as_str(), second);
    assert_eq!(app.stored(&key).await.unwrap(), second);
    assert_eq!(app.snapshot(&paying).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_ran_since_is_not_overwritten() {
    let app = App::start().await;
    let (customer, subscription) = subscriber(&app).await;
    let (line, rebuilding) = held_rebuild(&app, LIST).await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.sync(&customer).await;
    line.release();
    let rebuilt = rebuilding.await.unwrap().unwrap();
    assert_eq!((rebuilt.counts.marked, rebuilt.counts.changed), (1, 0), "{rebuilt:?}");
    assert_eq!(rebuilt.counts.strangers, 0, "whose ticket is used is still a listed customer");
    assert_eq!(app.snapshot(&customer).await["status"], "past_due");
    app.eventually_quiet().await;
    assert_eq!(app.snapshot(&customer).await["status"], "past_due");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rebuild_goes_on_where_it_stopped() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    for number in 0..210 {
        let email = format!("customer{number}@example.com");
        app.stripe.post("/v1/customers", &[("email", &email)]).await;
    }
    app.flush_stripe().await;
    app.stripe.forget_requests().await;
    // Each call fails once at some time, and every page of the store's work is interrupted once.
    app.stripe.fault(&json!({ "path": LIST, "status": 400 })).await;
    app.billing.rebuild(&|_| {}).await.unwrap_err();
    app.stripe.heal().await;
    for stop_at in 0..12_usize {
        end_turn(&app).await;
        let pages = std::sync::atomic::AtomicUsize::new(0);
        let (stop, stopped) = tokio::sync::mpsc::unbounded_channel::<()>();
        let mut stopped = stopped;
        let told = |_: &_| {
            if pages.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == stop_at % 2 {
                let _ = stop.send(());
            }
        };
        tokio::select! {
            done = app.billing.rebuild(&told) => { done.unwrap(); break }
            _ = stopped.recv() => {}
        }
    }
    assert_eq!(app.snapshot(&customer).await["status"], "active");
    assert_eq!(app.keys("stripe:customer:*").await.len(), 211);
    assert!(app.keys("stripe:rebuild*").await.is_empty());
    assert_eq!(listings(&app).await, 3, "a hundred a call, and none of them twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_outage_is_waited_for_and_two_rebuilds_are_not_one() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    app.stripe
        .fault(&json!({ "path": "/v1/customers", "status": 503, "should_retry": false, "times": 2 }))
        .await;
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.calls, counts.unchanged), (2, 1), "a page that was asked for again counts once");
    let _: () = app.redis.clone().set("stripe:turn:rebuild", "somebody").await.unwrap();
    let refused = app.billing.rebuild(&|_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("another rebuild"), "{refused}");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_costs_a_call_a_hundred() {
    let app = App::start().await;
    app.stripe
        .control(
            "load",
            &json!({ "customers": 250, "price": "pro_monthly", "prefix": "load", "metadata_user": true }),
        )
        .await;
    app.stripe.forget_requests().await;
    let steps = std::sync::Mutex::new(Vec::new());
    let told = |progress: &RebuildProgress| {
        steps.lock().unwrap().push(progress.step.clone());
    };
    let rebuilt = app.billing.rebuild(&told).await.unwrap();
    assert_eq!((rebuilt.counts.customers, rebuilt.counts.subscriptions, rebuilt.counts.calls), (250, 250, 6));
    assert_eq!((rebuilt.counts.changed, rebuilt.counts.bound), (250, 250), "{rebuilt:?}");
    let asked = app.stripe.list("/_emulator/requests?limit=2000").await;
    let lists = asked.iter().filter(|it| it["path"] == LIST || it["path"] == "/v1/customers").count();
    assert_eq!(lists, 6, "at most one for a hundred subscriptions, and one for a hundred customers");
    assert!(asked.len() <= 7, "and the products: {asked:?}");
    let steps = steps.into_inner().unwrap();
    assert!(matches!(steps[..], [RebuildStep::Customers { .. }, ..]), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stripe_without_customers_is_rebuilt_too() {
    let app = App::start().await;
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.calls, counts.customers, counts.changed), (2, 0, 0), "{counts:?}");
    assert!(app.keys("stripe:rebuild*").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_as_old_as_the_list_of_subscriptions_and_not_as_the_rebuild() {
    let app = App::start().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let line = SlowLine::to(&app.stripe.url, "/v1/customers").await;
    let slow = app.another_process(&line.url).await;
    let rebuilding = tokio::spawn(async move { slow.rebuild(&|_| {}).await.unwrap() });
    line.answered().await;
    // Longer than the margin. A webhook says so, and is served before the rebuild has its ticket.
    tokio::time::sleep(Duration::from_secs(4)).await;
    app.stripe.delete(&format!("{LIST}/{subscription}")).await;
    app.eventually_status(&customer, "canceled").await;
    app.eventually_quiet().await;
    line.release();
    let counts = rebuilding.await.unwrap().counts;
    assert_eq!((counts.unchanged, counts.marked), (1, 0), "{counts:?}");
    assert_eq!(app.billing.reconcile().await.unwrap().drift, 0, "no webhook was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_read_again_where_no_worker_does_it() {
    let app = App::start().await;
    app.stripe.control("load", &json!({ "customers": 250, "price": "pro_monthly", "prefix": "load" })).await;
    let forgetful = Tuning {
        billing: |settings| {
            (tuning().billing)(settings);
            settings.catalog_life = Duration::ZERO;
        },
        ..tuning()
    };
    let alone = open_billing(&app.config, read_catalog().unwrap(), &forgetful).await.unwrap().0;
    app.stripe.forget_requests().await;
    alone.rebuild(&|_| {}).await.unwrap();
    assert_eq!(app.stripe.requests("GET", "/v1/products").await.len(), 3, "once a page, as they age at once");
}
