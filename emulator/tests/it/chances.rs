//! Faults by chance, replies that come late, and limits of the rate: what a simulator orders.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stripe_emulator::{Options, RateLimits};

use crate::support::{Stripe, eventually, ids, options};

/// Which of forty requests in a row fail.
async fn failures(stripe: &Stripe) -> Vec<bool> {
    let mut failed = Vec::new();
    for _ in 0..40 {
        failed.push(stripe.try_get("/v1/customers").await.status == 500);
    }
    failed
}

#[tokio::test]
async fn chances_repeat_with_their_seed() {
    let stripe = Stripe::start().await;
    let fault = json!({"path": "/v1/customers", "status": 500, "probability": 0.5});
    stripe.control("/_emulator/faults", fault).await;
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        stripe.control("/_emulator/faults/seed", json!({"seed": seed})).await;
        runs.push(failures(&stripe).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let failed = runs[0].iter().filter(|failed| **failed).count();
    assert!((8..=32).contains(&failed), "{failed} of 40 is not one half");
    assert_eq!(stripe.get("/_emulator/faults").await["seed"], 8);
    for (probability, all) in [(0.0, false), (1.0, true)] {
        stripe.delete("/_emulator/faults").await;
        stripe.control("/_emulator/faults", json!({"status": 500, "probability": probability})).await;
        assert!(failures(&stripe).await.iter().all(|failed| *failed == all));
    }
}

#[tokio::test]
async fn a_fault_that_does_not_strike_leaves_the_next_its_turn() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"status": 500, "probability": 0.0})).await;
    stripe.control("/_emulator/faults", json!({"status": 503})).await;
    assert_eq!(stripe.try_get("/v1/account").await.status, 503);
}

#[tokio::test]
async fn a_429_says_which_limit_was_passed() {
    let stripe = Stripe::start().await;
    for reason in ["endpoint-rate", "global-concurrency"] {
        let fault = json!({"status": 429, "times": 1, "reason": reason});
        stripe.control("/_emulator/faults", fault).await;
        assert_eq!(stripe.try_get("/v1/account").await.header("stripe-rate-limited-reason"), reason);
    }
    let cases = [
        (json!({"status": 429, "reason": "bad-mood"}), "reason"),
        (json!({"status": 500, "reason": "global-rate"}), "reason"),
        (json!({"status": 500, "probability": 1.5}), "probability"),
        (json!({"probability": 0.5}), "late_ms"),
    ];
    for (body, name) in cases {
        let reply = stripe.try_control("/_emulator/faults", body).await;
        assert_eq!(reply.status, 400);
        assert!(reply.body["error"].as_str().unwrap().contains(name), "{}", reply.body);
    }
}

/// The customer's name as a request says that is answered now and heard of when `send` is through.
async fn stale_name<F: AsyncFnOnce()>(stripe: &Stripe, customer: &str, send: F) -> Value {
    stripe.delete("/_emulator/requests").await;
    let path = format!("/v1/customers/{customer}");
    let reading = async { stripe.get(&path).await["name"].clone() };
    let changing = async {
        eventually("it is answered", async || {
            let logged = stripe.get("/_emulator/requests").await;
            logged["data"][0]["status"] == 200
        })
        .await;
        stripe.post(&path, &[("name", "New")]).await;
        send().await;
    };
    tokio::join!(reading, changing).0
}

#[tokio::test]
async fn a_held_reply_is_stale_when_it_is_released() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let fault = json!({"path": "/v1/customers", "method": "GET", "hold": true, "times": 1});
    stripe.control("/_emulator/faults", fault).await;
    let name = stale_name(&stripe, &customer, async || {
        let released = stripe.control("/_emulator/faults/release", json!({})).await;
        assert_eq!(released["released"], 1);
    });
    assert!(name.await.is_null());
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["name"], "New");
}

#[tokio::test]
async fn a_late_reply_is_computed_first_and_a_slow_one_last() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    for hold in [false, true] {
        let fault =
            json!({"method": "GET", "path": "/v1/customers", "late_ms": 500, "hold": hold, "times": 1});
        stripe.control("/_emulator/faults", fault).await;
        stripe.post(&format!("/v1/customers/{customer}"), &[("name", "")]).await;
        let begin = Instant::now();
        assert!(stale_name(&stripe, &customer, async || {}).await.is_null());
        assert!(begin.elapsed() >= Duration::from_millis(500));
    }
    let fault = json!({"method": "GET", "path": "/v1/customers", "latency_ms": 500, "times": 1});
    stripe.control("/_emulator/faults", fault).await;
    let path = format!("/v1/customers/{customer}");
    let changing = async {
        eventually("the fault is met", async || {
            stripe.get("/_emulator/faults").await["data"].as_array().unwrap().is_empty()
        })
        .await;
        stripe.post(&path, &[("name", "Newer")]).await;
    };
    assert_eq!(tokio::join!(stripe.get(&path), changing).0["name"], "Newer");
}

#[tokio::test]
async fn a_reply_that_is_cut_has_had_its_effect_even_if_late() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"cut": "after", "late_ms": 50, "times": 1})).await;
    let lost = stripe.send(reqwest::Method::POST, "/v1/customers", &[("email", "a@b.c")], &[]).await;
    assert!(lost.is_err());
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 1);
}

#[tokio::test]
async fn held_replies_do_not_hold_up_the_end() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"hold": true})).await;
    let (http, url) = (stripe.http.clone(), stripe.url("/v1/account"));
    let held = tokio::spawn(async move { http.get(url).bearer_auth(crate::support::KEY).send().await });
    eventually("it is held", async || {
        stripe.get("/_emulator/requests").await["data"][0]["path"] == "/v1/account"
    })
    .await;
    let begin = Instant::now();
    stripe.emulator.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn who_asks_too_often_is_told_so() {
    let limits = RateLimits { account: None, endpoint: Some(2) };
    let stripe = Stripe::with(Options { rate_limits: limits, ..options() }).await;
    let burst = async |path: &'static str| {
        let replies = (0..20).map(|_| stripe.try_get(path));
        futures_util::future::join_all(replies).await
    };
    let replies = burst("/v1/customers").await;
    let limited: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    assert!((2..=10).contains(&(replies.len() - limited.len())), "{} of 20 limited", limited.len());
    assert_eq!(limited[0].error()["code"], "rate_limit");
    assert_eq!(limited[0].header("stripe-rate-limited-reason"), "endpoint-rate");
    assert_eq!(stripe.try_get("/v1/prices").await.status, 200, "another endpoint");

    assert_eq!(stripe.control("/_emulator/limits", json!({"account": 2})).await["endpoint"], Value::Null);
    let replies = burst("/v1/customers").await;
    let limited = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(limited.header("stripe-rate-limited-reason"), "global-rate");
    stripe.control("/_emulator/limits", json!({})).await;
    assert!(burst("/v1/customers").await.iter().all(|reply| reply.status == 200));
    stripe.control("/_emulator/reset", json!({})).await;
    assert_eq!(stripe.get("/_emulator/limits").await, json!({"account": null, "endpoint": 2}));
    let refused = stripe.try_control("/_emulator/limits", json!({"account": 0})).await;
    assert!(refused.body["error"].as_str().unwrap().contains("account"), "{}", refused.body);
}
