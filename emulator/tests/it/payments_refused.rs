//! What payment intents refuse, and how a refused card is told of.

use serde_json::{Value, json};

use crate::payments::path;
use crate::support::{Stripe, id};

type Fields<'f> = &'f [(&'f str, &'f str)];

#[tokio::test]
async fn a_refused_card_is_a_402_with_its_charge_and_intent() {
    let stripe = Stripe::start().await;
    for (card, code, decline) in [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ] {
        let made = stripe.intent(&[]).await;
        let count = stripe.event_count().await;
        let reply = stripe.try_post(&path(&made, "/confirm"), &[("payment_method", card)]).await;
        let error = reply.error();
        assert_eq!((reply.status, &error["type"]), (402, &json!("card_error")), "{card}");
        assert_eq!((&error["code"], &error["decline_code"]), (&json!(code), &json!(decline)), "{card}");
        let intent = stripe.get(&path(&made, "")).await;
        assert_eq!(error["payment_intent"], intent, "the error shows the intent as it is");
        assert_eq!(
            (&intent["status"], &intent["payment_method"]),
            (&json!("requires_payment_method"), &json!(null))
        );
        assert_eq!(error["charge"], intent["latest_charge"]);
        assert_eq!(intent["last_payment_error"]["payment_method"]["id"], error["payment_method"]["id"]);
        assert_eq!(stripe.charge_of(&intent).await["status"], "failed");
        assert_eq!(stripe.events_since(count).await, ["charge.failed", "payment_intent.payment_failed"]);
        let paid = stripe.post(&path(&made, "/confirm"), &[("payment_method", "pm_card_visa")]).await;
        assert_eq!((&paid["status"], &paid["last_payment_error"]), (&json!("succeeded"), &json!(null)));
    }
}

#[tokio::test]
async fn nobody_there_or_no_actions_wanted_means_no_challenge() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let to = format!("/v1/payment_methods/{}/attach", "pm_card_authenticationRequired");
    let card = id(&stripe.post(&to, &[("customer", &customer)]).await);
    let fields = [("customer", customer.as_str()), ("payment_method", &card), ("confirm", "true")];
    for (how, decline) in [
        ("off_session", "authentication_required"),
        ("error_on_requires_action", "authentication_not_handled"),
    ] {
        let reply = stripe.try_intent(&[&fields[..], &[(how, "true")]].concat()).await;
        let error = reply.error();
        assert_eq!((reply.status, &error["code"]), (402, &json!("authentication_required")), "{how}");
        assert_eq!(error["decline_code"], decline);
        assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    }
}

const UNPAID: &str = "requires_payment_method, requires_confirmation, requires_action.";
const CANCELABLE: &str =
    "requires_payment_method, requires_capture, requires_confirmation, requires_action, processing.";

#[tokio::test]
async fn states_refuse_in_stripes_words() {
    let stripe = Stripe::start().await;
    let paid = stripe.intent(&[("payment_method", "pm_card_visa"), ("confirm", "true")]).await;
    let canceled = stripe.intent(&[]).await;
    let canceled = stripe.post(&path(&canceled, "/cancel"), &[]).await;
    let (card, amount) = ([("payment_method", "pm_card_visa")], [("amount", "900")]);
    let cancel = "You cannot cancel this PaymentIntent because it has a status of";
    let cases: [Case; 5] = [
        (
            &paid,
            "/confirm",
            &[],
            ["You cannot confirm this PaymentIntent because it has already succeeded", "confirmed."],
        ),
        (&paid, "/cancel", &[], [&format!("{cancel} succeeded. Only"), CANCELABLE]),
        (
            &paid,
            "",
            &amount,
            [
                "This PaymentIntent's amount could not be updated because it has a status of succeeded.",
                UNPAID,
            ],
        ),
        (&canceled, "/confirm", &card, ["This PaymentIntent's payment_method could not be updated", UNPAID]),
        (&canceled, "/cancel", &[], [&format!("{cancel} canceled. Only"), CANCELABLE]),
    ];
    refuses(&stripe, &cases).await;
}

#[tokio::test]
async fn what_has_no_card_is_neither_confirmed_nor_captured() {
    let stripe = Stripe::start().await;
    let open = stripe.intent(&[]).await;
    let cases: [Case; 2] = [
        (
            &open,
            "/capture",
            &[],
            ["This PaymentIntent could not be captured because it has a status of", "requires_capture."],
        ),
        (
            &open,
            "/confirm",
            &[],
            [
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                "ConfirmationToken.",
            ],
        ),
    ];
    refuses(&stripe, &cases).await;
}

/// An intent, what is asked of it, and how the refusal begins and ends.
type Case<'c> = (&'c Value, &'c str, Fields<'c>, [&'c str; 2]);

async fn refuses(stripe: &Stripe, cases: &[Case<'_>]) {
    for (intent, what, fields, [begins, ends]) in cases.iter().copied() {
        let reply = stripe.try_post(&path(intent, what), fields).await;
        let message = reply.error()["message"].as_str().unwrap();
        assert!(reply.status == 400 && message.starts_with(begins) && message.ends_with(ends), "{message}");
        assert_eq!(reply.error()["code"], "payment_intent_unexpected_state");
        assert_eq!(reply.error()["payment_intent"]["id"], intent["id"]);
        assert_eq!(stripe.get(&path(intent, "")).await, *intent, "nothing has changed");
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_are_refused_by_name() {
    let stripe = Stripe::start().await;
    let amount = [("amount", "2000"), ("currency", "usd")];
    let card = [("payment_method", "pm_card_visa"), ("confirm", "true")];
    let cases: [(Fields, &str, &str); 7] = [
        (&[("amount", "49"), ("currency", "usd")], "amount", "Amount must be at least $0.50 usd"),
        (&[("amount", "29"), ("currency", "gbp")], "amount", "Amount must be at least £0.30 gbp"),
        (
            &[("amount", "100000000"), ("currency", "usd")],
            "amount",
            "Amount must be no more than $999,999.99",
        ),
        (&[("amount", "0"), ("currency", "usd")], "amount", "This value must be greater than or equal to 1."),
        (&[&amount[..], &card].concat(), "return_url", "you must provide a `return_url`"),
        (
            &[&amount[..], &[("return_url", "http://a.b")]].concat(),
            "return_url",
            "unless `confirm` is set to true",
        ),
        (
            &[&amount[..], &[("payment_method_types[0]", "card")]].concat(),
            "payment_method_types",
            "Received unknown parameter",
        ),
    ];
    for (fields, param, message) in cases {
        let reply = stripe.try_post("/v1/payment_intents", fields).await;
        assert_eq!((reply.status, reply.error()["param"].as_str()), (400, Some(param)), "{fields:?}");
        assert!(reply.error()["message"].as_str().unwrap().contains(message), "{}", reply.body);
    }
    assert_eq!(stripe.get("/v1/payment_intents").await["data"], json!([]));
    let (ada, eva) = (stripe.customer().await, stripe.customer().await);
    let card = id(&stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &ada)]).await);
    for more in [&[("payment_method", card.as_str())][..], &[("payment_method", &card), ("customer", &eva)]] {
        assert_eq!(stripe.try_intent(more).await.error()["param"], "payment_method");
    }
}
