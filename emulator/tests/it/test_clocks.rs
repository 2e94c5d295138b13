//! Test clocks: customers with a time of their own.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Stripe, eventually, id};
use crate::time::{DAY, HOUR, period};

/// 31 January 2030, 10:00 UTC.
const START: i64 = 1_896_084_000;

async fn clock(stripe: &Stripe) -> String {
    id(&stripe
        .post("/v1/test_helpers/test_clocks", &[("frozen_time", &START.to_string()), ("name", "year")])
        .await)
}

/// A customer on the clock with a card, who subscribes.
async fn subscriber(stripe: &Stripe, clock: &str) -> String {
    let customer =
        id(&stripe.post("/v1/customers", &[("email", "ada@example.com"), ("test_clock", clock)]).await);
    let card = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await;
    let price = stripe.price().await;
    let card = id(&card);
    let fields =
        [("customer", customer.as_str()), ("items[0][price]", &price), ("default_payment_method", &card)];
    stripe.post("/v1/subscriptions", &fields).await;
    customer
}

async fn advance(stripe: &Stripe, clock: &str, to: i64) -> Value {
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let answer = stripe.post(&format!("{path}/advance"), &[("frozen_time", &to.to_string())]).await;
    assert_eq!(answer["status"], "advancing");
    assert_eq!(answer["status_details"]["advancing"]["target_frozen_time"], to);
    eventually("the clock is ready", async || stripe.get(&path).await["status"] == "ready").await;
    stripe.get(&path).await
}

#[tokio::test]
async fn a_customer_on_a_clock_lives_by_it_and_the_others_do_not() {
    let stripe = Stripe::start().await;
    let clock = clock(&stripe).await;
    let customer = subscriber(&stripe, &clock).await;
    let (other, _) = stripe.buy().await;
    let subscription = stripe.only_subscription(&customer).await;
    assert_eq!((subscription["created"].as_i64(), &subscription["test_clock"]), (Some(START), &json!(clock)));
    // 28 February: the month is shorter.
    let (start, end) = period(&subscription);
    assert_eq!((start, end), (START, START + 28 * DAY));

    let ready = advance(&stripe, &clock, end + 2 * HOUR).await;
    assert_eq!(ready["frozen_time"].as_i64(), Some(end + 2 * HOUR));
    let renewed = stripe.only_subscription(&customer).await;
    assert_eq!(period(&renewed), (end, START + 59 * DAY), "31 March: counted from the anchor");
    let invoices = stripe.invoices(&customer).await;
    assert_eq!(
        (invoices.len(), invoices[0]["status"].as_str(), &invoices[0]["test_clock"]),
        (2, Some("paid"), &json!(clock))
    );
    assert_eq!(stripe.invoices(&other).await.len(), 1);

    let types = stripe.event_types().await;
    let named = types.iter().filter_map(|name| name.strip_prefix("test_helpers.test_clock."));
    assert_eq!(named.collect::<Vec<_>>(), ["created", "advancing", "ready"]);
    stripe.pass(40 * DAY).await;
    assert_eq!(stripe.invoices(&customer).await.len(), 2, "the emulator's own clock is not theirs");
    assert_eq!(stripe.invoices(&other).await.len(), 2);
}

#[tokio::test]
async fn a_clock_goes_forward_only_and_not_too_far() {
    let stripe = Stripe::start().await;
    let clock = clock(&stripe).await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    let refused = async |to: i64| {
        let reply = stripe.try_post(&path, &[("frozen_time", &to.to_string())]).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some("frozen_time")));
    };
    refused(START).await;
    refused(START - 1).await;
    refused(START + 3 * 366 * DAY).await;
    subscriber(&stripe, &clock).await;
    refused(START + 70 * DAY).await;
    let missing = stripe.try_post(&path, &[]).await;
    assert_eq!(missing.error()["code"], "parameter_missing");
    advance(&stripe, &clock, START + 50 * DAY).await;
}

