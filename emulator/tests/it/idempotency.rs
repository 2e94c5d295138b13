//! Idempotency keys.

use reqwest::Method;
use serde_json::json;

use crate::support::{Reply, Stripe, ids};

async fn create(stripe: &Stripe, key: &str, email: &str) -> Reply {
    let headers = [("idempotency-key", key)];
    stripe.send(Method::POST, "/v1/customers", &[("email", email)], &headers).await.unwrap()
}

#[tokio::test]
async fn the_same_request_is_done_once_and_answered_alike() {
    let stripe = Stripe::start().await;
    let first = create(&stripe, "k1", "a@b.c").await;
    let again = create(&stripe, "k1", "a@b.c").await;
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), ("", "true"));
    assert_eq!(again.header("original-request"), first.header("request-id"));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 1);
    let event = &stripe.get("/v1/events").await["data"][0];
    assert_eq!(event["request"], json!({"id": first.header("request-id"), "idempotency_key": "k1"}));
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let stripe = Stripe::start().await;
    create(&stripe, "k1", "a@b.c").await;
    let other = create(&stripe, "k1", "other@b.c").await;
    assert_eq!((other.status, other.error()["type"].as_str()), (400, Some("idempotency_error")));
    let headers = [("idempotency-key", "k1")];
    let elsewhere = stripe.send(Method::POST, "/v1/products", &[("email", "a@b.c")], &headers).await.unwrap();
    assert_eq!(elsewhere.error()["type"], "idempotency_error");
}

#[tokio::test]
async fn a_key_in_use_is_a_conflict() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"latency_ms": 600, "times": 1})).await;
    let slow = create(&stripe, "k1", "a@b.c");
    let fast = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        create(&stripe, "k1", "a@b.c").await
    };
    let (slow, fast) = tokio::join!(slow, fast);
    assert_eq!(slow.status, 200);
    assert_eq!((fast.status, fast.error()["code"].as_str()), (409, Some("idempotency_key_in_use")));
    assert_eq!(create(&stripe, "k1", "a@b.c").await.header("idempotent-replayed"), "true");
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let stripe = Stripe::start().await;
    assert_eq!(create(&stripe, "k1", "not an address").await.status, 400);
    assert_eq!(create(&stripe, "k1", "a@b.c").await.status, 200);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_there_when_asked_again() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"cut": "after", "times": 1})).await;
    let headers = [("idempotency-key", "k1")];
    let lost = stripe.send(Method::POST, "/v1/customers", &[("email", "a@b.c")], &headers).await;
    assert!(lost.is_err());
    let again = create(&stripe, "k1", "a@b.c").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let stripe = Stripe::start().await;
    create(&stripe, "k1", "a@b.c").await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 23 * 3600})).await;
    assert_eq!(create(&stripe, "k1", "a@b.c").await.header("idempotent-replayed"), "true");
    stripe.control("/_emulator/clock", json!({"advance_seconds": 3601})).await;
    assert_eq!(create(&stripe, "k1", "a@b.c").await.header("idempotent-replayed"), "");
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 2);
}
