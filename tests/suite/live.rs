//! Who looks at their account hears that it has changed, by any process, and nobody else does.

use std::time::Duration;

use serde_json::json;
use unsplit::server::live::LiveSettings;

use crate::support::{App, AppOptions, Browser, RedisServer, Replica, Stream, Tuning, eventually, tuning};

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

/// Streams that never look by themselves: what they hear was told to them.
pub fn only_told() -> Tuning {
    let live = LiveSettings { look_every: Duration::from_secs(3600), ..LiveSettings::default() };
    Tuning { live, ..tuning() }
}

async fn app() -> App {
    App::with(AppOptions { tuning: only_told(), ..AppOptions::default() }).await
}

/// Changes a subscription as Stripe does, and tells it by a webhook.
async fn change(app: &App, subscription: &str, status: &str) {
    let change = json!({ "status": status, "_event": "customer.subscription.updated" });
    app.stripe.patch("subscriptions", subscription, &change).await;
}

/// The version that a page of the account shows.
async fn shown(browser: &mut Browser, path: &str) -> String {
    let page = browser.get(path).await;
    page.attribute("main [data-version]", "data-version")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_heard_by_who_looks_and_by_nobody_else() {
    let app = app().await;
    let (mut ada, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let bob = app.signed_up(BOB).await;
    let (mut hers, mut also_hers) = (Stream::open(&ada).await, Stream::open(&ada).await);
    let mut his = Stream::open(&bob).await;
    let before = hers.version().await;
    assert_eq!(before, shown(&mut ada, "/account").await, "the page need not be loaded again");
    assert_eq!(before, also_hers.version().await);
    let nothing = his.version().await;
    assert_ne!(nothing, before);

    change(&app, &subscription, "past_due").await;
    let after = hers.version().await;
    assert_ne!(after, before);
    assert_eq!(after, also_hers.version().await);
    assert_eq!(app.snapshot(&customer).await["status"], "past_due", "told after it is stored");
    for path in ["/account", "/account/plan", "/account/payment", "/account/cancel"] {
        assert_eq!(after, shown(&mut ada, path).await, "{path}");
    }
    // Nothing was told to him until his own log-in ended.
    bob.window().post("/api/log_out", &[]).await;
    his.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_brings_nothing_new_is_not_told() {
    let app = app().await;
    let (ada, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let mut stream = Stream::open(&ada).await;
    let before = stream.version().await;
    let value = app.snapshot(&customer).await;
    eventually("a later second", async || {
        (app.sync(&customer).await["syncedAt"] != value["syncedAt"]).then_some(())
    })
    .await;
    change(&app, &subscription, "past_due").await;
    let after = stream.version().await;
    assert_ne!(after, before);
    app.eventually_status(&customer, "past_due").await;
    let mut fresh = Stream::open(&ada).await;
    assert_eq!(fresh.version().await, after, "the next thing it heard was the change");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_writes_is_heard() {
    every_process_hears_a_write(&app().await).await;
}

/// The app has `only_told`, and no user yet.
pub async fn every_process_hears_a_write(app: &App) {
    app.stripe.hold_webhooks().await;
    let (ada, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let other = Replica::of(app, only_told()).await;
    let mut streams = [Stream::open(&ada).await, Stream::open(&other.window_of(&ada)).await];
    let mut before = Vec::new();
    for stream in &mut streams {
        before.push(stream.version().await);
    }
    assert_eq!(before[0], before[1]);
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "past_due" })).await;
    app.sync(&customer).await;
    for stream in &mut streams {
        assert_ne!(stream.version().await, before[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_buys_while_they_look_hears_it() {
    let app = app().await;
    let mut ada = app.signed_up(ADA).await;
    let mut stream = Stream::open(&ada).await;
    let before = stream.version().await;
    let checkout = ada.subscribe("pro", "month").await;
    ada.pay_and_leave(&checkout, crate::support::GOOD).await;
    let after = stream.version().await;
    assert_ne!(after, before);
    app.eventually_status(&app.only_customer().await, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_streams_of_that_log_in_at_once_in_every_process() {
    every_process_hears_a_log_out(&app().await).await;
}

/// The app has `only_told`.
pub async fn every_process_hears_a_log_out(app: &App) {
    let bob = app.signed_up(BOB).await;
    let mut elsewhere = app.browser();
    elsewhere.post("/api/log_in", &[("email", BOB), ("password", "correct horse")]).await;
    let other = Replica::of(app, only_told()).await;
    let mut ending = [Stream::open(&bob).await, Stream::open(&other.window_of(&bob)).await];
    let mut staying = Stream::open(&elsewhere).await;
    for stream in ending.iter_mut().chain([&mut staying]) {
        stream.version().await;
    }
    bob.window().post("/api/log_out", &[]).await;
    for stream in &mut ending {
        stream.ended().await;
    }
    // The other browser's goes on until its own end.
    elsewhere.window().post("/api/log_out", &[]).await;
    staying.ended().await;
    Stream::open(&bob).await.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_gone_and_a_change_that_was_not_told_are_found_by_looking() {
    let live = LiveSettings { look_every: Duration::from_millis(50), ..LiveSettings::default() };
    let app = App::with(AppOptions { tuning: Tuning { live, ..tuning() }, ..AppOptions::default() }).await;
    let (ada, customer, _) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let mut stream = Stream::open(&ada).await;
    let before = stream.version().await;
    stream.still_there().await;
    let value = json!({ "status": "none", "syncedAt": 0 }).to_string();
    let mut redis = app.redis.clone();
    let _: () =
        redis::AsyncCommands::set(&mut redis, format!("stripe:customer:{customer}"), value).await.unwrap();
    assert_ne!(stream.version().await, before);
    for session in app.keys("unsplit:session:*").await {
        let _: () = redis::AsyncCommands::del(&mut redis, session).await.unwrap();
    }
    stream.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_survives_a_restart_of_redis_and_hears_what_it_missed() {
    let mut redis = RedisServer::start();
    let options = AppOptions { redis_url: redis.url(), tuning: only_told(), ..AppOptions::default() };
    let app = App::with(options).await;
    let (ada, customer, subscription) = app.subscriber(ADA).await;
    app.eventually_quiet().await;
    let mut stream = Stream::open(&ada).await;
    let mut before = stream.version().await;
    for status in ["past_due", "active"] {
        redis.kill();
        redis.restart();
        // The first command meets the old connection.
        app.stored("any").await;
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        assert_eq!(app.sync(&customer).await["status"], status);
        let after = stream.version().await;
        assert_ne!(after, before, "{status}");
        before = after;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_only_listens_holds_up_a_stop() {
    let mut app = app().await;
    let ada = app.signed_up(ADA).await;
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(Stream::open(&ada).await);
        streams.last_mut().unwrap().version().await;
    }
    // Requests that are under way have 25 seconds: it ends before those are over.
    tokio::time::timeout(Duration::from_secs(20), app.stop()).await.unwrap();
    for stream in &mut streams {
        assert_eq!(stream.next().await, None, "it ends, and does not say that the log-in has");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_after_some_hours_and_one_user_has_only_so_many() {
    let live =
        LiveSettings { lasts: Duration::from_millis(300), most_of_a_user: 2, ..LiveSettings::default() };
    let app = App::with(AppOptions { tuning: Tuning { live, ..tuning() }, ..AppOptions::default() }).await;
    let ada = app.signed_up(ADA).await;
    let mut first = Stream::open(&ada).await;
    first.version().await;
    assert_eq!(first.next().await, None);
    let _two = (Stream::open(&ada).await, Stream::open(&ada).await);
    let third = eventually("a third one is too many, or one of two is over", async || {
        let answer = Stream::ask(&ada).await;
        (answer.status() == 429).then_some(answer)
    });
    assert_eq!(third.await.headers()["retry-after"], "30");
    let bob = app.signed_up(BOB).await;
    Stream::open(&bob).await.version().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_never_compressed_nor_kept_and_strangers_hear_nothing() {
    let app = app().await;
    let ada = app.signed_up(ADA).await;
    let answer = Stream::ask(&ada).await;
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("text/event-stream"));
    assert_eq!(header("content-encoding"), None);
    assert_eq!(header("cache-control").as_deref(), Some("no-cache"));
    assert_eq!(header("x-accel-buffering").as_deref(), Some("no"));
    assert_eq!(header("set-cookie"), None);
    Stream::open(&app.browser()).await.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_the_account_have_the_script_and_looking_takes_no_message_away() {
    let app = app().await;
    let (mut ada, ..) = app.subscriber(ADA).await;
    for (path, scripts) in [("/", 0), ("/pricing", 0), ("/app", 0), ("/account", 1), ("/account/cancel", 1)] {
        let page = ada.get(path).await;
        assert_eq!(page.html.matches("<script").count(), scripts, "{path}: {}", page.html);
        assert_eq!(page.html.matches(r#"src="/live.js""#).count(), scripts, "{path}");
        assert_eq!(page.html.matches("data-version").count(), scripts, "{path}");
    }
    // The outcome of a form waits for the page that follows it, whatever the script asks meanwhile.
    let sent = ada.once(reqwest::Method::POST, "/api/resume", &[]).await;
    assert_eq!(sent.status, 303, "{}", sent.html);
    let loaded = Stream::load(&ada, "/account").await;
    assert!(loaded.contains("<main") && !loaded.contains(r#"class="flash""#), "{loaded}");
    assert!(!ada.get("/account").await.text(".flash").is_empty());
}
