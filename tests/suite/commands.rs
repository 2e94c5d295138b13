//! The built program, as `make run` starts it: what survives, what is left behind, what it says
//! when it can't start.

use std::net::TcpListener;
use std::process::Command;

use crate::support::{App, Browser, GOOD, Place, Stripe, database, finished};

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

/// Fails with one line, which is returned.
pub async fn one_line(command: Command) -> String {
    let output = finished(command).await;
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
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
