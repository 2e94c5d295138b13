//! Buying once on the hosted checkout page.

use reqwest::header::LOCATION;
use serde_json::{Value, json};

use crate::support::{DECLINED, GOOD, Stripe, id, ids};

impl Stripe {
    /// An open session that sells two mugs at 7.50 dollars, with more parameters if wanted.
    pub async fn payment_session(&self, more: &[(&str, &str)]) -> Value {
        let fields = [
            ("mode", "payment"),
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "750"),
            ("line_items[0][price_data][product_data][name]", "Mug"),
            ("line_items[0][quantity]", "2"),
            ("success_url", "http://shop.test/done?session={CHECKOUT_SESSION_ID}"),
            ("cancel_url", "http://shop.test/cart"),
        ];
        self.post("/v1/checkout/sessions", &[&fields[..], more].concat()).await
    }

    /// The session as it is now, with its intent and the charge.
    pub async fn paid_session(&self, session: &Value) -> Value {
        let expand = "expand[]=payment_intent.latest_charge&expand[]=line_items&expand[]=invoice";
        self.get(&format!("/v1/checkout/sessions/{}?{expand}", id(session))).await
    }

    pub async fn session_page(&self, session: &Value) -> String {
        self.http.get(session["url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap()
    }
}

type Fields<'f> = &'f [(&'f str, &'f str)];

/// What a guest types.
const GUEST: [(&str, &str); 5] = [
    ("email", "eva@example.com"),
    ("card_number", GOOD),
    ("expiry", "12/34"),
    ("cvc", "123"),
    ("name", "Eva"),
];

pub async fn pay_as_guest(stripe: &Stripe, session: &Value) -> u16 {
    stripe.submit(session["url"].as_str().unwrap(), &GUEST).await.status().as_u16()
}

#[tokio::test]
async fn a_guest_pays_once_and_stays_a_guest() {
    let stripe = Stripe::start().await;
    let more = [("payment_intent_data[metadata][order]", "6"), ("payment_intent_data[description]", "Mugs")];
    let session = stripe.payment_session(&more).await;
    assert_eq!((&session["amount_total"], &session["payment_intent"]), (&json!(1500), &json!(null)));
    assert_eq!(
        (&session["customer_creation"], &session["payment_status"]),
        (&json!("if_required"), &json!("unpaid"))
    );
    let page = stripe.session_page(&session).await;
    for text in ["Pay shop.test", "Mug × 2", "$15.00", ">Pay $15.00</button>"] {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    assert!(!page.contains("per month") && !page.contains("Subscribe"));
    let count = stripe.event_count().await;
    assert_eq!(pay_as_guest(&stripe, &session).await, 303);
    let events = stripe.events_since(count).await;
    let expected = [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.created",
        "payment_intent.succeeded",
    ];
    assert_eq!(events, expected);
    let session = stripe.paid_session(&session).await;
    assert_eq!((&session["status"], &session["payment_status"]), (&json!("complete"), &json!("paid")));
    assert_eq!((&session["customer"], &session["invoice"]), (&json!(null), &json!(null)));
    assert_eq!(session["customer_details"]["email"], "eva@example.com");
    let intent = &session["payment_intent"];
    assert_eq!((&intent["amount"], &intent["latest_charge"]["amount"]), (&json!(1500), &json!(1500)));
    assert_eq!((&intent["metadata"]["order"], &intent["description"]), (&json!("6"), &json!("Mugs")));
    assert_eq!(intent["latest_charge"]["metadata"]["order"], "6");
    assert!(ids(&stripe.get("/v1/customers").await).is_empty());
    let price = &session["line_items"]["data"][0]["price"];
    assert_eq!(
        (&price["active"], &price["type"]),
        (&json!(false), &json!("one_time")),
        "it is sold here only"
    );
}

#[tokio::test]
async fn declined_cards_and_challenges_are_tries_of_one_intent() {
    let stripe = Stripe::start().await;
    let customer = stripe.customer().await;
    let session = stripe.payment_session(&[("customer", &customer)]).await;
    assert_eq!(stripe.pay(&session, DECLINED).await.status(), 402);
    let failed = stripe.paid_session(&session).await;
    assert_eq!(failed["payment_intent"]["last_payment_error"]["decline_code"], "generic_decline");
    let intent = id(&failed["payment_intent"]);
    for what in ["cancel", "confirm"] {
        let refused = stripe.try_post(&format!("/v1/payment_intents/{intent}/{what}"), &[]).await;
        let message = "You cannot perform this action on PaymentIntents created by Checkout.";
        assert_eq!(refused.error()["message"], message);
    }
    let asks = stripe.pay(&session, "4000002760003184").await;
    let challenge = stripe.url(asks.headers()[LOCATION].to_str().unwrap());
    let back = stripe.submit(&challenge, &[("outcome", "fail")]).await;
    assert!(back.headers()[LOCATION].to_str().unwrap().ends_with("?error=authentication"));
    let asks = stripe.pay(&session, "4000002760003184").await;
    let challenge = stripe.url(asks.headers()[LOCATION].to_str().unwrap());
    let done = stripe.submit(&challenge, &[("outcome", "complete")]).await;
    assert_eq!(done.headers()[LOCATION], format!("http://shop.test/done?session={}", id(&session)));
    let session = stripe.paid_session(&session).await;
    assert_eq!((&session["payment_status"], id(&session["payment_intent"])), (&json!("paid"), intent));
    assert_eq!(session["payment_intent"]["customer"], *customer);
    assert_eq!(ids(&stripe.get("/v1/payment_intents").await).len(), 1);
    let cards = stripe.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    assert!(ids(&cards).is_empty(), "a card is kept only where that is said");
}

#[tokio::test]
async fn ten_submits_at_once_pay_once_and_an_expired_page_takes_nothing() {
    let stripe = Stripe::start().await;
    let session = stripe.payment_session(&[]).await;
    let mut submits = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (http, url) = (stripe.http.clone(), session["url"].as_str().unwrap().to_owned());
        submits.spawn(async move { http.post(url).body(crate::support::form(&GUEST)).send().await.unwrap() });
    }
    for response in submits.join_all().await {
        assert_eq!(response.status(), 303);
        assert!(response.headers()[LOCATION].to_str().unwrap().starts_with("http://shop.test/done"));
    }
    assert_eq!(ids(&stripe.get("/v1/charges").await).len(), 1);

    let session = stripe.payment_session(&[]).await;
    let url = session["url"].as_str().unwrap();
    let declined = [&[("card_number", DECLINED)], &GUEST[2..], &GUEST[..1]].concat();
    assert_eq!(stripe.submit(url, &declined).await.status(), 402);
    let path = format!("/v1/checkout/sessions/{}", id(&session));
    stripe.post(&format!("{path}/expire"), &[]).await;
    assert_eq!(stripe.submit(url, &GUEST).await.status(), 410);
    let session = stripe.paid_session(&session).await;
    assert_eq!(session["payment_intent"]["status"], "canceled");
    assert_eq!(ids(&stripe.get("/v1/charges").await).len(), 2, "one paid, one declined");
}

#[tokio::test]
async fn a_customer_is_made_and_keeps_the_card_where_that_is_wanted() {
    let stripe = Stripe::start().await;
    let session = stripe.payment_session(&[("customer_creation", "always")]).await;
    pay_as_guest(&stripe, &session).await;
    let made = stripe.paid_session(&session).await["customer"].as_str().unwrap().to_owned();
    let customer = stripe.get(&format!("/v1/customers/{made}")).await;
    assert_eq!((&customer["email"], &customer["name"]), (&json!("eva@example.com"), &json!("Eva")));
    assert!(ids(&stripe.get(&format!("/v1/customers/{made}/payment_methods")).await).is_empty());

    let more = [("payment_intent_data[setup_future_usage]", "off_session")];
    let session = stripe.payment_session(&more).await;
    pay_as_guest(&stripe, &session).await;
    let made = stripe.paid_session(&session).await["customer"].as_str().unwrap().to_owned();
    assert_eq!(ids(&stripe.get(&format!("/v1/customers/{made}/payment_methods")).await).len(), 1);
}

#[tokio::test]
async fn a_saved_card_is_offered_to_its_owner_only() {
    let stripe = Stripe::start().await;
    let (ada, eva) = (stripe.customer().await, stripe.customer().await);
    let fields = [("type", "card"), ("card[token]", "tok_visa"), ("allow_redisplay", "always")];
    let card = id(&stripe.post("/v1/payment_methods", &fields).await);
    stripe.post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &ada)]).await;
    stripe.post("/v1/payment_methods/pm_card_mastercard/attach", &[("customer", &ada)]).await;
    let session = stripe.payment_session(&[("customer", &ada)]).await;
    let page = stripe.session_page(&session).await;
    assert_eq!(page.matches("name=\"payment_method\"").count(), 1, "the other may not be shown again");
    assert!(page.contains(&card) && page.contains("Or with another card"));
    let theirs = stripe.payment_session(&[("customer", &eva)]).await;
    let url = theirs["url"].as_str().unwrap();
    assert_eq!(stripe.submit(url, &[("payment_method", &card)]).await.status(), 400);
    let url = session["url"].as_str().unwrap();
    assert_eq!(stripe.submit(url, &[("payment_method", &card)]).await.status(), 303);
    let session = stripe.paid_session(&session).await;
    assert_eq!(session["payment_intent"]["payment_method"], *card);
}

