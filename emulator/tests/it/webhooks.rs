//! Webhooks: signed, sent, retried, held, dropped, sent again.

use axum::http::StatusCode;
use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;
use stripe_emulator::{Options, Webhook};

use crate::support::{Hook, Stripe, eventually, id, ids, options};

async fn forwarding_to(hook: &Hook) -> Stripe {
    let webhook = Webhook { url: hook.url.clone(), secret: "whsec_test".to_owned() };
    Stripe::with(Options { webhooks: vec![webhook], ..options() }).await
}

/// Checks a signature by Stripe's published rule, without the emulator's code.
fn is_signed(signature: &str, body: &str, secret: &str) -> bool {
    let part = |name: &str| {
        signature
            .split(',')
            .find_map(|part| part.strip_prefix(&format!("{name}=")))
            .unwrap_or_default()
            .to_owned()
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(part("t").as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let age = now.abs_diff(part("t").parse().unwrap());
    age < 300 && mac.verify_slice(&hex::decode(part("v1")).unwrap()).is_ok()
}

#[tokio::test]
async fn every_event_of_a_purchase_is_delivered_and_signed() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 90_000})).await;
    stripe.buy().await;
    let all = stripe.event_types().await;
    eventually("all are delivered", async || hook.heard().len() == all.len()).await;
    for heard in hook.heard() {
        assert!(
            is_signed(&heard.signature, &heard.body, "whsec_test"),
            "signed with real time, whatever the clock"
        );
        assert!(!is_signed(&heard.signature, &heard.body, "whsec_other"));
        assert!(heard.user_agent.starts_with("Stripe/1.0"));
        let event = heard.event();
        assert_eq!((event["object"].as_str(), event["pending_webhooks"].as_i64()), (Some("event"), Some(1)));
    }
    eventually("none is pending", async || {
        let events = stripe.get("/v1/events?delivery_success=false").await;
        events["data"].as_array().unwrap().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again() {
    let hook = Hook::start().await;
    hook.answer_with(StatusCode::SERVICE_UNAVAILABLE);
    let stripe = forwarding_to(&hook).await;
    stripe.customer().await;
    eventually("it is tried", async || !hook.heard().is_empty()).await;
    assert_eq!(ids(&stripe.get("/v1/events?delivery_success=false").await).len(), 1);
    assert_eq!(ids(&stripe.get("/v1/events?delivery_success=true").await).len(), 0);
    hook.answer_with(StatusCode::OK);
    eventually("it is delivered", async || {
        let deliveries = stripe.get("/_emulator/deliveries").await;
        deliveries["data"][0]["state"] == "delivered"
    })
    .await;
    let deliveries = stripe.get("/_emulator/deliveries").await;
    let attempts = deliveries["data"][0]["attempts"].as_array().unwrap();
    assert_eq!(
        (attempts[0]["status"].as_i64(), attempts[attempts.len() - 1]["status"].as_i64()),
        (Some(503), Some(200))
    );
    assert_eq!(hook.heard()[0].event(), hook.heard()[1].event());
}

#[tokio::test]
async fn held_deliveries_wait_and_then_come_in_order() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "held"})).await;
    stripe.buy().await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(hook.heard().is_empty());
    let held = stripe.get("/_emulator/deliveries").await;
    assert!(held["data"].as_array().unwrap().iter().all(|one| one["state"] == "held"));
    let form = stripe.submit(&stripe.url("/_emulator/deliveries"), &[("mode", "normal")]).await;
    assert_eq!(form.status(), 200);
    let all = stripe.event_types().await;
    eventually("all are delivered", async || hook.heard().len() == all.len()).await;
    assert_eq!(hook.types(), all);
}

#[tokio::test]
async fn dropped_deliveries_never_come_unless_sent_again_by_hand() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.control("/_emulator/deliveries", json!({"mode": "dropped"})).await;
    stripe.customer().await;
    stripe.control("/_emulator/deliveries", json!({"mode": "normal"})).await;
    stripe.price().await;
    eventually("the later ones come", async || hook.heard().len() == 3).await;
    assert!(!hook.types().contains(&"customer.created".to_owned()));
    let event = id(&stripe.get("/v1/events?type=customer.created").await["data"][0]);
    for _ in 0..2 {
        stripe.control("/_emulator/deliveries/redeliver", json!({"event": event})).await;
    }
    eventually("it comes twice", async || {
        hook.types().iter().filter(|one| *one == "customer.created").count() == 2
    })
    .await;
    let missing = stripe.try_control("/_emulator/deliveries/redeliver", json!({"event": "evt_none"})).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn endpoints_hear_what_they_asked_for_with_their_own_secret() {
    let stripe = Stripe::start().await;
    let hook = Hook::start().await;
    let fields = [("url", hook.url.as_str()), ("enabled_events[0]", "product.created")];
    let endpoint = stripe.post("/v1/webhook_endpoints", &fields).await;
    let secret = endpoint["secret"].as_str().unwrap();
    let path = format!("/v1/webhook_endpoints/{}", id(&endpoint));
    assert!(stripe.get(&path).await.get("secret").is_none(), "the secret is told once");
    stripe.price().await;
    eventually("it hears", async || !hook.heard().is_empty()).await;
    assert!(is_signed(&hook.heard()[0].signature, &hook.heard()[0].body, secret));
    assert_eq!(hook.types(), ["product.created"]);
    stripe.post(&path, &[("disabled", "true")]).await;
    stripe.price().await;
    stripe.post(&path, &[("disabled", "false"), ("enabled_events[0]", "*")]).await;
    stripe.customer().await;
    eventually("it hears again", async || hook.heard().len() == 2).await;
    assert_eq!(hook.types()[1], "customer.created");
    assert_eq!(stripe.delete(&path).await["deleted"], true);
}

#[tokio::test]
async fn checkout_does_not_wait_for_an_endpoint_that_is_down() {
    let webhook = Webhook { url: "http://127.0.0.1:9/nobody".to_owned(), secret: "whsec_test".to_owned() };
    let stripe = Stripe::with(Options { webhooks: vec![webhook], ..options() }).await;
    stripe.buy().await;
    eventually("the failure is told", async || {
        let deliveries = stripe.get("/_emulator/deliveries?limit=1").await;
        deliveries["data"][0]["attempts"][0]["error"].is_string()
    })
    .await;
}
