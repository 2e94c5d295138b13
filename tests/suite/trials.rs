//! Free trials: how one begins, what comes after it, and that nobody has two.

mod cards;

use serde_json::{Value, json};
use unsplit::server::run::open_billing;
use unsplit_billing::id::UserId;
use unsplit_billing::plan::Interval;
use unsplit_billing::service::{Buyer, Checkout, CheckoutChoice};

use crate::support::{App, AppOptions, Browser, GOOD, Page, eventually, plans_with, tuning};

const ADA: &str = "ada@example.com";
const DAY: i64 = 24 * 3600;
const WITH_CARD: &str = "trial_days = 14";
const WITHOUT_CARD: &str = "trial_days = 14\ntrial_card = \"optional\"";

async fn shop(policy: &str, plan: &str) -> App {
    App::with(AppOptions { catalog: plans_with(policy, plan), ..AppOptions::default() }).await
}

async fn move_days(app: &App, days: i64) {
    app.stripe.control("clock", &json!({ "advance_seconds": days * DAY })).await;
}

/// Completes Stripe's page without a card.
async fn start_without_card(browser: &mut Browser, checkout: &Page) -> Page {
    browser.post(checkout.url.as_str(), &[("name", "Ada")]).await
}

/// Somebody in a trial of Pro, with this card.
async fn in_trial(app: &App, email: &str, card: &str) -> (Browser, String) {
    let mut browser = app.signed_up(email).await;
    let checkout = browser.subscribe("pro", "month").await;
    let customer = newest_customer(app).await;
    browser.pay(&checkout, card).await;
    (browser, customer)
}

async fn newest_customer(app: &App) -> String {
    app.stripe.customers().await[0]["id"].as_str().unwrap().to_owned()
}

/// What would be charged at once in the newest session; 0 in a trial.
async fn asked_today(app: &App) -> Value {
    app.stripe.list("/v1/checkout/sessions?limit=100").await[0]["amount_total"].clone()
}

async fn charges(app: &App) -> usize {
    app.stripe.list("/v1/charges").await.len()
}

