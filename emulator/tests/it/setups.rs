//! Setup intents by API; `setup_sessions` has those of the hosted page.

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::support::{Stripe, id, ids};

async fn intent(stripe: &Stripe, fields: &[(&str, &str)]) -> Value {
    stripe.post("/v1/setup_intents", fields).await
}

/// The events since there were `known` of them.
pub async fn told(stripe: &Stripe, known: usize) -> Vec<String> {
    stripe.event_types().await.split_off(known)
}

#[tokio::test]
async fn a_confirmed_intent_gives_the_card_to_its_customer() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let known = stripe.event_types().await.len();
    let made =
        intent(&stripe, &[("customer", &customer), ("usage", "on_session"), ("metadata[k]", "v")]).await;
    assert!(made["client_secret"].as_str().unwrap().starts_with(&format!("{}_secret_", id(&made))));
    assert_eq!((&made["status"], &made["usage"]), (&json!("requires_payment_method"), &json!("on_session")));
    let path = format!("/v1/setup_intents/{}", id(&made));
    let ready = stripe.post(&path, &[("payment_method", "pm_card_visa"), ("description", "later")]).await;
    assert_eq!((&ready["status"], &ready["description"]), (&json!("requires_confirmation"), &json!("later")));
    let done = stripe.post(&format!("{path}/confirm"), &[]).await;
    assert_eq!((&done["status"], &done["next_action"]), (&json!("succeeded"), &Value::Null));
    let expanded = stripe.get(&format!("{path}?expand[]=payment_method&expand[]=latest_attempt")).await;
    assert_eq!(expanded["payment_method"]["customer"], *customer);
    assert_eq!(expanded["latest_attempt"]["status"], "succeeded");
    assert_eq!(expanded["latest_attempt"]["payment_method_details"]["card"]["last4"], "4242");
    let expected = ["setup_intent.created", "payment_method.attached", "setup_intent.succeeded"];
    assert_eq!(told(&stripe, known).await, expected);
    assert!(ids(&stripe.get("/v1/charges").await).is_empty());

    let again = stripe.try_post(&format!("{path}/confirm"), &[]).await;
    assert_eq!(
        again.error()["message"],
        "You cannot confirm this SetupIntent because it has already succeeded."
    );
    assert_eq!(again.error()["setup_intent"]["id"], made["id"]);
    let other = stripe.try_post(&path, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(other.error()["code"], "setup_intent_unexpected_state");
    assert_eq!(stripe.post(&path, &[("metadata[k]", "")]).await["metadata"], json!({}));
}

#[tokio::test]
async fn a_refused_card_leaves_the_intent_open_for_another() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let known = stripe.event_types().await.len();
    let fields = [
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_visa_chargeDeclined"),
        ("confirm", "true"),
    ];
    let refused = stripe.try_post("/v1/setup_intents", &fields).await;
    let error = refused.error();
    assert_eq!((refused.status, error["type"].as_str()), (402, Some("card_error")));
    assert_eq!(
        (&error["code"], &error["decline_code"]),
        (&json!("card_declined"), &json!("generic_decline"))
    );
    assert_eq!(error["payment_method"]["card"]["last4"], "0002");
    assert_eq!(told(&stripe, known).await, ["setup_intent.created", "setup_intent.setup_failed"]);
    let path = format!("/v1/setup_intents/{}", id(&error["setup_intent"]));
    let stored = stripe.get(&path).await;
    assert_eq!(stored, error["setup_intent"], "what was refused is kept");
    assert_eq!(
        (&stored["status"], &stored["payment_method"]),
        (&json!("requires_payment_method"), &Value::Null)
    );
    assert_eq!(stored["last_setup_error"]["code"], "card_declined");

    let fields = [("payment_method", "pm_card_chargeDeclinedExpiredCard")];
    let expired = stripe.try_post(&format!("{path}/confirm"), &fields).await;
    assert_eq!((expired.error()["param"].as_str(), expired.status), (Some("exp_month"), 402));
    let done = stripe.post(&format!("{path}/confirm"), &[("payment_method", "pm_card_visa")]).await;
    assert_eq!((&done["status"], &done["last_setup_error"]), (&json!("succeeded"), &Value::Null));
    let attempts = stripe.get(&format!("/v1/setup_attempts?setup_intent={}", id(&done))).await;
    let statuses: Vec<_> =
        attempts["data"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, ["succeeded", "failed", "failed"]);
}

#[tokio::test]
async fn a_card_that_asks_is_set_up_by_the_challenge() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let fields = [
        ("customer", customer.as_str()),
        ("payment_method", "pm_card_authenticationRequired"),
        ("confirm", "true"),
        ("return_url", "http://shop.test/back?a=1"),
    ];
    let cases = [("complete", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed")];
    for (outcome, status, word) in cases {
        let asked = intent(&stripe, &fields).await;
        let path = format!("/v1/setup_intents/{}", id(&asked));
        assert_eq!(
            (&asked["status"], &asked["next_action"]["type"]),
            (&json!("requires_action"), &json!("redirect_to_url"))
        );
        let url = asked["next_action"]["redirect_to_url"]["url"].as_str().unwrap();
        let page = stripe.http.get(url).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(">Complete<") && page.contains(">Fail<"));
        let back = stripe.submit(url, &[("outcome", outcome)]).await;
        let location = back.headers()[LOCATION].to_str().unwrap();
        let secret = asked["client_secret"].as_str().unwrap();
        let expected = format!(
            "http://shop.test/back?a=1&setup_intent={}&setup_intent_client_secret={secret}&redirect_status={word}",
            id(&asked)
        );
        assert_eq!(location, expected);
        let now = stripe.get(&path).await;
        assert_eq!((&now["status"], &now["next_action"]), (&json!(status), &Value::Null), "{outcome}");
        assert_eq!(stripe.submit(url, &[("outcome", "complete")]).await.status(), 404, "used up");
    }
    let failed = &stripe.get("/v1/setup_intents").await["data"][0];
    assert_eq!(failed["last_setup_error"]["code"], "setup_intent_authentication_failure");
    let methods = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert_eq!(ids(&methods).len(), 1);
    let types = stripe.event_types().await;
    let expected = ["setup_intent.created", "setup_intent.requires_action", "setup_intent.setup_failed"];
    assert_eq!(types[types.len() - 3..], expected);
}