#[tokio::test]
async fn a_clock_has_three_customers_and_takes_them_along() {
    let stripe = Stripe::start().await;
    let clock = clock(&stripe).await;
    let customer = subscriber(&stripe, &clock).await;
    for _ in 0..2 {
        stripe.post("/v1/customers", &[("test_clock", &clock)]).await;
    }
    let fourth = stripe.try_post("/v1/customers", &[("test_clock", &clock)]).await;
    assert_eq!((fourth.status, fourth.error()["param"].as_str()), (400, Some("test_clock")));
    let unknown = stripe.try_post("/v1/customers", &[("test_clock", "clock_none")]).await;
    assert_eq!(unknown.error()["code"], "resource_missing");
    let listed = stripe.get("/v1/test_helpers/test_clocks").await;
    assert_eq!(listed["data"][0]["id"], *clock);
    let deleted = stripe.delete(&format!("/v1/test_helpers/test_clocks/{clock}")).await;
    assert_eq!(deleted["deleted"], true);
    assert_eq!(stripe.get(&format!("/v1/customers/{customer}")).await["deleted"], true);
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "canceled");
    assert_eq!(stripe.try_get(&format!("/v1/test_helpers/test_clocks/{clock}")).await.status, 404);
}

#[tokio::test]
async fn an_item_changes_at_the_time_of_its_customer() {
    let stripe = Stripe::start().await;
    let clock = clock(&stripe).await;
    let customer = subscriber(&stripe, &clock).await;
    let subscription = stripe.only_subscription(&customer).await;
    advance(&stripe, &clock, START + 14 * DAY).await;
    let item = id(&subscription["items"]["data"][0]);
    stripe.post(&format!("/v1/subscription_items/{item}"), &[("quantity", "2")]).await;
    let waiting = stripe.pending_items(&customer).await;
    let amounts: Vec<_> = waiting.iter().map(|item| item["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts.iter().sum::<i64>(), 600, "half of the month is left: {amounts:?}");
    assert_eq!(waiting[0]["date"].as_i64(), Some(START + 14 * DAY));
}

#[tokio::test]
async fn a_checkout_expires_by_the_clock_of_its_customer() {
    let stripe = Stripe::start().await;
    let clock = clock(&stripe).await;
    let customer = subscriber(&stripe, &clock).await;
    let session = stripe.session(&customer, &stripe.price().await, &[]).await;
    assert_eq!(session["expires_at"].as_i64(), Some(START + DAY));
    let setup = [
        ("mode", "setup"),
        ("currency", "usd"),
        ("customer", customer.as_str()),
        ("success_url", "http://shop.test/done"),
    ];
    let setup = stripe.post("/v1/checkout/sessions", &setup).await;
    let (other, _) = stripe.buy().await;
    let others = stripe.session(&other, &stripe.price().await, &[]).await;
    let status = async |session: &Value| {
        let session = stripe.get(&format!("/v1/checkout/sessions/{}", id(session))).await;
        session["status"].as_str().unwrap().to_owned()
    };
    let all = async || [status(&session).await, status(&setup).await, status(&others).await];

    stripe.pass(2 * DAY).await;
    assert_eq!(all().await, ["open", "open", "expired"], "the emulator's clock is not theirs");
    advance(&stripe, &clock, START + DAY - HOUR).await;
    assert_eq!(all().await, ["open", "open", "expired"]);
    advance(&stripe, &clock, START + DAY + HOUR).await;
    assert_eq!(all().await, ["expired", "expired", "expired"]);
    let events = stripe.get("/v1/events?type=checkout.session.expired&limit=100").await;
    let of_clock = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["data"]["object"]["id"] == session["id"]);
    assert_eq!(
        of_clock.unwrap()["created"].as_i64(),
        Some(START + DAY),
        "at its time, and not when it was advanced"
    );
}

#[tokio::test]
async fn an_idempotency_key_lives_by_the_emulators_clock() {
    let stripe = Stripe::start().await;
    let long_ago = (stripe.now().await - 300 * DAY).to_string();
    let clock = id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", &long_ago)]).await);
    let (fields, headers) = ([("test_clock", clock.as_str())], [("idempotency-key", "once")]);
    let send = async || stripe.send(Method::POST, "/v1/customers", &fields, &headers).await.unwrap();
    let first = send().await;
    let again = send().await;
    assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
    stripe.pass(DAY + HOUR).await;
    assert_ne!(send().await.body["id"], first.body["id"], "a day later it is a new request");
}
