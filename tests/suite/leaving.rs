//! Leaving and coming back: however a cancellation looks, and whoever made it.

use serde_json::{Value, json};

use crate::support::{App, Browser};

const ADA: &str = "ada@example.com";

async fn at_stripe(app: &App, id: &str, form: &[(&str, &str)]) {
    app.stripe.post(&format!("/v1/subscriptions/{id}"), form).await;
}

async fn keep(browser: &mut Browser) {
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro until"), "{}", account.text("main"));
    let kept = browser.press(&account, "/api/resume", &[]).await;
    assert!(kept.heading().starts_with("Pro, renews on"), "{}", kept.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_with_its_period_and_says_why() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    let page = browser.get("/account/cancel").await;
    assert_eq!(page.heading(), "Cancel Pro?");
    assert!(page.text("main").contains("You keep Pro until"), "{}", page.text("main"));
    let form = [("end", "later"), ("feedback", "unused"), ("comment", "  Too few hours.  ")];
    let account = browser.post("/api/cancel", &form).await;
    assert!(account.heading().starts_with("Pro until"), "{}", account.text("main"));
    let there = app.stripe.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(there["cancellation_details"]["feedback"], "unused");
    assert_eq!(there["cancellation_details"]["comment"], "Too few hours.");
    assert_eq!(app.snapshot(&customer).await["cancelAtPeriodEnd"], true);
    let again = browser.post("/api/cancel", &form).await;
    assert!(again.text("main").contains("Your plan ends already"), "{}", again.text("main"));
    keep(&mut browser).await;
    assert_eq!(app.snapshot(&customer).await["cancelAtPeriodEnd"], false);
    // Nothing is left to keep.
    let twice = browser.post("/api/resume", &[]).await;
    assert!(twice.text("main").contains("Your plan isn't ending"), "{}", twice.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_ends_at_once() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    let nothing = browser.post("/api/cancel", &[("end", "sometime")]).await;
    assert!(nothing.text("main").contains("Nothing was canceled"), "{}", nothing.text("main"));
    let account = browser.post("/api/cancel", &[("end", "now"), ("feedback", "nonsense")]).await;
    assert_eq!(account.heading(), "Pro ended today", "{}", account.text("main"));
    let there = app.stripe.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!(
        (&there["status"], &there["cancellation_details"]["feedback"]),
        (&json!("canceled"), &Value::Null)
    );
    assert_eq!(app.snapshot(&customer).await["status"], "canceled");
    assert!(browser.get("/app").await.text("main").contains("It comes with any paid plan"));
    let blocked = browser.get("/account/cancel").await;
    assert!(blocked.text("main").contains("There is no plan to change"), "{}", blocked.text("main"));
}

/// The Dashboard sets the flag, the portal in flexible billing mode a time alone, and both can be.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_made_a_cancellation_it_shows_and_can_be_taken_back() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    at_stripe(&app, &id, &[("cancel_at_period_end", "true")]).await;
    app.sync(&customer).await;
    keep(&mut browser).await;
    let end = app.snapshot(&customer).await["currentPeriodEnd"].to_string();
    at_stripe(&app, &id, &[("cancel_at", &end)]).await;
    app.sync(&customer).await;
    keep(&mut browser).await;
    let there = app.stripe.get(&format!("/v1/subscriptions/{id}")).await;
    assert_eq!((&there["cancel_at"], &there["cancel_at_period_end"]), (&Value::Null, &json!(false)));
    // Neither again, as the Dashboard's un-cancel leaves it.
    at_stripe(&app, &id, &[("cancel_at_period_end", "true")]).await;
    at_stripe(&app, &id, &[("cancel_at_period_end", "false")]).await;
    app.sync(&customer).await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_subscription_shows_with_its_price_and_can_be_ended() {
    let app = App::start().await;
    let (mut browser, customer, first) = app.subscriber(ADA).await;
    let second = app.stripe.subscribe(&customer, "team_monthly").await;
    app.sync(&customer).await;
    let account = browser.get("/account").await;
    let text = account.text("main");
    assert!(text.contains("Also running"), "{text}");
    assert!(text.contains("$12 a month, renews on"), "the lesser one is beside: {text}");
    // One that is somebody else's, or nobody's, is not touched.
    let theirs = app.stripe.post("/v1/customers", &[("email", "bob@example.com")]).await;
    let theirs = app.stripe.subscribe(theirs["id"].as_str().unwrap(), "team_monthly").await;
    for id in [theirs.as_str(), second.as_str(), "sub_none", "", "a b"] {
        browser.post("/api/cancel_other", &[("subscription", id)]).await;
    }
    for id in [&theirs, &second] {
        assert_eq!(app.stripe.get(&format!("/v1/subscriptions/{id}")).await["status"], "active", "{id}");
    }
    let account = browser.get("/account").await;
    let done = browser.press(&account, "/api/cancel_other", &[]).await;
    assert!(done.text("main").contains("That subscription has ended"), "{}", done.text("main"));
    assert_eq!(app.stripe.get(&format!("/v1/subscriptions/{first}")).await["status"], "canceled");
    assert!(!browser.get("/account").await.text("main").contains("Also running"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_is_a_click_away_and_what_it_changed_is_there_on_the_way_back() {
    let app = App::start().await;
    let (mut browser, customer, id) = app.subscriber(ADA).await;
    app.stripe.hold_webhooks().await;
    let payment = browser.get("/account/payment").await;
    assert!(payment.text("main").contains("Visa ending in 4242"), "{}", payment.text("main"));
    let portal = browser.post("/api/open_portal", &[("flow", "home"), ("from", "/account/payment")]).await;
    assert!(portal.url.as_str().starts_with(&format!("{}/p/session/", app.stripe.url)), "{}", portal.url);
    assert!(portal.html.contains("/account/back?to=/account/payment"), "{}", portal.text("body"));
    at_stripe(&app, &id, &[("cancel_at_period_end", "true")]).await;
    let back = browser.get("/account/back?to=/account/payment").await;
    assert_eq!(back.path(), "/account/payment");
    assert_eq!(app.snapshot(&customer).await["cancelAtPeriodEnd"], true);
    for elsewhere in ["//evil.example", "https://evil.example", "/logout", "/account/../api"] {
        let page = browser.get(&format!("/account/back?to={elsewhere}")).await;
        assert_eq!(page.path(), "/account", "{elsewhere}");
    }
}
