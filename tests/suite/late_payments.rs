//! Payments that fail: how long access stays, what each page says, how another card mends it; and the
//! gate of a route.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{App, AppOptions, Browser, GOOD, eventually, plans_with};

const ADA: &str = "ada@example.com";
const DAY: i64 = 24 * 3600;
/// It can be saved, and every charge of it fails.
const FAILING: &str = "4000000000000341";
const LOCKED: &str = "It comes with any paid plan";

/// Somebody whose renewal has failed, three days of grace.
async fn overdue() -> (App, Browser, String, String) {
    let catalog = plans_with("past_due_grace_days = 3", "");
    let app = App::with(AppOptions { catalog, ..AppOptions::default() }).await;
    let (browser, customer, subscription) = app.subscriber(ADA).await;
    charge_to(&app, &customer, &subscription, "pm_card_chargeCustomerFail").await;
    renew(&app, &subscription).await;
    app.eventually_status(&customer, "past_due").await;
    (app, browser, customer, subscription)
}

/// The Dashboard gives the subscription this test card.
async fn charge_to(app: &App, customer: &str, subscription: &str, card: &str) {
    let path = format!("/v1/payment_methods/{card}/attach");
    let card = app.stripe.post(&path, &[("customer", customer)]).await;
    let form = [("default_payment_method", card["id"].as_str().unwrap())];
    app.stripe.post(&format!("/v1/subscriptions/{subscription}"), &form).await;
}

/// To two hours after the period's end, when its invoice has been charged.
async fn renew(app: &App, subscription: &str) {
    let stored = app.stripe.get(&format!("/v1/subscriptions/{subscription}")).await;
    let end = stored["items"]["data"][0]["current_period_end"].as_i64().unwrap();
    app.stripe.control("clock", &json!({ "to": end + 2 * 3600 })).await;
}

async fn invoice_of(app: &App, subscription: &str) -> Value {
    let stored = app.stripe.get(&format!("/v1/subscriptions/{subscription}")).await;
    app.stripe.get(&format!("/v1/invoices/{}", stored["latest_invoice"].as_str().unwrap())).await
}

