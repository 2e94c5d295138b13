//! The life of a checkout session that is not bought.

use serde_json::json;

use crate::support::{GOOD, Stripe, id, ids};

#[tokio::test]
async fn a_session_is_expired_by_hand_once() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    let expired = stripe.post(&format!("{path}/expire"), &[]).await;
    assert_eq!((expired["status"].as_str(), expired["url"].is_null()), (Some("expired"), true));
    assert_eq!(stripe.try_post(&format!("{path}/expire"), &[]).await.status, 400);
    let page = stripe.pay(&session, GOOD).await;
    assert_eq!(page.status(), 410);
    assert!(page.text().await.unwrap().contains("has expired. You were not charged."));
    assert!(stripe.subscriptions(&customer).await.is_empty());
    assert!(stripe.event_types().await.contains(&"checkout.session.expired".to_owned()));
}

#[tokio::test]
async fn a_session_expires_by_time() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let now = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    let short = stripe.session(&customer, &price, &[("expires_at", &(now + 1800).to_string())]).await;
    let long = stripe.session(&customer, &price, &[]).await;
    assert_eq!(long["expires_at"].as_i64().unwrap() - long["created"].as_i64().unwrap(), 86_400);
    stripe.control("/_emulator/clock", json!({"advance_seconds": 1801})).await;
    let open = stripe.get(&format!("/v1/checkout/sessions?customer={customer}&status=open")).await;
    assert_eq!(ids(&open), [id(&long)]);
    let expired = stripe.get("/v1/events?type=checkout.session.expired").await;
    assert_eq!(expired["data"][0]["data"]["object"]["id"], short["id"]);
    stripe.control("/_emulator/clock", json!({"advance_seconds": 86_400})).await;
    assert_eq!(ids(&stripe.get("/v1/checkout/sessions?status=expired").await).len(), 2);
}

#[tokio::test]
async fn a_session_lives_half_an_hour_to_a_day() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let now = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    for seconds in [600, 90_000] {
        let at = (now + seconds).to_string();
        let fields = [
            ("mode", "subscription"),
            ("customer", customer.as_str()),
            ("line_items[0][price]", price.as_str()),
            ("line_items[0][quantity]", "1"),
            ("success_url", "http://a.b"),
            ("expires_at", at.as_str()),
        ];
        let reply = stripe.try_post("/v1/checkout/sessions", &fields).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("expires_at")), "{seconds}");
    }
}

#[tokio::test]
async fn a_bought_session_says_so_and_is_found_by_its_subscription() {
    let stripe = Stripe::start().await;
    let (customer, session) = stripe.buy().await;
    let page = stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap();
    assert!(page.text().await.unwrap().contains("You have already paid."));
    let subscription = id(&stripe.subscriptions(&customer).await[0]);
    let found = stripe.get(&format!("/v1/checkout/sessions?subscription={subscription}")).await;
    assert_eq!(ids(&found), [id(&session)]);
    let items = stripe.get(&format!("/v1/checkout/sessions/{}/line_items", id(&session))).await;
    assert_eq!(
        (items["data"][0]["amount_total"].as_i64(), items["data"][0]["quantity"].as_i64()),
        (Some(1200), Some(1))
    );
}

#[tokio::test]
async fn a_price_that_is_no_longer_sold_opens_no_session() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    stripe.post(&format!("/v1/prices/{price}"), &[("active", "false")]).await;
    let fields = [
        ("mode", "subscription"),
        ("customer", customer.as_str()),
        ("line_items[0][price]", price.as_str()),
        ("line_items[0][quantity]", "1"),
        ("success_url", "http://a.b"),
    ];
    let reply = stripe.try_post("/v1/checkout/sessions", &fields).await;
    assert_eq!(reply.error()["param"], "line_items[0][price]");
}
