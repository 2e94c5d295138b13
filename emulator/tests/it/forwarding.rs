//! Several endpoints at once, each with its own luck, and what an endpoint may ask for; faults and keys in Stripe's
//! words.

use serde_json::json;
use stripe_emulator::{Options, Webhook};

use crate::command_line::run;
use crate::support::{Hook, Stripe, eventually, options};

async fn forwarding_to(hooks: &[&Hook]) -> Stripe {
    let webhook = |hook: &&Hook| Webhook { url: hook.url.clone(), secret: "whsec_test".to_owned() };
    Stripe::with(Options { webhooks: hooks.iter().map(webhook).collect(), ..options() }).await
}

#[tokio::test]
async fn luck_may_be_that_of_one_endpoint() {
    let (first, second) = (Hook::start().await, Hook::start().await);
    let stripe = forwarding_to(&[&first, &second]).await;
    let order = json!({ "mode": "normal", "endpoint": first.url, "drop": 1.0, "shuffle": true });
    stripe.control("/_emulator/deliveries", order).await;
    stripe.buy().await;
    let all = stripe.event_types().await;
    eventually("the other endpoint hears all", async || second.heard().len() == all.len()).await;
    assert!(first.heard().is_empty());
    let fields = [("url", first.url.as_str()), ("enabled_events[0]", "*")];
    let endpoint = stripe.post("/v1/webhook_endpoints", &fields).await;
    let order = json!({ "mode": "normal", "endpoint": endpoint["id"], "duplicate": 1.0 });
    stripe.control("/_emulator/deliveries", order).await;
    stripe.customer().await;
    eventually("once as given at start, twice by its id", async || first.heard().len() == 3).await;
    assert_eq!(second.heard().len(), all.len() + 1);
}

#[tokio::test]
async fn an_endpoint_asks_for_events_that_there_are() {
    let stripe = Stripe::start().await;
    let of = async |more: &[(&str, &str)]| {
        let fields = [&[("url", "http://127.0.0.1:9/hook")], more].concat();
        stripe.try_post("/v1/webhook_endpoints", &fields).await
    };
    let known = [("enabled_events[0]", "invoice.paid"), ("enabled_events[1]", "*")];
    let made = of(&known).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let refused = of(&[known[0], ("enabled_events[1]", "invoice.payed")]).await;
    assert_eq!(refused.error()["param"], "enabled_events[1]");
    let path = format!("/v1/webhook_endpoints/{}", made.body["id"].as_str().unwrap());
    let refused = stripe.try_post(&path, &[("enabled_events[0]", "invoice.*")]).await;
    assert_eq!(refused.error()["param"], "enabled_events[0]");
    assert_eq!(of(&[known[0], ("connect", "true")]).await.error()["param"], "connect");
}

#[tokio::test]
async fn bad_addresses_and_secrets_are_named_before_anything_starts() {
    let (url, other) = ("http://127.0.0.1:9/a", "http://127.0.0.1:9/b");
    for (arguments, words) in [
        (vec!["--forward-to", "localhost:3000", "--webhook-secret", "s"], "begins with http://"),
        (vec!["--forward-to", url], "--webhook-secret"),
        (
            vec![
                "--forward-to",
                url,
                "--forward-to",
                other,
                "--webhook-secret",
                "a",
                "--webhook-secret",
                "b",
                "--webhook-secret",
                "c",
            ],
            "one secret for all",
        ),
        (vec!["--forward-to", url, "--forward-to", url, "--webhook-secret", "a"], "is there twice"),
    ] {
        let ran = run(&[&["serve", "--listen", "127.0.0.1:0"], &arguments[..]].concat()).await;
        assert!(ran.code != 0 && ran.errors.contains(words), "{arguments:?}: {}", ran.errors);
    }
}

#[tokio::test]
async fn conflicts_of_keys_are_told_in_stripes_words() {
    let stripe = Stripe::start().await;
    let fault = json!({ "status": 409, "code": "idempotency_key_in_use", "times": 1 });
    stripe.control("/_emulator/faults", fault).await;
    let conflict = stripe.try_post("/v1/customers", &[]).await;
    let error = conflict.error();
    assert_eq!((conflict.status, &error["type"]), (409, &json!("idempotency_error")));
    assert_eq!(error["code"], "idempotency_key_in_use");
    assert_eq!(conflict.header("stripe-should-retry"), "true");
    let with_key = async |path: &str| {
        let headers = [("idempotency-key", "k1")];
        stripe.send(reqwest::Method::POST, path, &[("name", "a")], &headers).await.unwrap()
    };
    with_key("/v1/customers").await;
    let elsewhere = with_key("/v1/products").await;
    assert_eq!(
        elsewhere.error()["message"],
        "Keys for idempotent requests can only be used for the same endpoint they were first used for ('/v1/products' \
         vs '/v1/customers'). Try using a key other than 'k1' if you meant to execute a different request."
    );
}

#[tokio::test]
async fn metadata_has_its_limits() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let path = format!("/v1/customers/{customer}");
    let (key, value) = ("k".repeat(40), "v".repeat(500));
    let fits = stripe.post(&path, &[(&format!("metadata[{key}]"), &value)]).await;
    assert_eq!(fits["metadata"][&key], *value);
    for (key, value, words) in [
        ("k".repeat(41), "v".to_owned(), "a key that is 41 characters"),
        ("k".to_owned(), "v".repeat(501), "a value that is 501 characters"),
    ] {
        let name = format!("metadata[{key}]");
        let refused = stripe.try_post(&path, &[(&name, &value)]).await;
        assert!(refused.error()["message"].as_str().unwrap().contains(words), "{}", refused.body);
        assert_eq!(refused.error()["param"], name);
    }
    let many: Vec<String> = (0..49).map(|at| format!("metadata[k{at}]")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "v")).collect();
    let refused = stripe.try_post(&path, &many).await;
    assert!(refused.error()["message"].as_str().unwrap().contains("but you've set 51"), "{}", refused.body);
    stripe.post(&path, &many[..48]).await;
    let gone = stripe.post(&path, &[("metadata[k0]", "")]).await;
    assert_eq!(gone["metadata"].as_object().unwrap().len(), 49);
    assert_eq!(stripe.post(&path, &[("metadata", "")]).await["metadata"], json!({}));
}
