//! Webhooks that are lost, doubled, late and shuffled by chance.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stripe_emulator::{Options, Webhook};

use crate::support::{Hook, Stripe, eventually, ids, options};

async fn forwarding_to(hook: &Hook) -> Stripe {
    let webhook = Webhook { url: hook.url.clone(), secret: "whsec_test".to_owned() };
    Stripe::with(Options { webhooks: vec![webhook], ..options() }).await
}

/// What became of the deliveries, oldest first, when none is under way any more.
async fn settled(stripe: &Stripe, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    eventually("all are settled", async || {
        let list = stripe.get(&format!("/_emulator/deliveries?limit={count}")).await;
        all = list["data"].as_array().unwrap().clone();
        all.len() == count && all.iter().all(|one| one["state"] != "pending")
    })
    .await;
    all.reverse();
    all
}

/// Makes customers one after the other, and says which of their webhooks were lost.
async fn lost(stripe: &Stripe, chances: Value) -> Vec<bool> {
    stripe.control("/_emulator/deliveries", chances).await;
    for _ in 0..30 {
        stripe.customer().await;
    }
    settled(stripe, 30).await.iter().map(|one| one["state"] == "failed").collect()
}

#[tokio::test]
async fn what_is_lost_repeats_with_the_seed() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        runs.push(lost(&stripe, json!({"mode": "normal", "seed": seed, "drop": 0.5})).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let lost_now = runs.concat().iter().filter(|lost| **lost).count();
    assert!((20..=70).contains(&lost_now), "{lost_now} of 90 is not one half");
    assert_eq!(hook.heard().len(), 90 - lost_now);
    let waiting = stripe.get("/v1/events?delivery_success=false").await;
    assert!(ids(&waiting).is_empty(), "what is lost is not waited for");
    assert_eq!(stripe.get("/_emulator/deliveries?limit=1").await["chances"]["drop"], 0.5);
    assert!(
        lost(&stripe, json!({"mode": "normal"})).await.iter().all(|lost| !lost),
        "normal is without chance"
    );
}

#[tokio::test]
async fn what_is_doubled_comes_twice() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "normal", "duplicate": 1.0})).await;
    stripe.customer().await;
    eventually("it comes twice", async || hook.heard().len() == 2).await;
    assert_eq!(hook.heard()[0].event()["id"], hook.heard()[1].event()["id"]);
}

#[tokio::test]
async fn what_is_late_holds_up_nothing_else() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "normal", "delay_ms": [400, 500]})).await;
    let begin = Instant::now();
    stripe.customer().await;
    stripe.control("/_emulator/deliveries", json!({"mode": "normal"})).await;
    stripe.price().await;
    eventually("all come", async || hook.heard().len() == 4).await;
    assert!(begin.elapsed() >= Duration::from_millis(400));
    assert_eq!(hook.types()[3], "customer.created");
}

#[tokio::test]
async fn the_events_of_one_request_are_shuffled_alike_with_one_seed() {
    let mut orders = Vec::new();
    let mut happened = Vec::new();
    for seed in [5, 5, 6] {
        let hook = Hook::start().await;
        let stripe = forwarding_to(&hook).await;
        let session = stripe.session(&stripe.customer().await, &stripe.price().await, &[]).await;
        eventually("what was before is through", async || hook.heard().len() == 4).await;
        let chances = json!({"mode": "normal", "seed": seed, "shuffle": true});
        stripe.control("/_emulator/deliveries", chances).await;
        stripe.pay(&session, crate::support::GOOD).await;
        happened = stripe.event_types().await.split_off(4);
        eventually("all come", async || hook.heard().len() == 4 + happened.len()).await;
        orders.push(hook.types().split_off(4));
    }
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
    assert_ne!(orders[0], happened);
    orders[0].sort();
    happened.sort();
    assert_eq!(orders[0], happened);
}

#[tokio::test]
async fn a_storm_may_retry_sooner() {
    let hook = Hook::start().await;
    hook.answer_with(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "normal", "retry_ms": 5, "shuffle": true})).await;
    let begin = Instant::now();
    stripe.customer().await;
    eventually("it is tried often", async || hook.heard().len() >= 4).await;
    assert!(begin.elapsed() < Duration::from_secs(3), "seven seconds without");
}

#[tokio::test]
async fn wrong_chances_are_refused_by_name() {
    let stripe = Stripe::start().await;
    let cases = [
        (json!({"mode": "normal", "drop": 2}), "drop"),
        (json!({"mode": "normal", "duplicate": -0.5}), "duplicate"),
        (json!({"mode": "normal", "delay_ms": [5, 1]}), "delay_ms"),
        (json!({"mode": "held", "drop": 0.1}), "mode"),
        (json!({"drop": 0.1}), "mode"),
        (json!({"mode": "normal", "colour": "red"}), "colour"),
    ];
    for (body, name) in cases {
        let reply = stripe.try_control("/_emulator/deliveries", body).await;
        assert_eq!(reply.status, 400);
        assert!(reply.body["error"].as_str().unwrap().contains(name), "{}", reply.body);
    }
}