/// How often we have asked Stripe to pay it: many requests under one idempotency key are one.
async fn tries(app: &App, invoice: &Value) -> usize {
    let path = format!("/v1/invoices/{}/pay", invoice["id"].as_str().unwrap());
    let requests = app.stripe.requests("POST", &path).await;
    requests.iter().map(|request| request["idempotency_key"].as_str()).collect::<BTreeSet<_>>().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_renewal_keeps_access_for_the_grace_and_says_so_everywhere() {
    let (app, mut browser, customer, subscription) = overdue().await;
    let invoice = invoice_of(&app, &subscription).await;
    for path in ["/account", "/app"] {
        let page = browser.get(path).await;
        let notice = page.text(".notice p");
        assert!(notice.starts_with("Your last payment of $12 failed You keep Pro until"), "{path}: {notice}");
        assert!(notice.contains("Your card is tried again on"), "{path}: {notice}");
        assert!(page.html.contains(invoice["hosted_invoice_url"].as_str().unwrap()), "{path}: one click");
    }
    assert_eq!(browser.get("/account").await.heading(), "Pro, payment overdue");
    let payment = browser.get("/account/payment").await.text(".notice p");
    assert!(payment.starts_with("A payment of $12 is overdue"), "{payment}");
    assert!(!browser.get("/app").await.text("main").contains(LOCKED));
    assert_eq!(tries(&app, &invoice).await, 0, "the card that failed is not asked by us");

    // The first retry is after the grace.
    app.stripe.control("clock", &json!({ "advance_seconds": 3 * DAY - 3 * 3600 })).await;
    assert!(!browser.get("/app").await.text("main").contains(LOCKED));
    app.stripe.control("clock", &json!({ "advance_seconds": 2 * 3600 })).await;
    eventually("the gate to close", async || {
        browser.get("/app").await.text("main").contains(LOCKED).then_some(())
    })
    .await;
    assert_eq!(app.snapshot(&customer).await["status"], "past_due");
    let notice = browser.get("/account").await.text(".notice");
    assert!(notice.contains("Pro is switched off until the payment goes through"), "{notice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_card_pays_the_open_invoice_once() {
    let (app, mut browser, customer, subscription) = overdue().await;
    let invoice = invoice_of(&app, &subscription).await;
    let back = browser.add_card(FAILING, "/account").await;
    assert_eq!(back.heading(), "Pro, payment overdue", "{}", back.text("main"));
    assert_eq!(tries(&app, &invoice).await, 1);
    app.eventually_quiet().await;
    for _ in 0..2 {
        browser.get("/account/back").await;
    }
    assert_eq!(tries(&app, &invoice).await, 1, "a card that was declined is not asked again");

    let back = browser.add_card(GOOD, "/account").await;
    assert!(back.heading().starts_with("Pro, renews on"), "the way back shows it: {}", back.text("main"));
    assert_eq!(tries(&app, &invoice).await, 2);
    let paid = invoice_of(&app, &subscription).await;
    assert_eq!((&paid["id"], &paid["status"]), (&invoice["id"], &json!("paid")));
    app.eventually_quiet().await;
    assert_eq!(tries(&app, &invoice).await, 2);
    // The next renewal is charged to it too.
    renew(&app, &subscription).await;
    eventually("the next period", async || {
        let next = invoice_of(&app, &subscription).await;
        (next["id"] != invoice["id"] && next["status"] == "paid").then_some(())
    })
    .await;
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_came_before_anybody_looked_pays_too() {
    let app = App::start().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    app.stripe.drop_webhooks().await;
    charge_to(&app, &customer, &subscription, "pm_card_chargeCustomerFail").await;
    app.eventually_quiet().await;
    renew(&app, &subscription).await;
    let invoice = invoice_of(&app, &subscription).await;
    assert_eq!(invoice["status"], "open");
    charge_to(&app, &customer, &subscription, "pm_card_visa").await;
    browser.get("/account/back").await;
    assert_eq!(invoice_of(&app, &subscription).await["status"], "paid");
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(tries(&app, &invoice).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_card_that_was_there_already_is_not_charged_unasked() {
    let app = App::start().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    let path = "/v1/payment_methods/pm_card_mastercard/attach";
    let old = app.stripe.post(path, &[("customer", customer.as_str())]).await;
    let default = [("invoice_settings[default_payment_method]", old["id"].as_str().unwrap())];
    app.stripe.post(&format!("/v1/customers/{customer}"), &default).await;
    charge_to(&app, &customer, &subscription, "pm_card_chargeCustomerFail").await;
    renew(&app, &subscription).await;
    app.eventually_status(&customer, "past_due").await;
    browser.get("/account/back").await;
    app.eventually_quiet().await;
    let invoice = invoice_of(&app, &subscription).await;
    assert_eq!((&invoice["status"], tries(&app, &invoice).await), (&json!("open"), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_that_are_used_up_switch_off_and_another_card_switches_on() {
    let (app, mut browser, customer, subscription) = overdue().await;
    app.stripe.patch("subscriptions", &subscription, &json!({ "status": "unpaid" })).await;
    app.sync(&customer).await;
    let account = browser.get("/account").await;
    assert_eq!(account.heading(), "Pro is switched off");
    let notice = account.text(".notice");
    assert!(notice.contains("Pay the invoice") && notice.contains("Use another card"), "{notice}");
    assert!(browser.get("/app").await.text("main").contains(LOCKED));
    let back = browser.add_card(GOOD, "/account").await;
    assert!(back.heading().starts_with("Pro, renews on"), "{}", back.text("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_its_owner_must_confirm_leads_to_the_page_for_it() {
    let app = App::start().await;
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    charge_to(&app, &customer, &subscription, "pm_card_authenticationRequired").await;
    renew(&app, &subscription).await;
    app.eventually_status(&customer, "past_due").await;
    let account = browser.get("/account").await;
    assert!(account.text(".notice").contains("Pay the invoice"), "{}", account.text("main"));
    let invoice = invoice_of(&app, &subscription).await;
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    assert!(account.html.contains(url));
    assert_eq!(browser.get(url).await.status, 200);
    assert_eq!(tries(&app, &invoice).await, 0, "nobody is there to confirm what we would ask for");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_is_gated_by_one_argument() {
    const ROUTE: &str = "/api/year_ahead";
    let app = App::start().await;
    let stranger = app.browser().get(ROUTE).await;
    assert_eq!((stranger.status, stranger.html.as_str()), (401, r#"{"error":"Log in first."}"#));
    let mut free = app.signed_up("bob@example.com").await;
    assert_eq!(free.get(ROUTE).await.status, 403);
    let (mut browser, customer, subscription) = app.subscriber(ADA).await;
    let open = browser.get(ROUTE).await;
    assert_eq!(open.status, 200);
    let view: Value = serde_json::from_str(&open.html).unwrap();
    assert_eq!((&view["plan_name"], &view["total"]), (&json!("Pro"), &json!("$144")));
    app.stripe.delete(&format!("/v1/subscriptions/{subscription}")).await;
    app.eventually_status(&customer, "canceled").await;
    assert_eq!(browser.get(ROUTE).await.status, 403);
}
