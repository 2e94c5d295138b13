//! The controls under `/_emulator`.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::support::{Stripe, id, ids};

#[tokio::test]
async fn faults_answer_as_ordered_and_then_stop() {
    let stripe = Stripe::start().await;
    let fault = json!({"path": "/v1/customers", "method": "POST", "status": 429, "times": 2, "retry_after": 3, "should_retry": true});
    stripe.control("/_emulator/faults", fault).await;
    for _ in 0..2 {
        let reply = stripe.try_post("/v1/customers", &[("email", "a@b.c")]).await;
        assert_eq!((reply.status, reply.error()["code"].as_str()), (429, Some("rate_limit")));
        assert_eq!((reply.header("retry-after"), reply.header("stripe-should-retry")), ("3", "true"));
        assert_eq!(reply.header("stripe-rate-limited-reason"), "global-rate");
        assert!(reply.header("request-id").starts_with("req_"));
        assert_eq!(stripe.try_get("/v1/customers").await.status, 200, "another method");
    }
    assert_eq!(stripe.try_post("/v1/customers", &[("email", "a@b.c")]).await.status, 200);
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 1);

    stripe.control("/_emulator/faults", json!({"status": 429, "code": "lock_timeout"})).await;
    let locked = stripe.try_get("/v1/account").await;
    assert_eq!(
        (locked.error()["code"].as_str(), locked.header("stripe-rate-limited-reason")),
        (Some("lock_timeout"), "")
    );
    assert_eq!(stripe.get("/_emulator/faults").await["data"].as_array().unwrap().len(), 1);
    stripe.delete("/_emulator/faults").await;
    stripe.get("/v1/account").await;
}

#[tokio::test]
async fn one_request_orders_a_fault_for_itself() {
    let stripe = Stripe::start().await;
    let with = async |fault: &str| {
        let headers = [("stripe-emulator-fault", fault)];
        stripe.send(reqwest::Method::POST, "/v1/customers", &[("email", "a@b.c")], &headers).await
    };
    let busy = with(r#"{"status": 429, "reason": "endpoint-rate"}"#).await.unwrap();
    assert_eq!((busy.status, busy.header("stripe-rate-limited-reason")), (429, "endpoint-rate"));
    assert!(with(r#"{"cut": "after"}"#).await.is_err());
    assert_eq!(ids(&stripe.get("/v1/customers").await).len(), 1, "it happened, and nobody else met it");
    for (bad, why) in [
        ("429", "invalid type"),
        (r#"{"status": 200}"#, "400 to 599"),
        (r#"{"status": 500, "times": 2}"#, "times"),
    ] {
        let refused = with(bad).await.unwrap();
        let message = refused.error()["message"].as_str().unwrap().to_owned();
        assert!(
            refused.status == 400 && message.contains("Stripe-Emulator-Fault") && message.contains(why),
            "{message}"
        );
    }
}

#[tokio::test]
async fn faults_delay_and_cut_connections() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"latency_ms": 300, "times": 1})).await;
    let begin = Instant::now();
    stripe.get("/v1/account").await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    for (cut, made) in [("before", 0), ("after", 1)] {
        stripe.control("/_emulator/faults", json!({"cut": cut, "times": 1})).await;
        let lost = stripe.send(Method::POST, "/v1/customers", &[("email", "a@b.c")], &[]).await;
        assert!(lost.is_err(), "{cut}");
        assert_eq!(ids(&stripe.get("/v1/customers").await).len(), made, "{cut}");
    }
    let logged = stripe.get("/_emulator/requests?limit=2").await;
    assert_eq!(
        (logged["data"][1]["status"].as_i64(), logged["data"][1]["path"].as_str()),
        (Some(0), Some("/v1/customers"))
    );
}

#[tokio::test]
async fn hosted_pages_meet_faults_too() {
    let stripe = Stripe::start().await;
    let session = stripe.session(&stripe.customer().await, &stripe.price().await, &[]).await;
    let url = session["url"].as_str().unwrap();
    stripe.control("/_emulator/faults", json!({"path": "/c/", "status": 503, "times": 1})).await;
    assert_eq!(stripe.http.get(url).send().await.unwrap().status(), 503);
    assert_eq!(stripe.http.get(url).send().await.unwrap().status(), 200);
    stripe.control("/_emulator/faults", json!({"path": "/c/", "cut": "before", "times": 1})).await;
    assert!(stripe.http.get(url).send().await.is_err());
}

#[tokio::test]
async fn wrong_controls_are_refused_by_name() {
    let stripe = Stripe::start().await;
    let cases = [
        ("/_emulator/faults", json!({"status": 200}), "status"),
        ("/_emulator/faults", json!({"colour": "red"}), "colour"),
        ("/_emulator/faults", json!({}), "latency_ms"),
        ("/_emulator/deliveries", json!({"mode": "sideways"}), "sideways"),
        ("/_emulator/clock", json!({"advance_seconds": -5}), "advance_seconds"),
        ("/_emulator/objects/events/evt_1", json!({"_event": 3}), "_event"),
    ];
    for (path, body, name) in cases {
        let reply = stripe.try_control(path, body.clone()).await;
        assert_eq!(reply.status, 400, "{path} {body}");
        assert!(reply.body["error"].as_str().unwrap().contains(name), "{}", reply.body);
    }
    for path in
        ["/_emulator/objects/unicorns/u1", "/_emulator/objects/customers/cus_none", "/_emulator/nothing"]
    {
        let reply = stripe.try_control(path, json!({})).await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.body["error"].is_string());
    }
}

