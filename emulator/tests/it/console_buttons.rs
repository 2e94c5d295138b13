//! The console's buttons: that they do what they say, go back into the console, and are not for other sites.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use reqwest::Method;
use serde_json::json;
use stripe_emulator::{Options, Webhook};

use crate::console::has;
use crate::support::{Stripe, eventually, ids, options};

/// An endpoint that answers 503 with a long, odd text, and counts.
async fn odd_endpoint() -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&count);
    let answer = async move || {
        counts.fetch_add(1, Ordering::SeqCst);
        (StatusCode::SERVICE_UNAVAILABLE, format!("<b>down & out</b>{}", "x".repeat(5000)))
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(answer))).await });
    (url, count)
}

#[tokio::test]
async fn every_try_of_a_delivery_is_shown_and_an_event_is_sent_again() {
    let (url, tries) = odd_endpoint().await;
    let webhook = Webhook { url, secret: "whsec_test".to_owned() };
    let stripe = Stripe::with(Options { webhooks: vec![webhook], ..options() }).await;
    // The retries come a minute apart, so that only the button sends.
    stripe.control("/_emulator/deliveries", json!({"mode": "normal", "retry_ms": 60_000})).await;
    stripe.customer().await;
    let event = ids(&stripe.get("/v1/events").await).remove(0);
    let attempts = async || {
        let deliveries = stripe.get("/_emulator/deliveries").await;
        deliveries["data"][0]["attempts"].as_array().unwrap().clone()
    };
    eventually("it is tried", async || !attempts().await.is_empty()).await;
    let first = attempts().await.remove(0);
    assert_eq!((first["status"].as_i64(), first["answer"].as_str().unwrap().len()), (Some(503), 500));
    assert!(first["at"].is_i64() && first["took_ms"].is_u64());
    let path = format!("/_emulator/timeline/{event}");
    has(&stripe.page(&path).await, &["503", "&lt;b&gt;down &amp; out&lt;/b&gt;xx", "Send again"]);
    has(&stripe.page("/_emulator/timeline?type=customer").await, &[&path, "answered 503"]);
    assert!(!stripe.page("/_emulator/timeline?type=invoice").await.contains(&path));

    let back = stripe.press("/_emulator/panel/resend", &[("event", &event), ("back", &path)]).await;
    assert_eq!(back, format!("{path}?done=resent"));
    eventually("it is tried again", async || attempts().await.len() == 2).await;
    assert_eq!(tries.load(Ordering::SeqCst), 2);
    has(&stripe.page(&back).await, &["on its way again", "role=\"status\""]);
    has(&stripe.page("/_emulator/timeline").await, &["tried 2 times"]);
}

#[tokio::test]
async fn the_clock_goes_forward_by_buttons_and_to_a_moment() {
    let stripe = Stripe::start().await;
    for (by, least, most) in
        [("hour", 3600, 3600), ("day", 86_400, 86_400), ("month", 28 * 86_400, 31 * 86_400)]
    {
        let before = stripe.now().await;
        let fields = [("by", by), ("back", "/_emulator")];
        assert_eq!(stripe.press("/_emulator/panel/clock", &fields).await, "/_emulator?done=clock");
        let moved = stripe.now().await - before;
        assert!((least..most + 60).contains(&moved), "{by}: {moved}");
    }
    stripe.press("/_emulator/panel/clock", &[("to", "2030-01-31T09:30")]).await;
    assert!((0..60).contains(&(stripe.now().await - 1_896_082_200)));
    has(&stripe.page("/_emulator/panel?done=clock").await, &["31 Jan 2030 09:3", "The clock was moved"]);
    for (field, value) in [("to", "soon"), ("to", "2029-01-31T09:30"), ("by", "year"), ("back", "/_emulator")]
    {
        let refused = stripe.submit(&stripe.url("/_emulator/panel/clock"), &[(field, value)]).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{value}");
        has(&refused.text().await.unwrap(), &["role=\"alert\"", "/_emulator"]);
    }
}

#[tokio::test]
async fn the_clock_goes_faster_by_hand() {
    let stripe = Stripe::start().await;
    let fields = [("speed", "3600"), ("back", "/_emulator/panel")];
    assert_eq!(stripe.press("/_emulator/panel/clock", &fields).await, "/_emulator/panel?done=speed");
    assert_eq!(stripe.get("/_emulator/clock").await["speed"], 3600);
    let page = stripe.page("/_emulator/panel").await;
    has(&page, &["3600 times as fast", "value=\"3600\" aria-pressed=\"true\""]);
}

