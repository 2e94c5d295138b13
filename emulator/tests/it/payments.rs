//! Payment intents that a shop makes itself: from the first try to the money, taken or held.

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::support::{Reply, Stripe, id};
use crate::time::DAY;

const CARDS_ONLY: [(&str, &str); 2] =
    [("automatic_payment_methods[enabled]", "true"), ("automatic_payment_methods[allow_redirects]", "never")];

impl Stripe {
    /// A payment of 20 dollars by card only, with more parameters if wanted.
    pub async fn try_intent(&self, more: &[(&str, &str)]) -> Reply {
        let fields = [&[("amount", "2000"), ("currency", "usd")][..], &CARDS_ONLY, more].concat();
        self.try_post("/v1/payment_intents", &fields).await
    }

    pub async fn intent(&self, more: &[(&str, &str)]) -> Value {
        let reply = self.try_intent(more).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    pub async fn charge_of(&self, intent: &Value) -> Value {
        self.get(&format!("/v1/charges/{}", intent["latest_charge"].as_str().unwrap())).await
    }
}

pub fn path(intent: &Value, what: &str) -> String {
    format!("/v1/payment_intents/{}{what}", id(intent))
}

#[tokio::test]
async fn an_intent_goes_from_no_card_to_the_money() {
    let stripe = Stripe::start().await;
    let made = stripe.intent(&[("metadata[order]", "6"), ("description", "Tea")]).await;
    assert_eq!(
        (&made["status"], &made["capture_method"]),
        (&json!("requires_payment_method"), &json!("automatic_async"))
    );
    let secret = made["client_secret"].as_str().unwrap();
    assert_eq!(stripe.get(&path(&made, &format!("?client_secret={secret}"))).await, made);
    assert_eq!(stripe.try_get(&path(&made, "?client_secret=x")).await.status, 400);
    let fields =
        [("payment_method", "pm_card_visa"), ("amount", "2500"), ("receipt_email", "ada@example.com")];
    let ready = stripe.post(&path(&made, ""), &fields).await;
    assert_eq!((&ready["status"], &ready["amount"]), (&json!("requires_confirmation"), &json!(2500)));
    let count = stripe.event_count().await;
    let paid = stripe.post(&path(&made, "/confirm"), &[]).await;
    assert_eq!((&paid["status"], &paid["amount_received"]), (&json!("succeeded"), &json!(2500)));
    assert_eq!(stripe.events_since(count).await, ["charge.succeeded", "payment_intent.succeeded"]);
    let charge = stripe.charge_of(&paid).await;
    assert_eq!((&charge["amount"], &charge["amount_captured"]), (&json!(2500), &json!(2500)));
    assert_eq!((&charge["metadata"]["order"], &charge["description"]), (&json!("6"), &json!("Tea")));
    assert_eq!(charge["receipt_email"], "ada@example.com");
    let fields =
        [("metadata[order]", "7"), ("description", "Coffee"), ("fraud_details[user_report]", "safe")];
    let charge = stripe.post(&format!("/v1/charges/{}", id(&charge)), &fields).await;
    assert_eq!((&charge["metadata"]["order"], &charge["description"]), (&json!("7"), &json!("Coffee")));
    assert_eq!(stripe.event_types().await.last().unwrap(), "charge.updated");
    let refund = stripe.post("/v1/refunds", &[("payment_intent", &id(&paid))]).await;
    assert_eq!(refund["amount"], 2500);
}

#[tokio::test]
async fn what_is_held_is_captured_in_whole_or_in_part_or_let_go() {
    let stripe = Stripe::start().await;
    let hold = [("payment_method", "pm_card_visa"), ("confirm", "true"), ("capture_method", "manual")];
    let held = stripe.intent(&hold).await;
    assert_eq!((&held["status"], &held["amount_capturable"]), (&json!("requires_capture"), &json!(2000)));
    assert_eq!(held["amount_received"], 0);
    let charge = stripe.charge_of(&held).await;
    assert_eq!((&charge["captured"], &charge["amount_captured"]), (&json!(false), &json!(0)));
    assert_eq!(stripe.event_types().await.last().unwrap(), "payment_intent.amount_capturable_updated");
    let by_charge = stripe.try_post(&format!("/v1/charges/{}/capture", id(&charge)), &[]).await;
    assert!(
        by_charge.error()["message"]
            .as_str()
            .unwrap()
            .contains("You must capture the PaymentIntent instead.")
    );
    let too_much = stripe.try_post(&path(&held, "/capture"), &[("amount_to_capture", "2001")]).await;
    assert_eq!(too_much.error()["code"], "amount_too_large");
    let count = stripe.event_count().await;
    let part = stripe.post(&path(&held, "/capture"), &[("amount_to_capture", "700")]).await;
    assert_eq!((&part["status"], &part["amount_received"]), (&json!("succeeded"), &json!(700)));
    assert_eq!(part["amount_capturable"], 0);
    assert_eq!(stripe.events_since(count).await, ["charge.captured", "payment_intent.succeeded"]);
    assert_eq!(stripe.charge_of(&part).await["amount_captured"], 700);
    let again = stripe.try_post(&path(&held, "/capture"), &[]).await;
    let message = "This PaymentIntent could not be captured because it has already been captured.";
    assert_eq!(
        (&again.error()["message"], &again.error()["code"]),
        (&json!(message), &json!("payment_intent_unexpected_state"))
    );
    let more = stripe.try_post("/v1/refunds", &[("payment_intent", &id(&part)), ("amount", "701")]).await;
    assert_eq!(more.status, 400, "only what was taken can be given back");
}

#[tokio::test]
async fn what_is_held_is_let_go_when_it_is_canceled_and_after_a_week() {
    let stripe = Stripe::start().await;
    let hold = [("payment_method", "pm_card_visa"), ("confirm", "true"), ("capture_method", "manual")];
    let held = stripe.intent(&hold).await;
    let canceled = stripe.post(&path(&held, "/cancel"), &[("cancellation_reason", "abandoned")]).await;
    assert_eq!(
        (&canceled["status"], &canceled["cancellation_reason"]),
        (&json!("canceled"), &json!("abandoned"))
    );
    assert_eq!(canceled["amount_capturable"], 0);
    assert_eq!(stripe.charge_of(&canceled).await["refunded"], true);

    let clock = id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", "2000000000")]).await);
    let on_clock = id(&stripe.post("/v1/customers", &[("test_clock", &clock)]).await);
    let slow = stripe.intent(&[&hold[..], &[("customer", &on_clock)]].concat()).await;
    let (taken, held) = (stripe.intent(&hold).await, stripe.intent(&hold).await);
    stripe.post(&path(&taken, "/capture"), &[]).await;
    stripe.pass(7 * DAY - 60).await;
    assert_eq!(stripe.get(&path(&held, "")).await["status"], "requires_capture");
    stripe.pass(120).await;
    let expired = stripe.get("/v1/events?type=charge.expired").await;
    let expired = expired["data"].as_array().unwrap();
    assert_eq!((expired.len(), &expired[0]["data"]["object"]["payment_intent"]), (1, &held["id"]));
    assert_eq!(stripe.get(&path(&held, "")).await["status"], "canceled");
    assert_eq!(stripe.get(&path(&taken, "")).await["status"], "succeeded");
    assert_eq!(stripe.get(&path(&slow, "")).await["status"], "requires_capture", "its clock stands still");
    let later = (2_000_000_000 + 7 * DAY).to_string();
    let advance = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    stripe.post(&advance, &[("frozen_time", &later)]).await;
    assert_eq!(stripe.get(&path(&slow, "")).await["status"], "canceled");
}

#[tokio::test]
async fn a_challenge_leads_back_with_what_became_of_it() {
    let stripe = Stripe::start().await;
    for (outcome, status) in [("complete", "succeeded"), ("fail", "requires_payment_method")] {
        let back = [("return_url", "http://shop.test/done?a=b"), ("confirm", "true")];
        let waits = stripe
            .intent(&[&back[..], &[("payment_method", "pm_card_threeDSecure2Required")]].concat())
            .await;
        assert_eq!((&waits["status"], &waits["latest_charge"]), (&json!("requires_action"), &json!(null)));
        let url = waits["next_action"]["redirect_to_url"]["url"].as_str().unwrap();
        let done = stripe.submit(url, &[("outcome", outcome)]).await;
        let location = done.headers()[LOCATION].to_str().unwrap();
        let word = if outcome == "complete" { "succeeded" } else { "failed" };
        assert!(location.starts_with("http://shop.test/done?a=b&payment_intent=pi_"), "{location}");
        assert!(location.ends_with(&format!("&redirect_status={word}")), "{location}");
        let now = stripe.get(&path(&waits, "")).await;
        assert_eq!(now["status"], status);
        assert!(now["next_action"].is_null());
        assert_eq!(stripe.submit(url, &[("outcome", outcome)]).await.status(), 404, "it is used up");
    }
    let types = stripe.event_types().await;
    for wanted in ["payment_intent.requires_action", "payment_intent.payment_failed"] {
        assert!(types.contains(&wanted.to_owned()), "{wanted}");
    }
}

#[tokio::test]
async fn without_a_way_back_the_challenge_is_for_stripes_own_scripts_and_only_the_newest_counts() {
    let stripe = Stripe::start().await;
    let fields = [("payment_method", "pm_card_authenticationRequired"), ("confirm", "true")];
    let waits = stripe.intent(&fields).await;
    assert_eq!(waits["next_action"]["type"], "use_stripe_sdk");
    let old = waits["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    let again = stripe.post(&path(&waits, "/confirm"), &[]).await;
    let new = again["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    assert_ne!(old, new);
    assert_eq!(stripe.submit(old, &[("outcome", "complete")]).await.status(), 404);
    assert_eq!(stripe.get(&path(&waits, "")).await["status"], "requires_action");
    assert_eq!(stripe.submit(new, &[("outcome", "complete")]).await.status(), 200);
    assert_eq!(stripe.get(&path(&waits, "")).await["status"], "succeeded");
}

#[tokio::test]
async fn a_card_for_later_becomes_the_customers_and_pays_while_they_are_away() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let first = [
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_authenticationRequiredOnSetup"),
        ("setup_future_usage", "off_session"),
        ("confirm", "true"),
    ];
    let waits = stripe.intent(&first).await;
    let url = waits["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap();
    stripe.submit(url, &[("outcome", "complete")]).await;
    let cards = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    let card = id(&cards["data"][0]);
    let own = stripe.get(&format!("/v1/customers/{customer}/payment_methods/{card}")).await;
    assert_eq!(own["id"], *card);
    let later = [
        ("customer", customer.as_str()),
        ("payment_method", &card),
        ("off_session", "true"),
        ("confirm", "true"),
    ];
    assert_eq!(stripe.intent(&later).await["status"], "succeeded");
    let other = stripe.customer().await;
    let other = stripe.try_get(&format!("/v1/customers/{other}/payment_methods/{card}")).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn a_payment_twice_with_one_key_is_one_payment() {
    let stripe = Stripe::start().await;
    let fields =
        [
            &[
                ("amount", "2000"),
                ("currency", "usd"),
                ("payment_method", "pm_card_visa"),
                ("confirm", "true"),
            ][..],
            &CARDS_ONLY,
        ]
        .concat();
    let post = async || {
        let key = [("Idempotency-Key", "order-6")];
        stripe.send(reqwest::Method::POST, "/v1/payment_intents", &fields, &key).await.unwrap().body
    };
    assert_eq!(post().await, post().await);
    assert_eq!(stripe.get("/v1/charges").await["data"].as_array().unwrap().len(), 1);
}
