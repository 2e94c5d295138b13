//! The built program, as `make run` starts it: what survives, what is left behind, what it says
//! when it can't start.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use redis::AsyncCommands;
use serde_json::json;
use unsplit::server::run::{open_billing, read_catalog};
use unsplit_billing::error::Error;
use unsplit_billing::id::UserId;
use unsplit_billing::plan::Interval;
use unsplit_billing::service::{Buyer, Checkout, CheckoutChoice};

use crate::support::{App, Browser, GOOD, Place, Stripe, Tuning, database, finished, tuning};

const LIVE_URL: (&str, &str) = ("PUBLIC_URL", "https://example.com");

async fn buy(browser: &mut Browser) {
    browser.post("/api/sign_up", &[("email", "ada@example.com"), ("password", "correct horse")]).await;
    let checkout = browser.subscribe("pro", "month").await;
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_stop_and_a_kill_and_no_process_does() {
    let place = Place::new();
    let mut running = place.running().await;
    let mut browser = Browser::new(&place.home());
    buy(&mut browser).await;
    for signal in ["-TERM", "-KILL", "-INT"] {
        let ended = running.signal(signal);
        assert_eq!(ended.success(), signal != "-KILL", "{signal}: {ended}");
        place.nothing_listens().await;
        running = place.running().await;
        let account = browser.get("/account").await;
        assert!(account.heading().starts_with("Pro, renews on"), "{signal}: {}", account.text("main"));
        // Not only remembered: Stripe's side is there too.
        let success = browser.get("/checkout/success").await;
        assert_eq!(success.heading(), "Thank you. You're on Pro", "{signal}");
    }
    assert_eq!(Stripe::at(format!("http://{}", place.emulator)).customers().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_commands_join_what_dev_runs() {
    let place = Place::new();
    let mut running = place.running().await;
    let mut browser = Browser::new(&place.home());
    buy(&mut browser).await;
    let told = place.path().join(".data/dev.env");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&told).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds secrets");

    let push = finished(place.command(&["plans", "push"], &[])).await;
    let text = String::from_utf8(push.stdout).unwrap();
    assert!(push.status.success() && text.lines().count() == 6, "{text}");
    assert!(text.lines().all(|line| line.starts_with("unchanged")), "{text}");

    let customer = Stripe::at(format!("http://{}", place.emulator)).customers().await[0].clone();
    let sync = finished(place.command(&["sync", customer["id"].as_str().unwrap()], &[])).await;
    let both: serde_json::Value = serde_json::from_slice(&sync.stdout).unwrap();
    assert_eq!((sync.status.success(), both["after"]["status"].as_str()), (true, Some("active")));
    assert_eq!(both["before"]["subscriptionId"], both["after"]["subscriptionId"]);
    assert!(!finished(place.command(&["sync", "cus 1"], &[])).await.status.success());
    look_inside(&place, customer["id"].as_str().unwrap()).await;

    assert!(running.signal("-TERM").success());
    assert!(!told.exists(), "nothing runs that could be joined");
}

/// What an engineer who is paged looks at.
async fn look_inside(place: &Place, customer: &str) {
    let said = async |arguments: &[&str]| {
        let output = finished(place.command(arguments, &[])).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let queue = said(&["queue"]).await;
    assert!(queue.contains(customer) && queue.contains("0 failing"), "{queue}");
    assert!(queue.contains("checkout.session.completed") && queue.contains("Stripe all:"), "{queue}");
    let reconciled = said(&["reconcile"]).await;
    assert!(reconciled.contains("events of 1 customers"), "{reconciled}");
    let rebuilt = said(&["rebuild"]).await;
    assert!(rebuilt.contains("1 customers and 1 subscriptions seen in 2 calls"), "{rebuilt}");
    assert!(rebuilt.contains("0 values changed, 1 unchanged"), "{rebuilt}");

    let url = format!("http://{}/metrics", place.site);
    let metrics = reqwest::get(&url).await.unwrap().text().await.unwrap();
    for name in [
        "unsplit_webhooks_total{outcome=\"marked\"}",
        "unsplit_syncs_total{result=\"written\"}",
        "unsplit_trigger_to_stored_seconds_bucket",
        "unsplit_stripe_requests_total{endpoint=\"GET /v1/subscriptions\",result=\"ok\"}",
        "unsplit_queue_customers{state=\"due\"} 0",
        "unsplit_queue_oldest_due_seconds",
        "unsplit_drift_total",
        "unsplit_redis_weak_durability 0",
        "unsplit_stripe_budget_available{limit=\"all\"}",
    ] {
        assert!(metrics.contains(name), "{name} is missing:\n{metrics}");
    }
    let proxied =
        reqwest::Client::new().get(&url).header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    assert_eq!(proxied.status(), 403, "not for the world");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_redis_knows_who_is_there_and_what_they_have() {
    let app = App::start().await;
    let (mut browser, _, _) = app.subscriber("ada@example.com").await;
    let place = Place::new();
    let home = place.home();
    let variables = app.variables(&home);
    let mut running = place.answering(place.command(&["serve"], &variables)).await;
    let mut there = Browser::new(&home);
    there.cookies.clone_from(&browser.cookies);
    assert_eq!(there.get("/account").await.heading(), browser.get("/account").await.heading());
    assert_eq!(there.subscribe("team", "month").await.path(), "/account", "no second subscription");
    assert!(running.signal("-TERM").success());
}

/// Its exit code, and what it said on stdout and on stderr.
async fn ended(command: Command) -> (Option<i32>, String, String) {
    let output = finished(command).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_shown_without_stripe() {
    let app = App::start().await;
    let (_, customer, _) = app.subscriber("ada@example.com").await;
    let (place, home) = (Place::new(), app.url.clone());
    for (name, value) in [("STRIPE_API_BASE", "http://127.0.0.1:1"), ("STRIPE_SECRET_KEY", "sk_test_revoked")]
    {
        let mut queue = place.command(&["queue"], &app.variables(&home));
        queue.env(name, value);
        let (code, shown, why) = ended(queue).await;
        assert_eq!(code, Some(0), "{name}: {why}");
        assert!(shown.contains(&customer) && shown.contains("0 failing"), "{name}: {shown}");
    }
    let mut serve = place.command(&["serve"], &app.variables(&home));
    serve.env("STRIPE_SECRET_KEY", "sk_test_revoked");
    let line = one_line(serve).await;
    assert!(line.contains("STRIPE_SECRET_KEY is refused"), "{line}");
    for most in ["0", "1001"] {
        let queue = place.command(&["queue", "--most", most], &app.variables(&home));
        let (code, shown, why) = ended(queue).await;
        assert!(code == Some(2) && shown.is_empty() && why.contains("1..=1000"), "{most}: {shown}{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_tells_a_mistyped_customer_from_a_deleted_one() {
    let app = App::start().await;
    let (place, home) = (Place::new(), app.url.clone());
    let sync = async |id: &str| ended(place.command(&["sync", id], &app.variables(&home))).await;
    let (code, shown, why) = sync("cus_typo").await;
    assert!(code == Some(1) && why.contains("Stripe has no such customer."), "{code:?}: {why}");
    assert!(shown.contains("\"none\""), "{shown}");
    assert_eq!(app.snapshot("cus_typo").await["status"], "none", "as the rule wants");
    let customer = app.stripe.post("/v1/customers", &[("email", "ada@example.com")]).await;
    let customer = customer["id"].as_str().unwrap();
    let (code, _, said) = sync(customer).await;
    assert!(code == Some(0) && !said.contains("customer"), "{code:?}: {said}");
    app.stripe.delete(&format!("/v1/customers/{customer}")).await;
    let (code, _, said) = sync(customer).await;
    assert!(code == Some(0) && said.contains("The customer was deleted at Stripe."), "{code:?}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_what_has_not_happened_yet_and_what_another_process_has_found() {
    let app = App::start().await;
    let place = Place::new();
    let home = place.home();
    let mut serve = place.command(&["serve"], &app.variables(&home));
    serve.env("STRIPE_API_BASE", "http://127.0.0.1:1");
    let mut running = place.answering(serve).await;
    for drift in [0, 7, 9] {
        let cursor = json!({ "eventsUntil": 1, "rebuildDue": null, "drift": drift }).to_string();
        let _: () = app.redis.clone().set("stripe:reconciled", cursor).await.unwrap();
        let metrics = reqwest::get(format!("{home}/metrics")).await.unwrap().text().await.unwrap();
        for name in ["drift_total", "redis_failovers_total", "reconciled_timestamp_seconds"] {
            let line = format!("unsplit_{name} {}", if name == "drift_total" { drift } else { 0 });
            assert!(metrics.lines().any(|it| it == line), "{line} is missing:\n{metrics}");
        }
    }
    assert!(running.signal("-TERM").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_of_a_product_that_lost_its_plan_is_not_sold_until_a_push() {
    let app = App::start().await;
    let forgetful = Tuning { billing: |settings| settings.catalog_life = Duration::ZERO, ..tuning() };
    let (billing, _) = open_billing(&app.config, read_catalog().unwrap(), &forgetful).await.unwrap();
    let buyer = Buyer { user: UserId::parse("u1").unwrap(), email: "ada@example.com".to_owned() };
    let choice = CheckoutChoice { plan: "pro".to_owned(), interval: Interval::Month };
    let product = app.stripe.price("pro_monthly").await["product"].as_str().unwrap().to_owned();
    for plan in ["", "team"] {
        app.stripe.post(&format!("/v1/products/{product}"), &[("metadata[plan]", plan)]).await;
        let sold = billing.start_checkout(&buyer, &choice).await;
        assert!(matches!(sold, Err(Error::NotPushed(_))), "{plan}: {sold:?}");
    }
    let (place, home) = (Place::new(), app.url.clone());
    let push = ended(place.command(&["plans", "push"], &app.variables(&home))).await;
    assert_eq!(push.0, Some(0), "{push:?}");
    let sold = billing.start_checkout(&buyer, &choice).await;
    assert!(matches!(sold, Ok(Checkout::Open { .. })), "{sold:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stripe_that_says_nothing_does_not_hold_up_a_start() {
    let app = App::start().await;
    app.stripe.fault(&json!({ "path": "/v1/account", "latency_ms": 20_000 })).await;
    let impatient = Tuning { billing: |settings| settings.patience = Duration::from_millis(300), ..tuning() };
    let began = Instant::now();
    open_billing(&app.config, read_catalog().unwrap(), &impatient).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Fails with one line, which is returned.
pub async fn one_line(command: Command) -> String {
    let (code, _, text) = ended(command).await;
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("unsplit: "), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_line_that_says_what_to_do() {
    let place = Place::new();
    let taken = [
        (place.site, "LEPTOS_SITE_ADDR"),
        (place.emulator, "choose another port"),
        (place.redis, "--redis-port"),
    ];
    for (address, fix) in taken {
        let occupied = TcpListener::bind(address).unwrap();
        let line = one_line(place.dev()).await;
        assert!(line.contains(&address.port().to_string()) && line.contains(fix), "{line}");
        drop(occupied);
        place.nothing_listens().await;
    }
}

/// What `unsplit serve` needs, with a Stripe that can't be reached.
pub fn variables(redis: &str) -> [(&str, &str); 5] {
    [
        ("STRIPE_SECRET_KEY", "sk_test_topsecret"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_topsecret"),
        ("REDIS_URL", redis),
        ("PUBLIC_URL", "http://127.0.0.1:3000"),
        ("STRIPE_API_BASE", "http://127.0.0.1:1"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_is_one_line_that_names_it_and_shows_no_secret() {
    let place = Place::new();
    let redis = database();
    let good = variables(&redis);
    let wrong: [&[(&str, &str)]; 16] = [
        &[("STRIPE_SECRET_KEY", "")],
        &[("STRIPE_SECRET_KEY", "pk_test_topsecret")],
        &[("STRIPE_WEBHOOK_SECRET", "")],
        &[("STRIPE_WEBHOOK_SECRET", "sk_test_topsecret")],
        &[("REDIS_URL", "")],
        &[("REDIS_URL", "topsecret")],
        &[("REDIS_URL", "http://:topsecret@127.0.0.1")],
        &[("REDIS_URL", "redis://:topsecret@127.0.0.1:1")],
        &[("STRIPE_API_BASE", "here")],
        &[("STRIPE_API_BASE", "http://127.0.0.1:1"), ("STRIPE_SECRET_KEY", "sk_live_topsecret"), LIVE_URL],
        &[("PUBLIC_URL", "http://127.0.0.1:3000"), ("STRIPE_SECRET_KEY", "sk_live_topsecret")],
        &[("PUBLIC_URL", "")],
        &[("PUBLIC_URL", "nonsense")],
        &[("PUBLIC_URL", "https://example.com/path")],
        &[("LEPTOS_SITE_ADDR", "3000")],
        &[("TRUSTED_PROXIES", "some")],
    ];
    for change in wrong {
        let mut command = place.command(&["serve"], &good);
        command.envs(change.iter().copied());
        let line = one_line(command).await;
        assert!(line.contains(change[0].0), "{change:?}: {line}");
        assert!(!line.contains("topsecret"), "{change:?}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stripe_out_of_reach_at_the_start_is_one_line_too() {
    let place = Place::new();
    let redis = database();
    let line = one_line(place.command(&["serve"], &variables(&redis))).await;
    assert!(line.contains("Stripe"), "{line}");
}
