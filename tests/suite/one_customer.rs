//! One customer a user and one open checkout a customer, whatever is clicked, lost or broken.

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use unsplit_billing::id::UserId;
use unsplit_billing::plan::Interval;
use unsplit_billing::service::{Buyer, Checkout, CheckoutChoice};

use crate::support::{App, Browser, GOOD, Page, eventually};

const ADA: &str = "ada@example.com";

fn is_checkout(app: &App, page: &Page) -> bool {
    page.url.as_str().starts_with(&format!("{}/c/pay/", app.stripe.url))
}

async fn click(app: &App, browser: &mut Browser, plan: &str) -> String {
    let page = browser.subscribe(plan, "month").await;
    assert!(is_checkout(app, &page), "{}: {}", page.url, page.text(".flash"));
    page.url.to_string()
}

async fn only_user(app: &App) -> UserId {
    let keys = app.keys("unsplit:account:*").await;
    assert_eq!(keys.len(), 1, "{keys:?}");
    let bindings = app.keys("stripe:user:*").await;
    UserId::parse(bindings[0].trim_start_matches("stripe:user:")).unwrap()
}

/// As if Redis had never heard of the user's customer.
async fn lose_binding(app: &App) {
    for pattern in ["stripe:user:*", "stripe:attempt:*"] {
        let keys = app.keys(pattern).await;
        assert!(!keys.is_empty(), "{pattern}");
        let _: u64 = app.redis.clone().del(keys).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clicks_at_once_make_one_customer_and_one_open_session() {
    let app = App::start().await;
    let browser = app.signed_up(ADA).await;
    let mut clicks = JoinSet::new();
    for _ in 0..50 {
        let mut window = browser.window();
        clicks.spawn(async move { window.subscribe("pro", "month").await });
    }
    let pages = clicks.join_all().await;
    let lost: Vec<_> =
        pages.iter().filter(|page| !is_checkout(&app, page)).map(|page| page.text("main")).collect();
    assert!(lost.is_empty(), "{} of 50 did not arrive: {}", lost.len(), lost[0]);
    assert!(pages.iter().all(|page| page.url == pages[0].url));
    let customers = app.stripe.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0]["email"], ADA);
    let user = only_user(&app).await;
    assert_eq!(customers[0]["metadata"], json!({ "userId": user.to_string() }));
    let sessions = app.stripe.sessions("open").await;
    assert_eq!((sessions.len(), app.stripe.sessions("expired").await.len()), (1, 0));
    assert_eq!(sessions[0]["metadata"], json!({ "userId": user.to_string(), "plan": "pro" }));
    assert_eq!(sessions[0]["customer"].as_str(), Some(app.only_customer().await.as_str()));
    assert_eq!(sessions[0]["allow_promotion_codes"], true);
    // One by the user and one by the e-mail, however many click.
    assert_eq!(app.stripe.requests("GET", "/v1/customers/search").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicks_on_two_plans_at_once_leave_one_open_session() {
    let app = App::start().await;
    let browser = app.signed_up(ADA).await;
    let mut clicks = JoinSet::new();
    for number in 0..12 {
        let mut window = browser.window();
        let plan = if number % 2 == 0 { "pro" } else { "team" };
        clicks.spawn(async move { window.subscribe(plan, "month").await });
    }
    clicks.join_all().await;
    assert_eq!(app.stripe.customers().await.len(), 1);
    let open = app.stripe.sessions("open").await;
    assert!(open.len() <= 1, "{} are open", open.len());
    // Whoever clicks next gets one that can be paid.
    click(&app, &mut browser.window(), "team").await;
    assert_eq!(app.stripe.sessions("open").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_deleted_at_stripe_is_replaced_again_and_again() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    click(&app, &mut browser, "pro").await;
    let mut seen = vec![app.only_customer().await];
    for _ in 0..2 {
        app.stripe.delete(&format!("/v1/customers/{}", seen[seen.len() - 1])).await;
        click(&app, &mut browser, "pro").await;
        let customer = app.only_customer().await;
        assert!(!seen.contains(&customer));
        assert_eq!(app.stripe.customers().await.len(), 1);
        assert_eq!(app.stripe.get(&format!("/v1/customers/{customer}")).await["email"], ADA);
        seen.push(customer);
    }
    let checkout = browser.subscribe("pro", "month").await;
    assert_eq!(browser.pay(&checkout, GOOD).await.heading(), "Thank you. You're on Pro");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_email_reaches_stripe_and_makes_no_second_customer() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let first = click(&app, &mut browser, "pro").await;
    let buyer = Buyer { user: only_user(&app).await, email: "lovelace@example.com".to_owned() };
    let choice = CheckoutChoice { plan: "pro".to_owned(), interval: Interval::Month };
    let Checkout::Open { url } = app.billing.start_checkout(&buyer, &choice).await.unwrap() else {
        panic!("a checkout is open")
    };
    assert_eq!(url, first);
    let customers = app.stripe.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(customers[0]["email"], "lovelace@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_binding_is_found_again_by_the_idempotency_key() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    click(&app, &mut browser, "pro").await;
    let customer = app.only_customer().await;
    lose_binding(&app).await;
    // As in a region without search, or within its lag.
    app.stripe.fault(&json!({ "path": "/v1/customers/search", "status": 400 })).await;
    click(&app, &mut browser, "pro").await;
    assert_eq!(app.only_customer().await, customer);
    assert_eq!(app.stripe.customers().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_binding_is_found_again_by_search_and_the_live_customer_is_preferred() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    click(&app, &mut browser, "pro").await;
    let (oldest, user) = (app.only_customer().await, only_user(&app).await);
    let buyer = Buyer { user: user.clone(), email: ADA.to_owned() };
    // From now on no idempotency key helps.
    app.stripe.control("clock", &json!({ "advance_seconds": 25 * 3600 })).await;
    app.stripe.forget_requests().await;
    lose_binding(&app).await;
    assert_eq!(app.billing.ensure_customer(&buyer).await.unwrap().as_str(), oldest);

    let user = user.to_string();
    let stray = app.stripe.post("/v1/customers", &[("metadata[userId]", &user)]).await;
    let stray = stray["id"].as_str().unwrap();
    app.stripe.post("/v1/customers", &[("metadata[userId]", &format!("{user}x"))]).await;
    lose_binding(&app).await;
    assert_eq!(
        app.billing.ensure_customer(&buyer).await.unwrap().as_str(),
        oldest,
        "the oldest where none is live"
    );
    app.stripe.subscribe(stray, "pro_monthly").await;
    lose_binding(&app).await;
    assert_eq!(app.billing.ensure_customer(&buyer).await.unwrap().as_str(), stray);
    let created = app.stripe.requests("POST", "/v1/customers").await;
    assert_eq!(created.len(), 2, "only this test has created any: {created:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_while_the_customer_is_created_ends_in_one_customer() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    // As often as one call is tried.
    app.stripe.fault(&json!({ "path": "/v1/customers", "method": "POST", "status": 500, "times": 3 })).await;
    let page = browser.subscribe("pro", "month").await;
    assert_eq!(page.path(), "/pricing");
    assert!(page.text(".flash").contains("Nothing was charged just now"), "{}", page.text("main"));
    assert!(app.stripe.customers().await.is_empty() && app.stripe.sessions("open").await.is_empty());
    click(&app, &mut browser, "pro").await;
    assert_eq!(app.stripe.customers().await.len(), 1);
    let keys: Vec<Value> = app
        .stripe
        .requests("POST", "/v1/customers")
        .await
        .into_iter()
        .map(|it| it["idempotency_key"].clone())
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_nothing_twice() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    for path in ["/v1/customers", "/v1/checkout/sessions"] {
        app.stripe.fault(&json!({ "path": path, "method": "POST", "cut": "after", "times": 1 })).await;
    }
    click(&app, &mut browser, "pro").await;
    assert_eq!((app.stripe.customers().await.len(), app.stripe.sessions("open").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_used_again_until_it_is_spent_or_another_plan_is_chosen() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let pro = click(&app, &mut browser, "pro").await;
    assert_eq!(click(&app, &mut browser, "pro").await, pro);
    let team = click(&app, &mut browser, "team").await;
    assert_ne!(team, pro);
    let open = app.stripe.sessions("open").await;
    assert_eq!((open.len(), open[0]["metadata"]["plan"].as_str()), (1, Some("team")));
    assert_eq!(app.stripe.sessions("expired").await.len(), 1);
    // One that ended at Stripe is not shown again.
    app.stripe.post(&format!("/v1/checkout/sessions/{}/expire", open[0]["id"].as_str().unwrap()), &[]).await;
    let again = click(&app, &mut browser, "team").await;
    assert_ne!(again, team);
    assert_eq!(app.stripe.sessions("open").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_session_is_never_replayed() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let subscription = app.stripe.sessions("complete").await[0]["subscription"].as_str().unwrap().to_owned();
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    assert_ne!(click(&app, &mut browser, "pro").await, checkout.url.to_string());
    assert_eq!(app.stripe.sessions("open").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_live_subscription_buys_no_second_one_though_redis_knows_nothing() {
    let app = App::start().await;
    app.stripe.hold_webhooks().await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    browser.pay_and_leave(&checkout, GOOD).await;
    let customer = app.only_customer().await;
    assert_eq!(app.snapshot(&customer).await["status"], "none");
    let subscription = app.stripe.sessions("complete").await[0]["subscription"].as_str().unwrap().to_owned();
    for status in ["active", "trialing", "past_due", "unpaid", "paused", "something_new"] {
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        let page = browser.subscribe("team", "month").await;
        assert_eq!(page.path(), "/account", "{status}");
        assert!(page.text(".flash").contains("You already have a plan"), "{status}: {}", page.text("main"));
    }
    assert!(app.stripe.sessions("open").await.is_empty());
    for status in ["canceled", "incomplete_expired"] {
        app.stripe.patch("subscriptions", &subscription, &json!({ "status": status })).await;
        click(&app, &mut browser, "team").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_stripe_cannot_say_no_session_is_opened() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    app.stripe.fault(&json!({ "path": "/v1/subscriptions", "status": 503 })).await;
    let page = browser.subscribe("pro", "month").await;
    assert_eq!(page.path(), "/pricing");
    assert!(page.text(".flash").contains("can't be reached"), "{}", page.text("main"));
    assert!(app.stripe.sessions("open").await.is_empty());
    app.stripe.heal().await;
    click(&app, &mut browser, "pro").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_goes_live_closes_the_open_checkout() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    app.stripe.subscribe(&app.only_customer().await, "team_monthly").await;
    eventually("the open session is expired", async || {
        app.stripe.sessions("open").await.is_empty().then_some(())
    })
    .await;
    assert_eq!(browser.pay(&checkout, GOOD).await.status, 410);
    assert_eq!(app.stripe.list("/v1/subscriptions?status=all").await.len(), 1);
}