async fn trial_of(app: &App) -> Option<String> {
    let keys = app.keys("stripe:trial:*").await;
    app.stored(keys.first()?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_with_a_card_says_how_long_it_lasts_and_becomes_a_plan() {
    let app = shop("", WITH_CARD).await;
    let prices = app.browser().get("/pricing").await.text("main");
    assert!(prices.contains("First 14 days free") && !prices.contains("days free, no card"), "{prices}");
    let (mut browser, customer) = in_trial(&app, ADA, GOOD).await;
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro, free for 14 more days, until"), "{}", account.heading());
    assert_eq!((account.text(".pill").as_str(), account.text(".notice").as_str()), ("Trial", ""));
    assert!(browser.get("/account/payment").await.text("main").contains("14 more days"));
    assert_eq!(browser.get("/app").await.heading(), "Your year ahead");
    let prices = browser.get("/pricing").await.text("main");
    assert!(!prices.contains("days free"), "{prices}");

    move_days(&app, 12).await;
    let reminded = |page: &Page| page.text(".notice .what").starts_with("Your trial ends");
    eventually("the account reminds", async || reminded(&browser.get("/account").await).then_some(())).await;
    assert!(reminded(&browser.get("/app").await), "the product reminds too");
    assert!(browser.get("/account").await.heading().starts_with("Pro, free for 2 more days"));
    assert_eq!(charges(&app).await, 0);

    move_days(&app, 3).await;
    app.eventually_status(&customer, "active").await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(charges(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_without_a_card_ends_and_nobody_is_charged() {
    let app = shop("", WITHOUT_CARD).await;
    let mut browser = app.signed_up(ADA).await;
    assert!(browser.get("/pricing").await.text("main").contains("First 14 days free, no card needed"));
    let checkout = browser.subscribe("pro", "month").await;
    let success = start_without_card(&mut browser, &checkout).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.html);
    let account = browser.get("/account").await.text(".notice");
    assert!(account.contains("no card on file") && account.contains("Pro stops then"), "{account}");
    let customer = app.only_customer().await;

    move_days(&app, 15).await;
    app.eventually_status(&customer, "canceled").await;
    let account = browser.get("/account").await;
    assert!(account.heading().starts_with("Pro ended"), "{}", account.heading());
    assert!(account.text(".notice p").contains("Your free trial has ended You weren't charged"));
    assert!(browser.get("/app").await.text("main").contains("It comes with any paid plan"));
    assert_eq!(charges(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_trial_goes_on_with_a_card() {
    let app = shop("trial_without_card = \"pause\"", WITHOUT_CARD).await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    start_without_card(&mut browser, &checkout).await;
    assert!(browser.get("/account").await.text(".notice").contains("Pro is paused then"));
    let customer = app.only_customer().await;
    move_days(&app, 15).await;
    app.eventually_status(&customer, "paused").await;
    let account = browser.get("/account").await;
    assert_eq!(account.heading(), "Pro is paused");
    assert!(account.text(".notice").contains("Your free trial is over"), "{}", account.text(".notice"));
    assert!(browser.get("/app").await.text("main").contains("It comes with any paid plan"));

    let back = browser.add_card(GOOD, "/account").await;
    assert!(back.text(".notice").contains("Go on with Pro"), "{}", back.text("main"));
    let resumed = browser.post("/api/resume", &[]).await;
    assert!(resumed.heading().starts_with("Pro, renews on"), "{}", resumed.text("main"));
    assert_eq!(charges(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_second_trial_for_another_plan_nor_as_another_customer() {
    let app = shop("", WITH_CARD).await;
    let (mut browser, customer) = in_trial(&app, ADA, GOOD).await;
    assert_eq!(trial_of(&app).await.as_deref(), Some("used"));
    let noted = app.stripe.get(&format!("/v1/customers/{customer}")).await;
    assert_eq!(noted["metadata"]["trial"], "used");
    browser.post("/api/cancel", &[("end", "now")]).await;
    for (plan, amount) in [("pro", 1200), ("team", 4000)] {
        browser.subscribe(plan, "month").await;
        assert_eq!(asked_today(&app).await, amount, "{plan}");
    }
    assert!(!browser.get("/pricing").await.text("main").contains("days free"));

    // The customer is gone, and with it every subscription that could tell.
    app.stripe.delete(&format!("/v1/customers/{customer}")).await;
    browser.subscribe("pro", "month").await;
    assert_eq!(asked_today(&app).await, 1200);
    let second = newest_customer(&app).await;
    assert_ne!(second, customer);
    let noted = app.stripe.get(&format!("/v1/customers/{second}")).await;
    assert_eq!(noted["metadata"]["trial"], "used", "so that a rebuild knows it");

    // Redis is lost, and only the new customer's metadata tell.
    app.flush_stripe().await;
    app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!(trial_of(&app).await.as_deref(), Some("used"));
    browser.subscribe("pro", "month").await;
    assert_eq!(asked_today(&app).await, 1200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_the_seller_gave_is_a_trial() {
    let app = shop("", WITH_CARD).await;
    let (mut browser, customer) = in_trial(&app, ADA, GOOD).await;
    browser.post("/api/cancel", &[("end", "now")]).await;
    app.flush_stripe().await;
    app.stripe.post(&format!("/v1/customers/{customer}"), &[("metadata[trial]", "")]).await;
    // A worker's reaction notes it at Stripe again.
    app.billing.rebuild(&|_| {}).await.unwrap();
    assert_eq!(trial_of(&app).await.as_deref(), Some("used"), "every past subscription is looked at");
    eventually("Stripe knows it", async || {
        let noted = app.stripe.get(&format!("/v1/customers/{customer}")).await;
        (noted["metadata"]["trial"] == "used").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_checkout_gives_the_trial_back() {
    let app = shop("", WITH_CARD).await;
    let mut browser = app.signed_up(ADA).await;
    browser.subscribe("pro", "month").await;
    assert_eq!(asked_today(&app).await, 0);
    // Another plan in another tab: one trial, in the one session that is open.
    let team = browser.window().subscribe("team", "month").await;
    assert_eq!((asked_today(&app).await, app.stripe.sessions("open").await.len()), (json!(0), 1));
    move_days(&app, 2).await;
    assert!(app.stripe.sessions("open").await.is_empty());
    let again = browser.subscribe("pro", "month").await;
    assert_eq!(asked_today(&app).await, 0, "{}", team.url);
    let success = browser.pay(&again, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.text("main"));
    assert!(browser.get("/account").await.heading().starts_with("Pro, free for 14 more days"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_takes_anothers_place_takes_its_trial_over() {
    let app = shop("", WITH_CARD).await;
    let mut browser = app.signed_up(ADA).await;
    let abandoned = browser.subscribe("pro", "month").await;
    let customer = app.only_customer().await;
    app.stripe.delete(&format!("/v1/customers/{customer}")).await;
    let again = browser.subscribe("team", "month").await;
    assert_eq!(asked_today(&app).await, 0);
    let second = app.only_customer().await;
    assert_eq!(trial_of(&app).await, Some(second.clone()));
    let old = browser.pay(&abandoned, GOOD).await;
    assert_ne!(old.status, 200, "{}", old.text("body"));
    assert_eq!(browser.pay(&again, GOOD).await.heading(), "Thank you. You're on Team");
    let live = app.stripe.list("/v1/subscriptions?status=all").await;
    assert_eq!(live.len(), 1, "{live:?}");
}

/// Each process believes in a customer of its own, as after a lost binding.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_two_customers_of_one_user_open_one_trial() {
    let app = shop("", WITH_CARD).await;
    let other = open_billing(&app.config, plans_with("", WITH_CARD), &tuning()).await.unwrap().0;
    app.stripe.hold_webhooks().await;
    for round in 0..6 {
        let buyer = Buyer {
            user: UserId::parse(format!("user_{round}")).unwrap(),
            email: format!("{round}@example.com"),
        };
        let first = app.billing.ensure_customer(&buyer).await.unwrap();
        let pro = CheckoutChoice { plan: "pro".to_owned(), interval: Interval::Month };
        app.billing.start_checkout(&buyer, &pro).await.unwrap();
        app.stripe.delete(&format!("/v1/customers/{first}")).await;
        let team = CheckoutChoice { plan: "team".to_owned(), ..pro.clone() };
        let (here, there) =
            tokio::join!(app.billing.start_checkout(&buyer, &pro), other.start_checkout(&buyer, &team));
        let opened = [here, there].into_iter().filter(|it| matches!(it, Ok(Checkout::Open { .. }))).count();
        assert!(opened > 0, "round {round}");
        let open = app.stripe.sessions("open").await;
        let mine = open.iter().filter(|it| it["metadata"]["userId"] == buyer.user.as_str());
        let trials = mine.filter(|session| session["amount_total"] == 0).count();
        assert!(trials <= 1, "round {round}: {open:?}");
    }
}
