//! Cards that need 3-D Secure.

use reqwest::header::LOCATION;

use crate::support::{GOOD, Stripe, id};

const ASKS: &str = "4000002500003155";

async fn challenge(stripe: &Stripe, session: &serde_json::Value, card: &str) -> String {
    let response = stripe.pay(session, card).await;
    assert_eq!(response.status(), 303);
    let location = response.headers()[LOCATION].to_str().unwrap().to_owned();
    assert!(location.starts_with("/c/3ds/"), "{location}");
    stripe.url(&location)
}

#[tokio::test]
async fn a_passed_challenge_completes_the_purchase() {
    let stripe = Stripe::start().await;
    for card in [ASKS, "4000002760003184"] {
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let session = stripe.session(&customer, &price, &[]).await;
        let url = challenge(&stripe, &session, card).await;
        let page = stripe.http.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(">Complete<") && page.contains(">Fail<"));
        assert!(stripe.subscriptions(&customer).await.is_empty());
        let done = stripe.submit(&url, &[("outcome", "complete")]).await;
        assert_eq!(done.headers()[LOCATION], format!("http://shop.test/done?session={}", id(&session)));
        assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "active");
        assert_eq!(
            stripe.submit(&url, &[("outcome", "complete")]).await.status(),
            404,
            "a challenge is used up"
        );
    }
    assert!(stripe.event_types().await.contains(&"payment_intent.requires_action".to_owned()));
}

#[tokio::test]
async fn a_failed_challenge_leads_back_with_an_error_and_another_card_works() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[]).await;
    let url = challenge(&stripe, &session, ASKS).await;
    let back = stripe.submit(&url, &[("outcome", "fail")]).await;
    let location = back.headers()[LOCATION].to_str().unwrap();
    assert!(location.starts_with(&format!("/c/pay/{}", id(&session))));
    let page = stripe.http.get(stripe.url(location)).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    ));
    assert!(stripe.subscriptions(&customer).await.is_empty());
    let intent = &stripe.get("/v1/payment_intents").await["data"][0];
    assert_eq!(intent["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(stripe.pay(&session, GOOD).await.status(), 303);
    assert_eq!(stripe.subscriptions(&customer).await.len(), 1);
}

#[tokio::test]
async fn a_trial_asks_for_the_challenge_too() {
    let stripe = Stripe::start().await;
    let (customer, price) = (stripe.customer().await, stripe.price().await);
    let session = stripe.session(&customer, &price, &[("subscription_data[trial_period_days]", "7")]).await;
    let url = challenge(&stripe, &session, ASKS).await;
    assert_eq!(stripe.submit(&url, &[("outcome", "complete")]).await.status(), 303);
    assert_eq!(stripe.subscriptions(&customer).await[0]["status"], "trialing");
}
