//! Redis loses what a rebuild keeps in it.

use std::sync::Mutex;

use redis::{AsyncCommands, Commands};
use serde_json::json;
use unsplit_billing::ports::{RebuildProgress, RebuildStep};

use super::{ADA, dies_at, first_binding, first_value, listings, subscriber};
use crate::support::{App, AppOptions, RedisServer};

/// Deletes all keys that match.
async fn lose(app: &App, pattern: &str) {
    let keys = app.keys(pattern).await;
    assert!(!keys.is_empty(), "{pattern}");
    let _: u64 = app.redis.clone().del(keys).await.unwrap();
}

/// For what hears of the progress, which may not wait.
fn another_connection(app: &App) -> Mutex<redis::Connection> {
    Mutex::new(redis::Client::open(app.config.redis_url.as_str()).unwrap().get_connection().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_list_of_subscriptions_is_no_list_without_any() {
    let app = App::start().await;
    let (customer, _) = subscriber(&app).await;
    dies_at(&app, first_value).await;
    lose(&app, &format!("stripe:rebuild:*:customer:{customer}")).await;
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.changed, counts.unchanged, counts.marked), (0, 0, 1), "left to a worker");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
    app.eventually_quiet().await;
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}

/// The step in which it dies, what is lost of what was staged, and the command that damages it instead.
type Kind = (fn(&RebuildStep) -> bool, &'static str, Option<&'static str>);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_or_damaged_is_listed_again() {
    let app = App::start().await;
    let (customer, _) = subscriber(&app).await;
    let kinds: [Kind; 5] = [
        (first_value, "page:0", None),
        (first_value, "page:0", Some("SET")),
        (first_value, "customer:*", Some("HSET")),
        (first_binding, "page:0", None),
        (first_binding, "user:*", None),
    ];
    for (step, kept, damage) in kinds {
        app.flush_stripe().await;
        app.stripe.forget_requests().await;
        dies_at(&app, step).await;
        let keys = app.keys(&format!("stripe:rebuild:*:{kept}")).await;
        assert_eq!(keys.len(), 1, "{kept}");
        let mut command = redis::cmd(damage.unwrap_or("DEL"));
        command.arg(&keys);
        match damage {
            Some("SET") => drop(command.arg("damaged")),
            Some(_) => drop(command.arg("sub_1").arg("damaged")),
            None => {}
        }
        let _: redis::Value = command.query_async(&mut app.redis.clone()).await.unwrap();
        let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
        assert_eq!(listings(&app).await, 2, "{kept}: it began anew");
        assert_eq!((counts.customers, counts.subscriptions, counts.bound), (1, 1, 1), "{kept}: {counts:?}");
        assert_eq!(counts.changed + counts.unchanged, 1, "{kept}: {counts:?}");
        assert_eq!(app.snapshot(&customer).await["status"], "active");
        assert_eq!(app.only_customer().await, customer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_progress_or_cursor_stops_no_rebuild() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let mut redis = app.redis.clone();
    let old = json!({ "token": "of another release", "began": 1 }).to_string();
    for another_release in [true, false] {
        let _: () = redis.set("stripe:reconciled", "damaged").await.unwrap();
        if another_release {
            let _: () = redis.set("stripe:rebuild", &old).await.unwrap();
        } else {
            let _: () = redis.hset("stripe:rebuild", "progress", &old).await.unwrap();
        }
        let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
        assert_eq!((counts.customers, counts.unchanged), (1, 1), "{counts:?}");
        assert!(app.keys("stripe:rebuild*").await.is_empty());
        assert!(app.stored("stripe:reconciled").await.unwrap().contains("\"drift\":0"));
    }
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_redis_nothing_that_was_kept_is_believed() {
    let mut server = RedisServer::start();
    let app = App::with(AppOptions { redis_url: server.url(), ..AppOptions::default() }).await;
    let (customer, _) = subscriber(&app).await;
    app.flush_stripe().await;
    dies_at(&app, first_value).await;
    server.kill();
    server.restart();
    app.stored("stripe:rebuild:nothing").await;
    // As though it had not been on disk; there is no value that says that something is missing.
    lose(&app, &format!("stripe:rebuild:*:customer:{customer}")).await;
    let (other, stored) = (another_connection(&app), Mutex::new(Vec::new()));
    let told = |_: &RebuildProgress| {
        let value: Option<String> = other.lock().unwrap().get(format!("stripe:customer:{customer}")).unwrap();
        stored.lock().unwrap().extend(value);
    };
    let counts = app.billing.rebuild(&told).await.unwrap().counts;
    assert_eq!((counts.subscriptions, counts.changed), (1, 1), "{counts:?}");
    let stored = stored.into_inner().unwrap();
    assert!(!stored.is_empty() && stored.iter().all(|it| it.contains("\"active\"")), "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_fails_over_at_the_end_may_have_lost_the_last_values() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    app.stripe.forget_requests().await;
    dies_at(&app, first_binding).await;
    let mut redis = app.redis.clone();
    let saved: String = redis.hget("stripe:rebuild", "progress").await.unwrap();
    let mut saved: serde_json::Value = serde_json::from_str(&saved).unwrap();
    saved["replicationIds"] = json!(["0123456789012345678901234567890123456789"]);
    let _: () = redis.hset("stripe:rebuild", "progress", saved.to_string()).await.unwrap();
    let value = format!("stripe:customer:{customer}");
    let _: u64 = redis.del(&value).await.unwrap();
    app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!(listings(&app).await, 2);
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_loses_everything_again_and_again_ends_the_rebuild() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    app.stripe.forget_requests().await;
    let other = another_connection(&app);
    let told = |progress: &RebuildProgress| {
        if first_value(&progress.step) {
            let mut redis = other.lock().unwrap();
            let keys: Vec<String> = redis.keys("stripe:rebuild:*:page:0").unwrap();
            let _: u64 = redis.del(keys).unwrap();
        }
    };
    let error = app.billing.rebuild(&told).await.unwrap_err().to_string();
    assert!(error.contains("Redis keeps losing") && error.contains("wait until it is stable"), "{error}");
    assert_eq!(listings(&app).await, 4, "once, and three times anew");
    let counts = app.billing.rebuild(&|_| {}).await.unwrap().counts;
    assert_eq!((counts.customers, counts.unchanged), (1, 1), "{counts:?}");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
}
