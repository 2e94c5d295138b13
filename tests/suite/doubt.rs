//! Where it is not clear whether money has moved: nothing is sold, and nothing wrong is said.

use std::time::Duration;

use redis::AsyncCommands;
use serde_json::{Value, json};
use unsplit::server::run::read_catalog;
use unsplit_billing::ports::EntryState;
use unsplit_billing::service::Settings;

use crate::support::{App, AppOptions, GOOD, Tuning, eventually, tuning};

const ADA: &str = "ada@example.com";
const SUCCESS: &str = "/checkout/success";

#[tokio::test(flavor = "multi_thread")]
async fn while_a_first_payment_is_pending_no_second_one_is_sold() {
    let app = App::start().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    // As a bank debit leaves it for days.
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "incomplete" })).await;
    let page = browser.subscribe("team", "month").await;
    assert_eq!((page.path(), page.heading().as_str()), (SUCCESS, "Your payment has arrived"));
    assert!(app.stripe.sessions("open").await.is_empty());
    assert_eq!(app.sync(&customer).await["status"], "incomplete");
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "active" })).await;
    assert_eq!(browser.get(SUCCESS).await.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_payment_that_failed_is_not_told_as_a_plan_that_ended() {
    let app = App::start().await;
    let (mut browser, _, subscription) = app.subscriber(ADA).await;
    for (status, heading) in [
        ("incomplete_expired", "You haven't been charged"),
        ("canceled", "This plan has ended"),
        ("past_due", "Pro needs your attention"),
        ("paused", "Pro isn't switched on"),
        ("something_new", "Pro isn't switched on"),
    ] {
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        assert_eq!(browser.get(SUCCESS).await.heading(), heading, "{status}");
    }
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "incomplete_expired" })).await;
    assert!(browser.subscribe("pro", "month").await.url.path().starts_with("/c/pay/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_that_redis_has_lost_is_closed_when_a_subscription_goes_live() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    browser.subscribe("pro", "month").await;
    let customer = app.only_customer().await;
    let _: u64 = app.redis.clone().del(format!("stripe:checkout:{customer}")).await.unwrap();
    // As the Dashboard makes one.
    app.stripe.subscribe(&customer, "team_monthly").await;
    assert_eq!(app.sync(&customer).await["status"], "active");
    app.billing.sync_now(&customer.parse().unwrap()).await.unwrap();
    assert!(app.stripe.sessions("open").await.is_empty());
    // Done once: a further sync does not ask again.
    app.stripe.forget_requests().await;
    app.billing.sync_now(&customer.parse().unwrap()).await.unwrap();
    assert!(app.stripe.requests("GET", "/v1/checkout/sessions").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_an_open_checkout_is_tried_until_it_succeeds() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    browser.subscribe("pro", "month").await;
    let customer = app.only_customer().await;
    let _: u64 = app.redis.clone().del(format!("stripe:checkout:{customer}")).await.unwrap();
    app.stripe
        .fault(&json!({ "path": "/v1/checkout/sessions", "method": "POST", "status": 503, "times": 4 }))
        .await;
    app.stripe.subscribe(&customer, "team_monthly").await;
    eventually("the open checkout is closed", async || {
        app.stripe.sessions("open").await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_that_hangs_holds_no_trigger_up_and_is_done_later() {
    let billing = |settings: &mut Settings| {
        (tuning().billing)(settings);
        settings.reaction = Duration::from_millis(100);
        settings.sync_deadline = Duration::from_secs(2);
    };
    let options = AppOptions { tuning: Tuning { billing, ..tuning() }, ..AppOptions::default() };
    let app = App::with(options).await;
    let mut browser = app.signed_up(ADA).await;
    browser.subscribe("pro", "month").await;
    let customer = app.only_customer().await;
    let _: u64 = app.redis.clone().del(format!("stripe:checkout:{customer}")).await.unwrap();
    app.eventually_quiet().await;
    app.stripe.fault(&json!({ "path": "/v1/checkout/sessions", "hold": true })).await;
    app.stripe.subscribe(&customer, "team_monthly").await;
    app.eventually_status(&customer, "active").await;
    let entry = eventually("the lease has ended", async || {
        let entries = app.billing.queue_entries(10).await.unwrap();
        entries.into_iter().find(|entry| entry.state == EntryState::Scheduled)
    })
    .await;
    assert_eq!((entry.attempts, &entry.last_error), (0, &None), "the sync has succeeded: {entry:?}");
    app.stripe.heal().await;
    app.stripe.control("faults/release", &json!({})).await;
    eventually("the open checkout is closed", async || {
        app.stripe.sessions("open").await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_not_the_one_shown_is_not_charged() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let old = app.stripe.price("pro_monthly").await;
    let product = old["product"].as_str().unwrap();
    let dearer = [
        ("product", product),
        ("currency", "usd"),
        ("unit_amount", "9900"),
        ("recurring[interval]", "month"),
        ("lookup_key", "pro_monthly"),
        ("transfer_lookup_key", "true"),
    ];
    app.stripe.post("/v1/prices", &dearer).await;
    let page = browser.subscribe("pro", "month").await;
    assert_eq!(page.path(), "/pricing");
    assert!(page.text(".flash").contains("We can't sell this plan yet"), "{}", page.text("main"));
    assert!(app.stripe.sessions("open").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_replaced_and_what_is_lost_comes_back() {
    let app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let () = app.redis.clone().set(format!("stripe:customer:{customer}"), "{\"status\":7}").await.unwrap();
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(app.snapshot(&customer).await["status"], "active");

    let bindings = app.keys("stripe:user:*").await;
    let _: u64 = app.redis.clone().del(&bindings).await.unwrap();
    app.sync(&customer).await;
    assert_eq!(app.stored(&bindings[0]).await, Some(customer));

    let mut other = app.signed_up("bob@example.com").await;
    other.subscribe("pro", "month").await;
    let checkouts = app.keys("stripe:checkout:*").await;
    let () = app.redis.clone().set(&checkouts[0], "another release's").await.unwrap();
    let page = other.subscribe("pro", "month").await;
    assert!(page.url.path().starts_with("/c/pay/"), "{}", page.text("main"));
    let open: Vec<Value> = app.stripe.sessions("open").await;
    assert_eq!(open.len(), 1);
    assert_eq!(other.pay(&page, GOOD).await.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_while_stripe_is_away_shows_what_is_known_and_sells_nothing() {
    let mut app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    app.stop().await;
    app.stripe.fault(&json!({ "path": "/v1/account", "status": 503 })).await;
    app.start_again(read_catalog().unwrap()).await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(browser.get(SUCCESS).await.heading(), "Your payment is safe");
    let refused = app.billing.sync(&customer.parse().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("account is not known"), "{refused}");
    assert_eq!(app.snapshot(&customer).await["status"], "active");
    app.stripe.heal().await;
    assert_eq!(browser.get(SUCCESS).await.heading(), "Thank you. You're on Pro");
}