#[tokio::test]
async fn buttons_lead_back_into_the_console_only() {
    let stripe = Stripe::start().await;
    for back in ["https://evil.test/", "//evil.test/", "/_emulatorx", "/_emulator@evil", ""] {
        let to = stripe.press("/_emulator/panel/deliveries", &[("mode", "held"), ("back", back)]).await;
        assert_eq!(to, "/_emulator/panel?done=deliveries", "{back}");
    }
    assert_eq!(stripe.get("/_emulator/deliveries").await["mode"], "held");
    has(&stripe.page("/_emulator/panel").await, &["value=\"held\" aria-pressed=\"true\""]);
    let refused = stripe.submit(&stripe.url("/_emulator/panel/deliveries"), &[("mode", "sideways")]).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn each_fault_can_be_ordered_by_hand() {
    let stripe = Stripe::start().await;
    let reasons =
        ["global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific"];
    let cases = reasons.into_iter().map(|reason| (reason, 429, reason));
    let others = [
        ("500", 500, ""),
        ("503", 503, ""),
        ("409", 409, ""),
        ("lock_timeout", 429, ""),
        ("latency", 200, ""),
        ("late", 200, ""),
    ];
    for (choice, status, reason) in cases.chain(others) {
        let fields = [
            ("choice", choice),
            ("path", "/v1/account"),
            ("method", "GET"),
            ("times", "1"),
            ("milliseconds", "5"),
        ];
        assert_eq!(stripe.press("/_emulator/panel/faults", &fields).await, "/_emulator/panel?done=fault");
        has(&stripe.page("/_emulator/panel").await, &["for GET /v1/account, once"]);
        assert_eq!(stripe.try_get("/v1/customers").await.status, 200, "{choice}: another path");
        let reply = stripe.try_get("/v1/account").await;
        assert_eq!((reply.status, reply.header("stripe-rate-limited-reason")), (status, reason), "{choice}");
        if choice == "lock_timeout" || choice == "409" {
            assert_eq!(reply.error()["code"], "lock_timeout");
        }
    }
}

#[tokio::test]
async fn connections_are_cut_and_faults_forgotten_by_hand() {
    let stripe = Stripe::start().await;
    for (choice, made) in [("cut-before", 0), ("cut-after", 1)] {
        stripe.press("/_emulator/panel/faults", &[("choice", choice), ("times", "1")]).await;
        let lost = stripe.send(Method::POST, "/v1/customers", &[("email", "a@b.c")], &[]).await;
        assert!(lost.is_err(), "{choice}");
        assert_eq!(ids(&stripe.get("/v1/customers").await).len(), made, "{choice}");
    }
    stripe.press("/_emulator/panel/faults", &[("choice", "500"), ("times", "")]).await;
    has(&stripe.page("/_emulator").await, &["1 waiting"]);
    has(&stripe.page("/_emulator/panel").await, &["500 for /v1, always", "Forget all faults"]);
    assert_eq!(stripe.press("/_emulator/panel/faults/clear", &[]).await, "/_emulator/panel?done=cleared");
    assert_eq!(stripe.try_get("/v1/account").await.status, 200);
    for fields in [
        [("choice", "rain"), ("times", "1")],
        [("choice", "500"), ("times", "many")],
        [("choice", "500"), ("times", "0")],
    ] {
        let refused = stripe.submit(&stripe.url("/_emulator/panel/faults"), &fields).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{fields:?}");
    }
}

#[tokio::test]
async fn a_held_answer_is_released_by_hand() {
    let stripe = Stripe::start().await;
    stripe.press("/_emulator/panel/faults", &[("choice", "hold"), ("times", "2")]).await;
    let url = stripe.url("/v1/account");
    let request = stripe.http.get(url).bearer_auth(crate::support::KEY);
    let held = tokio::spawn(async move { request.send().await.unwrap().status() });
    eventually("it is answered and held", async || {
        stripe.page("/_emulator/log").await.contains("/v1/account")
    })
    .await;
    has(&stripe.page("/_emulator/panel").await, &["held answer for /v1, once", "Release held answers"]);
    assert!(!held.is_finished());
    stripe.press("/_emulator/panel/faults/release", &[]).await;
    assert_eq!(held.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn a_reset_asks_first() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let page = stripe.page("/_emulator/panel/reset").await;
    has(
        &page,
        &[
            "cannot be undone",
            "<form class=\"actions\" method=\"post\" action=\"/_emulator/panel/reset\"",
            "Keep it",
        ],
    );
    assert_eq!(ids(&stripe.get("/v1/customers").await), [customer]);
    assert_eq!(stripe.press("/_emulator/panel/reset", &[]).await, "/_emulator?done=reset");
    assert!(ids(&stripe.get("/v1/customers").await).is_empty());
    has(&stripe.page("/_emulator?done=reset").await, &["is forgotten", "Nothing is stored yet"]);
}

const BUTTONS: [&str; 7] =
    ["reset", "clock", "deliveries", "resend", "faults", "faults/clear", "faults/release"];

#[tokio::test]
async fn other_sites_cannot_press_the_buttons() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    for button in BUTTONS {
        let request = stripe.http.post(stripe.url(&format!("/_emulator/panel/{button}")));
        let response = request.header("sec-fetch-site", "cross-site").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{button}");
    }
    assert_eq!(ids(&stripe.get("/v1/customers").await), [customer]);
}
