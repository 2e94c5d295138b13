//! The app on a Redis Cluster, and what people and Stripe notice when one of its primaries is killed:
//! a delay.

mod failover;
mod load;
mod shards;

use crate::live;
use crate::support::{
    App, AppOptions, Browser, Delivery, GOOD, Load, RedisCluster, WEBHOOK_SECRET, event, eventually,
};

const ADA: &str = "ada@example.com";
const LOGIN: [(&str, &str); 2] = [("email", ADA), ("password", "correct horse")];

async fn on_a_cluster() -> (RedisCluster, App) {
    let cluster = RedisCluster::start();
    let app = App::with(AppOptions { redis_url: cluster.url(), ..AppOptions::default() }).await;
    (cluster, app)
}

async fn until_promoted(cluster: &RedisCluster, killed: usize) {
    eventually("its replica has taken over", async || cluster.is_promoted(killed).then_some(())).await;
}

/// What was answered 200 is there; so is the rest, when it is sent again.
async fn until_worked_off(app: &App, load: &Load) {
    load.until_acknowledged_is_stored(&app.redis).await;
    load.ready(&reqwest::Client::new()).await;
    load.until_all_is_stored(&app.redis).await;
}

/// What the app answers to an event.
async fn told(app: &App, customer: &str) -> u16 {
    Delivery::signed(event("evt_told", customer), WEBHOOK_SECRET).send(&app.url).await.0
}

/// Tells the app of an event as Stripe does: again, until it answers 200.
async fn tell(app: &App, customer: &str) {
    eventually("the webhook is taken", async || (told(app, customer).await == 200).then_some(())).await;
}

async fn logged_in(app: &App) -> Browser {
    let mut browser = app.browser();
    eventually("log-in works", async || {
        let page = browser.post("/api/log_in", &LOGIN).await;
        (page.status == 200 && page.path() == "/account").then_some(())
    })
    .await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_log_in_purchase_and_webhook() {
    let (_cluster, app) = on_a_cluster().await;
    app.signed_up(ADA).await;
    let mut browser = app.browser();
    assert_eq!(browser.post("/api/log_in", &LOGIN).await.path(), "/account");
    let checkout = browser.subscribe("pro", "month").await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let customer = app.only_customer().await;
    app.eventually_status(&customer, "active").await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    let ready = reqwest::get(format!("{}/readyz", app.url)).await.unwrap();
    assert_eq!(ready.status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_answered_200_after_the_queues_primary_was_killed_is_worked_off() {
    let (mut cluster, app) = on_a_cluster().await;
    let (_, customer, subscription) = app.subscriber(ADA).await;
    app.stripe.hold_webhooks().await;
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    cluster.until_replicated();

    let killed = cluster.kill_primary_of("{stripe:due:0}");
    tell(&app, &customer).await;
    assert!(cluster.is_promoted(killed), "who else has taken the mark?");
    app.eventually_status(&customer, "canceled").await;
    let mut browser = logged_in(&app).await;
    assert_eq!(browser.get("/account").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whose_primary_was_killed_has_what_they_had_and_what_comes() {
    let (mut cluster, app) = on_a_cluster().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    cluster.until_replicated();

    let killed = cluster.kill_primary_of(&format!("stripe:customer:{customer}"));
    eventually("the account page is back", async || {
        browser.get("/account").await.heading().starts_with("Pro, renews on").then_some(())
    })
    .await;
    until_promoted(&cluster, killed).await;
    logged_in(&app).await;
    assert_eq!(app.snapshot(&customer).await["subscriptionId"], subscription.as_str());

    app.stripe.hold_webhooks().await;
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    tell(&app, &customer).await;
    app.eventually_status(&customer, "canceled").await;
    let mut other = app.browser();
    let signed_up = other.post("/api/sign_up", &[("email", "bob@example.com"), LOGIN[1]]).await;
    assert_eq!(signed_up.path(), "/account");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_hear_what_any_process_writes_and_whose_log_in_has_ended() {
    let cluster = RedisCluster::start();
    let options = AppOptions { redis_url: cluster.url(), tuning: live::only_told(), ..AppOptions::default() };
    let app = App::with(options).await;
    live::every_process_hears_a_write(&app).await;
    live::every_process_hears_a_log_out(&app).await;
}