#[tokio::test]
async fn what_is_held_is_complete_and_unpaid_until_it_is_captured() {
    let stripe = Stripe::start().await;
    let session = stripe.payment_session(&[("payment_intent_data[capture_method]", "manual")]).await;
    let count = stripe.event_count().await;
    pay_as_guest(&stripe, &session).await;
    let last = stripe.events_since(count).await.pop();
    assert_eq!(last.as_deref(), Some("payment_intent.amount_capturable_updated"));
    let held = stripe.paid_session(&session).await;
    assert_eq!((&held["status"], &held["payment_status"]), (&json!("complete"), &json!("unpaid")));
    stripe.post(&format!("/v1/payment_intents/{}/capture", id(&held["payment_intent"])), &[]).await;
    assert_eq!(stripe.paid_session(&session).await["payment_status"], "paid");
}

const MUG: [(&str, &str); 5] = [
    ("line_items[0][price_data][currency]", "usd"),
    ("line_items[0][price_data][unit_amount]", "750"),
    ("line_items[0][price_data][product_data][name]", "Mug"),
    ("line_items[0][quantity]", "1"),
    ("success_url", "http://shop.test/done"),
];
const ONCE: &str = "You must provide at least one recurring price in `subscription` mode when using prices.";

#[tokio::test]
async fn modes_refuse_what_is_not_theirs() {
    let stripe = Stripe::start().await;
    let monthly = stripe.price().await;
    let line = [("line_items[0][price]", monthly.as_str()), ("line_items[0][quantity]", "1")];
    let base = [&line[..], &[("success_url", "http://shop.test/done")]].concat();
    let cents = [("line_items[0][price_data][unit_amount]", "49")];
    let cases: [(Fields, Fields, &str); 6] = [
        (&base, &[("mode", "payment")], "You specified `payment` mode but passed a recurring price."),
        (&MUG, &[("mode", "subscription")], ONCE),
        (
            &MUG,
            &[("mode", "payment"), ("subscription_data[description]", "x")],
            "You can not pass `subscription_data` in `payment` mode.",
        ),
        (
            &base,
            &[("mode", "subscription"), ("payment_intent_data[description]", "x")],
            "You can not pass `payment_intent_data` in `subscription` mode.",
        ),
        (
            &[&cents[..], &MUG[..1], &MUG[2..]].concat(),
            &[("mode", "payment")],
            "The Checkout Session's total amount due must add up to at least $0.50 usd",
        ),
        (
            &MUG,
            &[("mode", "payment"), ("line_items[0][price]", &monthly)],
            "You may only specify one of these parameters: price, price_data.",
        ),
    ];
    for (fields, more, message) in cases {
        let reply = stripe.try_post("/v1/checkout/sessions", &[fields, more].concat()).await;
        assert!(reply.error()["message"].as_str().unwrap().starts_with(message), "{}", reply.body);
    }
    assert_eq!(ids(&stripe.get("/v1/prices").await), [monthly], "nothing that comes along is left behind");
}