#[tokio::test]
async fn a_challenge_without_a_way_back_ends_in_a_page_and_an_old_one_sets_up_nothing() {
    let stripe = Stripe::start().await;
    let asked =
        intent(&stripe, &[("payment_method", "pm_card_authenticationRequired"), ("confirm", "true")]).await;
    let url =
        |intent: &Value| intent["next_action"]["use_stripe_sdk"]["stripe_js"].as_str().unwrap().to_owned();
    let path = format!("/v1/setup_intents/{}/confirm", id(&asked));
    let again = stripe.post(&path, &[("payment_method", "pm_card_authenticationRequired")]).await;
    assert_eq!(stripe.submit(&url(&asked), &[("outcome", "complete")]).await.status(), 404);
    let done = stripe.submit(&url(&again), &[("outcome", "complete")]).await;
    assert_eq!(done.status(), 200);
    assert!(done.text().await.unwrap().contains("You can close this page."));
    let now = stripe.get(&format!("/v1/setup_intents/{}", id(&asked))).await;
    assert_eq!((&now["status"], &now["payment_method"]), (&json!("succeeded"), &again["payment_method"]));
}

#[tokio::test]
async fn an_intent_is_canceled_once() {
    let stripe = Stripe::start().await;
    let made = intent(&stripe, &[("payment_method", "pm_card_visa")]).await;
    let path = format!("/v1/setup_intents/{}", id(&made));
    let canceled = stripe.post(&format!("{path}/cancel"), &[("cancellation_reason", "duplicate")]).await;
    assert_eq!(
        (&canceled["status"], &canceled["cancellation_reason"]),
        (&json!("canceled"), &json!("duplicate"))
    );
    assert_eq!(stripe.event_types().await.last().unwrap(), "setup_intent.canceled");
    let cases = [
        ("cancel", "You cannot cancel this SetupIntent because it is already canceled."),
        ("confirm", "You cannot confirm this SetupIntent because it has been canceled."),
    ];
    for (verb, message) in cases {
        let reply = stripe.try_post(&format!("{path}/{verb}"), &[]).await;
        assert_eq!((reply.status, reply.error()["message"].as_str()), (400, Some(message)));
    }
    let done = intent(&stripe, &[("payment_method", "pm_card_visa"), ("confirm", "true")]).await;
    let reply = stripe.try_post(&format!("/v1/setup_intents/{}/cancel", id(&done)), &[]).await;
    assert!(reply.error()["message"].as_str().unwrap().contains("has a status of succeeded."));
}

#[tokio::test]
async fn what_cannot_be_set_up_is_refused() {
    let stripe = Stripe::start().await;
    let (ada, bob) = (stripe.customer().await, stripe.customer().await);
    let adas = stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &ada)]).await;
    let adas = id(&adas);
    let cases: [(&[(&str, &str)], &str); 5] = [
        (
            &[("payment_method", &adas)],
            "Please include the Customer in the `customer` parameter on the SetupIntent.",
        ),
        (&[("payment_method", &adas), ("customer", &bob)], "with the Customer that it belongs to instead."),
        (&[("payment_method", "pm_no")], "No such PaymentMethod: 'pm_no'"),
        (&[("customer", "cus_no")], "No such customer: 'cus_no'"),
        (&[("confirm", "true")], "directly with a payment method or ConfirmationToken."),
    ];
    for (fields, message) in cases {
        let reply = stripe.try_post("/v1/setup_intents", fields).await;
        assert_eq!(reply.status, 400);
        assert!(reply.error()["message"].as_str().unwrap().ends_with(message), "{}", reply.body);
    }
    assert!(ids(&stripe.get("/v1/setup_intents").await).is_empty());
    let of_bob = intent(&stripe, &[("customer", &bob)]).await;
    let path = format!("/v1/setup_intents/{}", id(&of_bob));
    let reply = stripe.try_post(&format!("{path}/confirm"), &[("payment_method", &adas)]).await;
    assert_eq!(reply.error()["setup_intent"]["payment_method"], Value::Null, "as it is stored");
    let missing = stripe.try_get("/v1/setup_intents/seti_no").await;
    assert_eq!(
        (missing.status, missing.error()["message"].as_str()),
        (404, Some("No such setupintent: 'seti_no'"))
    );
    assert_eq!(missing.error()["param"], "intent");

    let mine = intent(&stripe, &[("customer", &ada), ("payment_method", &adas)]).await;
    for query in [format!("customer={ada}"), format!("payment_method={adas}")] {
        assert_eq!(ids(&stripe.get(&format!("/v1/setup_intents?{query}")).await), [id(&mine)], "{query}");
    }
}
