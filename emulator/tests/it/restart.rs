//! What a restart keeps, and what it makes of a damaged journal.

use std::io::Write;
use std::path::Path;

use reqwest::Method;
use serde_json::json;
use stripe_emulator::{Emulator, Options, StartError, Webhook};

use crate::support::{GOOD, Hook, Stripe, eventually, id, options};

fn in_directory(path: &Path) -> Options {
    Options { data_dir: Some(path.to_owned()), ..options() }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(in_directory(directory.path())).await;
    let account = stripe.emulator.account_id();
    let (customer, _) = stripe.buy().await;
    let open = stripe.session(&customer, &stripe.price().await, &[]).await;
    let headers = [("idempotency-key", "k1")];
    let made = stripe.send(Method::POST, "/v1/customers", &[("email", "a@b.c")], &headers).await.unwrap();
    stripe.control("/_emulator/clock", json!({"advance_seconds": 100})).await;
    let (subscriptions, events) = (stripe.subscriptions(&customer).await, stripe.event_types().await);
    let now = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    stripe.emulator.stop().await;

    let stripe = Stripe::with(in_directory(directory.path())).await;
    assert_eq!(stripe.emulator.account_id(), account);
    assert_eq!(stripe.subscriptions(&customer).await, subscriptions);
    assert_eq!(stripe.event_types().await, events);
    assert!(stripe.get("/_emulator/clock").await["now"].as_i64().unwrap() >= now);
    let again = stripe.send(Method::POST, "/v1/customers", &[("email", "a@b.c")], &headers).await.unwrap();
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &made.body));
    let fields = [("card_number", GOOD), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada")];
    let page = stripe.url(&format!("/c/pay/{}", id(&open)));
    assert_eq!(stripe.submit(&page, &fields).await.status(), 303, "an open session can still be paid");
    let new = stripe.customer().await;
    assert_eq!(stripe.get("/v1/customers?limit=1").await["data"][0]["id"], *new, "the order goes on");
}

#[tokio::test]
async fn a_torn_last_line_is_dropped_and_the_rest_kept() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(in_directory(directory.path())).await;
    let customer = stripe.customer().await;
    stripe.emulator.stop().await;
    let journal = directory.path().join("journal.jsonl");
    let mut file = std::fs::OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(br#"[{"kind":"customer","id":"cus_torn","seq":99,"value":{"id":"cus_to"#).unwrap();
    drop(file);

    for _ in 0..2 {
        let stripe = Stripe::with(in_directory(directory.path())).await;
        assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["email"], "ada@example.com");
        assert_eq!(stripe.try_get("/v1/customers/cus_torn").await.status, 404);
        stripe.customer().await;
        stripe.emulator.stop().await;
    }
}

#[tokio::test]
async fn a_damaged_line_is_named() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("journal.jsonl"), "[]\nnonsense\n[]\n").unwrap();
    let error = Emulator::start(in_directory(directory.path())).await.err().unwrap();
    assert!(matches!(error, StartError::Unreadable { line: 2, .. }));
    let message = error.to_string();
    assert!(message.contains("journal.jsonl line 2"), "{message}");
}

#[tokio::test]
async fn what_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let first = Stripe::with(in_directory(directory.path())).await;
    let second = Emulator::start(in_directory(directory.path())).await.err().unwrap();
    assert!(matches!(second, StartError::DataDirInUse { .. }), "{second}");
    let address = first.emulator.url().replace("http://", "").parse().unwrap();
    let taken = Emulator::start(Options { listen: address, ..options() }).await.err().unwrap();
    assert!(taken.to_string().contains(&format!("port {}", address.port())), "{taken}");
    let file = directory.path().join("a file");
    std::fs::write(&file, "").unwrap();
    let unwritable = Emulator::start(in_directory(&file.join("below"))).await.err().unwrap();
    assert!(matches!(unwritable, StartError::DataDir { .. }), "{unwritable}");
}

#[tokio::test]
async fn pending_deliveries_go_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let hook = Hook::start().await;
    let webhook = Webhook { url: hook.url.clone(), secret: "whsec_test".to_owned() };
    let with_hook = Options { webhooks: vec![webhook], ..in_directory(directory.path()) };
    let stripe = Stripe::with(with_hook.clone()).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "held"})).await;
    stripe.price().await;
    stripe.emulator.stop().await;
    assert!(hook.heard().is_empty());
    let _stripe = Stripe::with(with_hook).await;
    eventually("they come", async || hook.heard().len() == 3).await;
    assert_eq!(hook.types(), ["product.created", "plan.created", "price.created"]);
}

#[tokio::test]
async fn a_speed_asked_for_at_the_start_wins_over_the_kept_one() {
    let directory = tempfile::tempdir().unwrap();
    let speed = async |asked: Option<i64>| {
        let stripe = Stripe::with(Options { speed: asked, ..in_directory(directory.path()) }).await;
        let speed = stripe.get("/_emulator/clock").await["speed"].clone();
        stripe.emulator.stop().await;
        speed
    };
    assert_eq!(speed(None).await, 1);
    assert_eq!(speed(Some(60)).await, 60);
    assert_eq!(speed(None).await, 60, "it is kept");
    assert_eq!(speed(Some(2)).await, 2);
    let refused = Emulator::start(Options { speed: Some(0), ..options() }).await.err().unwrap();
    assert!(matches!(refused, StartError::Speed(0)), "{refused}");
}
