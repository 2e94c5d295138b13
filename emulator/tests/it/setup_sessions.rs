//! Checkout sessions in setup mode, by sending the page's form as a browser does.

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::setups::told;
use crate::support::{DECLINED, GOOD, Stripe, id, ids};

const ASKS: &str = "4000002500003155";

async fn setup_session(stripe: &Stripe, more: &[(&str, &str)]) -> Value {
    let base = [("mode", "setup"), ("success_url", "http://shop.test/saved?session={CHECKOUT_SESSION_ID}")];
    stripe.post("/v1/checkout/sessions", &[&base, more].concat()).await
}

#[tokio::test]
async fn a_session_saves_a_card_and_sells_nothing() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let more =
        [("customer", customer.as_str()), ("currency", "usd"), ("setup_intent_data[metadata][k]", "v")];
    let session = setup_session(&stripe, &more).await;
    assert_eq!((&session["mode"], &session["amount_total"]), (&json!("setup"), &Value::Null));
    let path = format!("/v1/checkout/sessions/{}?expand[]=setup_intent", id(&session));
    let open = stripe.get(&path).await;
    assert_eq!(
        (&open["setup_intent"]["status"], &open["setup_intent"]["metadata"]["k"]),
        (&json!("requires_payment_method"), &json!("v"))
    );
    let page = stripe.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Save your card") && page.contains("Save card") && !page.contains("due today"));
    let by_api = format!("/v1/setup_intents/{}/cancel", session["setup_intent"].as_str().unwrap());
    assert!(
        stripe.try_post(&by_api, &[]).await.error()["message"].as_str().unwrap().contains("Checkout Session")
    );

    let refused = stripe.pay(&session, DECLINED).await;
    assert_eq!(refused.status(), 402);
    assert!(refused.text().await.unwrap().contains("Your card was declined."));
    let known = stripe.event_types().await.len();
    for _ in 0..2 {
        let done = stripe.pay(&session, GOOD).await;
        assert_eq!(done.headers()[LOCATION], format!("http://shop.test/saved?session={}", id(&session)));
    }
    let expected = ["payment_method.attached", "setup_intent.succeeded", "checkout.session.completed"];
    assert_eq!(told(&stripe, known).await, expected);
    let done = stripe.get(&path).await;
    assert_eq!(
        (&done["status"], &done["payment_status"]),
        (&json!("complete"), &json!("no_payment_required"))
    );
    assert_eq!(done["setup_intent"]["status"], "succeeded");
    let methods = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(ids(&methods), [done["setup_intent"]["payment_method"].as_str().unwrap()]);
    assert!(ids(&stripe.get("/v1/payment_intents").await).is_empty());
}

#[tokio::test]
async fn a_session_saves_a_card_that_asks() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let session = setup_session(&stripe, &[("customer", &customer)]).await;
    for (outcome, expected) in [("fail", "/c/pay/"), ("complete", "http://shop.test/saved")] {
        let response = stripe.pay(&session, ASKS).await;
        let challenge = stripe.url(response.headers()[LOCATION].to_str().unwrap());
        let next = stripe.submit(&challenge, &[("outcome", outcome)]).await;
        let location = next.headers()[LOCATION].to_str().unwrap().to_owned();
        assert!(location.starts_with(expected), "{location}");
        if outcome == "fail" {
            let page = stripe.http.get(stripe.url(&location)).send().await.unwrap().text().await.unwrap();
            assert!(page.contains("We are unable to authenticate your payment method."));
        }
    }
    assert_eq!(stripe.get(&format!("/v1/checkout/sessions/{}", id(&session))).await["status"], "complete");
}

#[tokio::test]
async fn a_challenge_outlives_no_session() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let session = setup_session(&stripe, &[("customer", &customer)]).await;
    let response = stripe.pay(&session, ASKS).await;
    let challenge = stripe.url(response.headers()[LOCATION].to_str().unwrap());
    stripe.post(&format!("/v1/checkout/sessions/{}/expire", id(&session)), &[]).await;
    assert_eq!(stripe.submit(&challenge, &[("outcome", "complete")]).await.status(), 404);
    let methods = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert!(ids(&methods).is_empty());
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 410);
}

#[tokio::test]
async fn a_session_that_saves_a_card_takes_nothing_about_selling() {
    let stripe = Stripe::start().await;
    let price = stripe.price().await;
    let base = [("mode", "setup"), ("success_url", "http://a.b")];
    let cases = [
        ("line_items[0][price]", price.as_str(), "line_items"),
        ("allow_promotion_codes", "true", "allow_promotion_codes"),
        ("subscription_data[trial_period_days]", "3", "subscription_data"),
    ];
    for (name, value, param) in cases {
        let reply = stripe.try_post("/v1/checkout/sessions", &[base[0], base[1], (name, value)]).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)));
        assert_eq!(reply.error()["message"], format!("You can not pass `{param}` in `setup` mode."));
    }
}