#[tokio::test]
async fn an_object_is_changed_by_hand_and_told_of() {
    let stripe = Stripe::start().await;
    let (customer, _) = stripe.buy().await;
    let subscription = id(&stripe.subscriptions(&customer).await[0]);
    let path = format!("/_emulator/objects/subscriptions/{subscription}");
    let patch =
        json!({"status": "past_due", "metadata": {"why": "test"}, "_event": "customer.subscription.updated"});
    let patched = stripe.control(&path, patch).await;
    assert_eq!(
        (patched["status"].as_str(), patched["metadata"]["why"].as_str()),
        (Some("past_due"), Some("test"))
    );
    assert_eq!(stripe.get(&format!("/v1/subscriptions/{subscription}")).await, patched);
    let event = &stripe.get("/v1/events?limit=1").await["data"][0];
    assert_eq!(event["type"], "customer.subscription.updated");
    assert_eq!(event["data"]["previous_attributes"]["status"], "active");
    let cleared = stripe.control(&path, json!({"default_payment_method": null})).await;
    assert!(cleared.as_object().unwrap().contains_key("default_payment_method"));
    assert!(cleared["default_payment_method"].is_null());
}

#[tokio::test]
async fn requests_are_logged_newest_first_and_without_cards() {
    let stripe = Stripe::start().await;
    let fields = [
        ("type", "card"),
        ("card[number]", "4242424242424242"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2040"),
    ];
    stripe.post("/v1/payment_methods", &fields).await;
    stripe.get("/v1/customers?limit=2&email=a@b.c").await;
    let logged = stripe.get("/_emulator/requests?limit=5").await;
    let newest = &logged["data"][0];
    assert_eq!((newest["method"].as_str(), newest["status"].as_i64()), (Some("GET"), Some(200)));
    assert_eq!(newest["params"], json!({"limit": "2", "email": "a@b.c"}));
    assert!(!logged.to_string().contains("4242424242424242"));
    stripe.delete("/_emulator/requests").await;
    assert!(stripe.get("/_emulator/requests").await["data"].as_array().unwrap().is_empty());
    let page = stripe.http.get(stripe.url("/_emulator")).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&stripe.emulator.account_id()));
}

#[tokio::test]
async fn a_reset_leaves_the_account_only() {
    let stripe = Stripe::start().await;
    stripe.buy().await;
    stripe.control("/_emulator/faults", json!({"status": 500})).await;
    stripe.control("/_emulator/clock", json!({"advance_seconds": 5000})).await;
    let before = stripe.get("/_emulator/clock").await["now"].as_i64().unwrap();
    let answer = stripe.control("/_emulator/reset", json!({})).await;
    assert_eq!(answer["account"], stripe.emulator.account_id());
    assert_eq!(stripe.get("/v1/account").await["id"], stripe.emulator.account_id());
    for path in ["/v1/customers", "/v1/prices", "/v1/events", "/v1/subscriptions?status=all"] {
        assert!(ids(&stripe.get(path).await).is_empty(), "{path}");
    }
    assert!(stripe.get("/_emulator/clock").await["now"].as_i64().unwrap() < before);
    stripe.buy().await;
}

#[tokio::test]
async fn other_sites_in_the_browser_cannot_reach_the_controls() {
    let stripe = Stripe::start().await;
    let request = stripe.http.post(stripe.url("/_emulator/reset")).header("sec-fetch-site", "cross-site");
    assert_eq!(request.send().await.unwrap().status(), 403);
}
