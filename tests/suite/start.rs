//! Starting, stopping and starting again; what is sold; the pages that belong to nobody.

use redis::AsyncCommands;
use serde_json::json;
use unsplit::server::config::Config;
use unsplit::server::run::{open_state, read_catalog};
use unsplit_billing::adapters::plans_toml;
use unsplit_billing::plan::Catalog;
use unsplit_billing::service::ChangeKind;

use crate::support::{App, AppOptions, RedisServer, database, eventually, tuning};

const ADA: &str = "ada@example.com";

fn plans(replace: &str, with: &str) -> Catalog {
    let text = std::fs::read_to_string("plans.toml").unwrap();
    assert!(text.contains(replace), "plans.toml has no {replace}");
    plans_toml::parse(&text.replace(replace, with)).unwrap()
}

async fn refusal(config: Config) -> String {
    match open_state(config, read_catalog().unwrap(), tuning()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_of_another_account_or_mode_is_refused() {
    let (ours, theirs) = (App::start().await, App::start().await);
    let recorded = ours.stored("stripe:account").await.unwrap();
    let account = ours.stripe.get("/v1/account").await["id"].as_str().unwrap().to_owned();
    assert!(recorded.contains(&account) && recorded.contains("test"), "{recorded}");

    let mixed = Config { stripe_base: theirs.config.stripe_base.clone(), ..ours.config.clone() };
    let why = refusal(mixed).await;
    assert!(why.contains("belongs to Stripe account") && why.contains(&account), "{why}");
    assert!(why.contains("REDIS_URL"), "{why}");

    let live = recorded.replace("test", "live");
    let _: () = ours.redis.clone().set("stripe:account", live).await.unwrap();
    assert!(refusal(ours.config.clone()).await.contains("live mode"));

    let key = "sk_live_0123456789".to_owned();
    let why = refusal(Config { stripe_key: key, ..theirs.config.clone() }).await;
    assert!(why.contains("STRIPE_API_BASE") && !why.contains("0123456789"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_stripe_stops_no_start_of_a_redis_that_knows_its_account() {
    let app = App::start().await;
    let unreachable = Some("http://127.0.0.1:1".to_owned());
    let known = Config { stripe_base: unreachable.clone(), ..app.config.clone() };
    assert!(open_state(known, read_catalog().unwrap(), tuning()).await.is_ok());
    let fresh = Config { stripe_base: unreachable, redis_url: database(), ..app.config.clone() };
    assert!(refusal(fresh).await.contains("Stripe"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pushing_plans_again_changes_nothing() {
    let app = App::start().await;
    let (products, prices) = ("/v1/products?limit=100", "/v1/prices?limit=100");
    let before = (app.stripe.list(products).await, app.stripe.list(prices).await);
    assert_eq!((before.0.len(), before.1.len()), (2, 4), "what is free is not at Stripe");
    let changes = app.billing.push_plans().await.unwrap();
    assert_eq!(changes.len(), 6);
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Unchanged), "{changes:?}");
    assert_eq!((app.stripe.list(products).await, app.stripe.list(prices).await), before);
    // What somebody has archived by hand is sold again.
    let price = app.stripe.price("pro_monthly").await;
    app.stripe.post(&format!("/v1/prices/{}", price["id"].as_str().unwrap()), &[("active", "false")]).await;
    app.billing.push_plans().await.unwrap();
    assert_eq!(app.stripe.price("pro_monthly").await["active"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_is_for_new_buyers_and_old_ones_keep_their_plan() {
    let mut app = App::start().await;
    let (mut ada, customer, _) = app.subscriber(ADA).await;
    let old = app.stripe.price("pro_monthly").await;
    app.stop().await;
    app.start_again(plans(r#"amount = "12" "#, r#"amount = "15" "#)).await;
    let new = app.stripe.price("pro_monthly").await;
    assert_ne!(new["id"], old["id"]);
    assert_eq!((&new["unit_amount"], &new["product"]), (&json!(1500), &old["product"]));
    let old = app.stripe.get(&format!("/v1/prices/{}", old["id"].as_str().unwrap())).await;
    assert_eq!((&old["unit_amount"], &old["lookup_key"]), (&json!(1200), &json!(null)));

    let stored = app.sync(&customer).await;
    assert_eq!((&stored["plan"], &stored["amount"]), (&json!("pro"), &json!(1200)));
    let account = ada.get("/account").await.text("main");
    assert!(account.contains("$12") && !account.contains("$15"), "{account}");
    assert!(ada.get("/app").await.text("main").contains("payments for Pro"));

    let mut bob = app.signed_up("bob@example.com").await;
    assert!(bob.get("/pricing").await.text("main").contains("$15"));
    assert!(bob.subscribe("pro", "month").await.text("main").contains("$15.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn yen_have_no_decimals() {
    let text = std::fs::read_to_string("plans.toml").unwrap().replace(r#""usd""#, r#""jpy""#);
    let catalog = plans_toml::parse(&text.replace(r#"amount = "12" "#, r#"amount = "1500" "#)).unwrap();
    let app = App::with(AppOptions { catalog, ..AppOptions::default() }).await;
    let price = app.stripe.price("pro_monthly").await;
    assert_eq!((&price["unit_amount"], &price["currency"]), (&json!(1500), &json!("jpy")));
    assert!(app.browser().get("/pricing").await.text("main").contains("¥1,500"));
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    assert_eq!(app.snapshot(&customer).await["amount"], 1500);
    let account = browser.get("/account").await.text("main");
    assert!(account.contains("¥1,500") && !account.contains("15.00"), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_who_is_logged_in_and_what_they_have() {
    let mut app = App::start().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let before = app.snapshot(&customer).await;
    let mut chooser = app.browser();
    chooser.subscribe("team", "month").await;
    app.stop().await;
    app.start_again(read_catalog().unwrap()).await;
    assert!(browser.get("/account").await.heading().starts_with("Pro, renews on"));
    assert_eq!(app.snapshot(&customer).await["subscriptionId"], before["subscriptionId"]);
    // The signed cookie of before is still ours.
    let form = [("email", "bob@example.com"), ("password", "correct horse")];
    let page = chooser.post("/api/sign_up", &form).await;
    assert!(page.url.as_str().starts_with(&app.stripe.url), "{}", page.url);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_bought_while_the_app_was_down_is_there_when_it_is_back() {
    let mut app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let checkout = browser.subscribe("pro", "month").await;
    let customer = app.only_customer().await;
    app.stop().await;
    browser.pay_and_leave(&checkout, crate::support::GOOD).await;
    app.start_again(read_catalog().unwrap()).await;
    app.eventually_status(&customer, "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_what_runs_finish() {
    let mut app = App::start().await;
    app.stripe.hold_webhooks().await;
    let (mut browser, customer, _) = app.subscriber(ADA).await;
    let tickets = format!("{{stripe:customer:{customer}}}:seq");
    let before = app.stored(&tickets).await;
    app.stripe.fault(&json!({ "path": "/v1/subscriptions", "latency_ms": 300, "times": 1 })).await;
    let page = tokio::spawn(async move { browser.get("/checkout/success").await });
    eventually("the page's sync has begun", async || (app.stored(&tickets).await != before).then_some(()))
        .await;
    app.stop().await;
    let page = page.await.unwrap();
    assert_eq!(page.heading(), "Thank you. You're on Pro");
    let refused = reqwest::get(format!("{}/livez", app.url)).await;
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_life_from_readiness_and_never_asks_stripe() {
    let mut redis = RedisServer::start();
    let mut app = App::with(AppOptions { redis_url: redis.url(), ..AppOptions::default() }).await;
    app.stop_stripe().await;
    let status =
        async |path: &str| reqwest::get(format!("{}{path}", app.url)).await.unwrap().status().as_u16();
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 200));
    redis.kill();
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    redis.restart();
    eventually("ready again", async || (status("/readyz").await == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_is_a_page_of_ours() {
    let app = App::start().await;
    for path in ["/nothing", "/checkout", "/pricing/x", "/pkg/nothing.js"] {
        let page = app.browser().get(path).await;
        assert_eq!((page.status, page.heading().as_str()), (404, "There is no page here"), "{path}");
        assert!(page.html.contains("/pkg/unsplit.css") && !page.text("header").is_empty(), "{path}");
    }
}
