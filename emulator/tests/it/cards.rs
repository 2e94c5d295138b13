//! Stripe's test cards by token and number, what else a card may have, and how one is changed.

use serde_json::{Value, json};

use crate::support::{Reply, Stripe, id};

/// A number with what belongs to it.
async fn typed(stripe: &Stripe, number: &str, more: &[(&str, &str)]) -> Reply {
    let mut fields = vec![
        ("type", "card"),
        ("card[number]", number),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2040"),
    ];
    for (name, value) in more {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    stripe.try_post("/v1/payment_methods", &fields).await
}

async fn attach(stripe: &Stripe, card: &str) -> Reply {
    let customer = stripe.customer().await;
    stripe.try_post(&format!("/v1/payment_methods/{card}/attach"), &[("customer", &customer)]).await
}

#[tokio::test]
async fn every_decline_has_its_token_its_number_and_its_words() {
    let stripe = Stripe::start().await;
    for (token, number, code, decline_code) in [
        ("pm_card_visa_chargeDeclined", "4000000000000002", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclined", "4000000000000002", "card_declined", "generic_decline"),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "4000000000009995",
            "card_declined",
            "insufficient_funds",
        ),
        ("pm_card_visa_chargeDeclinedLostCard", "4000000000009987", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "4000000000009979", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "4000000000000069", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "4000000000000119", "processing_error", "processing_error"),
        (
            "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
            "4000000000006975",
            "card_declined",
            "card_velocity_exceeded",
        ),
    ] {
        let card = id(&typed(&stripe, number, &[]).await.body);
        for card in [token, &card] {
            let refused = attach(&stripe, card).await;
            assert_eq!(refused.status, 402, "{card}");
            assert_eq!(refused.error()["code"], code, "{card}");
            assert_eq!(refused.error()["decline_code"], decline_code, "{card}");
        }
    }
}

#[tokio::test]
async fn a_card_has_its_brand_country_and_funding() {
    let stripe = Stripe::start().await;
    for (token, brand, country, funding, last4) in [
        ("tok_visa", "visa", "US", "credit", "4242"),
        ("tok_visa_debit", "visa", "US", "debit", "5556"),
        ("tok_mastercard_prepaid", "mastercard", "US", "prepaid", "5100"),
        ("tok_discover", "discover", "US", "credit", "1117"),
        ("tok_diners", "diners", "US", "credit", "0004"),
        ("tok_jcb", "jcb", "JP", "credit", "0505"),
        ("tok_unionpay", "unionpay", "CN", "credit", "0005"),
        ("tok_de", "visa", "DE", "credit", "0016"),
        ("tok_gb_debit", "visa", "GB", "debit", "0005"),
    ] {
        let made = stripe.post("/v1/payment_methods", &[("type", "card"), ("card[token]", token)]).await;
        let card = &made["card"];
        let found = ["brand", "country", "funding", "last4"].map(|field| card[field].as_str().unwrap());
        assert_eq!(found, [brand, country, funding, last4], "{token}");
    }
    for token in ["tok_unicorn", "pm_card_visa"] {
        let fields = [("type", "card"), ("card[token]", token)];
        let refused = stripe.try_post("/v1/payment_methods", &fields).await;
        assert_eq!(refused.error()["message"], format!("No such token: '{token}'"));
    }
}

#[tokio::test]
async fn cards_that_attach_and_are_refused_when_they_are_charged() {
    let stripe = Stripe::start().await;
    for (token, decline_code) in [
        ("pm_card_chargeCustomerFail", "generic_decline"),
        ("pm_card_radarBlock", "fraudulent"),
        ("pm_card_riskLevelHighest", "fraudulent"),
    ] {
        let price = stripe.price().await;
        let attached = attach(&stripe, token).await.body;
        let customer = attached["customer"].as_str().unwrap();
        let fields = [
            ("customer", customer),
            ("items[0][price]", &price),
            ("default_payment_method", attached["id"].as_str().unwrap()),
        ];
        let made = stripe.post("/v1/subscriptions", &fields).await;
        assert_eq!(made["status"], "incomplete", "{token}");
        let charge = &stripe.get(&format!("/v1/charges?customer={customer}")).await["data"][0];
        assert_eq!(charge["failure_code"], "card_declined");
        let blocked = decline_code == "fraudulent";
        assert_eq!(charge["outcome"]["type"] == "blocked", blocked, "{charge}");
    }
}

#[tokio::test]
async fn a_card_may_be_refused_after_its_challenge() {
    let stripe = Stripe::start().await;
    for (number, words) in [
        ("4000008260003178", "Your card has insufficient funds."),
        ("4000008400001629", "Your card was declined."),
    ] {
        let (customer, price) = (stripe.customer().await, stripe.price().await);
        let session = stripe.session(&customer, &price, &[]).await;
        let challenge = stripe.pay(&session, number).await;
        let challenge = stripe.url(challenge.headers()["location"].to_str().unwrap());
        let back = stripe.submit(&challenge, &[("outcome", "complete")]).await;
        let page = match back.headers().get("location") {
            Some(to) => stripe.look(&stripe.url(to.to_str().unwrap())).await.1,
            None => back.text().await.unwrap(),
        };
        assert!(page.contains(words), "{number}: {page}");
        assert!(stripe.subscriptions(&customer).await.is_empty());
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_card_is_named() {
    let stripe = Stripe::start().await;
    for (number, more, code, param) in [
        ("4242424242424241", ("card[cvc]", "123"), "incorrect_number", "card[number]"),
        ("4242424242424242", ("card[cvc]", "99"), "invalid_cvc", "card[cvc]"),
        ("378282246310005", ("card[cvc]", "123"), "invalid_cvc", "card[cvc]"),
        ("4242424242424242", ("card[exp_month]", "13"), "invalid_expiry_month", "card[exp_month]"),
        ("4242424242424242", ("card[exp_year]", "1995"), "invalid_expiry_year", "card[exp_year]"),
        ("4242424242424242", ("card[exp_year]", "2190"), "invalid_expiry_year", "card[exp_year]"),
    ] {
        let refused = typed(&stripe, number, &[more]).await;
        assert_eq!((refused.status, &refused.error()["code"]), (402, &json!(code)), "{more:?}");
        assert_eq!(refused.error()["param"], param);
    }
    let networks = typed(&stripe, "4242424242424242", &[("card[networks][preferred]", "visa")]).await;
    assert_eq!(networks.error()["code"], "parameter_unknown");
}

#[tokio::test]
async fn the_bank_checks_what_it_is_given() {
    let stripe = Stripe::start().await;
    let address = [
        ("billing_details[address][line1]", "1 Main Street"),
        ("billing_details[address][postal_code]", "12345"),
        ("card[cvc]", "123"),
    ];
    let checks = async |number: &str, given: &[(&str, &str)]| {
        typed(&stripe, number, given).await.body["card"]["checks"].clone()
    };
    let all = |line1: &str, postal: &str| json!({ "address_line1_check": line1, "address_postal_code_check": postal, "cvc_check": "pass" });
    for (number, expected) in [
        ("4242424242424242", all("pass", "pass")),
        ("4000000000000036", all("pass", "fail")),
        ("4000000000000028", all("fail", "pass")),
        ("4000000000000010", all("fail", "fail")),
        ("4000000000000044", all("unavailable", "unavailable")),
    ] {
        assert_eq!(checks(number, &address).await, expected, "{number}");
    }
    let nothing =
        json!({ "address_line1_check": null, "address_postal_code_check": null, "cvc_check": null });
    assert_eq!(checks("4000000000000010", &[]).await, nothing, "nothing is given, and nothing checked");
    let with = id(&typed(&stripe, "4000000000000101", &[("card[cvc]", "123")]).await.body);
    assert_eq!(attach(&stripe, &with).await.error()["code"], "incorrect_cvc");
    let without = id(&typed(&stripe, "4000000000000101", &[]).await.body);
    assert_eq!(attach(&stripe, &without).await.status, 200);
}

#[tokio::test]
async fn billing_details_are_kept_and_changed() {
    let stripe = Stripe::start().await;
    let more = [
        ("billing_details[address][city]", "Berlin"),
        ("billing_details[phone]", "+4930"),
        ("billing_details[name]", "Ada"),
        ("allow_redisplay", "always"),
    ];
    let made = typed(&stripe, "4242424242424242", &more).await.body;
    assert_eq!(made["billing_details"]["address"]["city"], "Berlin");
    assert_eq!(
        (&made["billing_details"]["phone"], &made["allow_redisplay"]),
        (&json!("+4930"), &json!("always"))
    );
    let path = format!("/v1/payment_methods/{}", id(&made));
    let unattached = stripe.try_post(&path, &[("billing_details[name]", "Bob")]).await;
    assert_eq!(unattached.error()["code"], "payment_method_unexpected_state");
    let customer = stripe.customer().await;
    stripe.post(&format!("{path}/attach"), &[("customer", &customer)]).await;
    let count = stripe.event_count().await;
    let fields = [
        ("billing_details[name]", "Bob"),
        ("billing_details[address]", ""),
        ("card[exp_year]", "2045"),
        ("metadata[a]", "b"),
    ];
    let changed = stripe.post(&path, &fields).await;
    assert_eq!(stripe.get(&path).await, changed);
    let billing = &changed["billing_details"];
    assert_eq!((&billing["name"], &billing["phone"]), (&json!("Bob"), &json!("+4930")));
    assert_eq!((&billing["address"]["city"], &changed["card"]["exp_year"]), (&Value::Null, &json!(2045)));
    assert_eq!(stripe.events_since(count).await, ["payment_method.updated"]);
    assert_eq!(
        stripe.try_post(&path, &[("card[exp_year]", "1999")]).await.error()["code"],
        "invalid_expiry_year"
    );
    for (wanted, many) in [("always", 1), ("limited", 0)] {
        let list = format!("/v1/customers/{customer}/payment_methods?allow_redisplay={wanted}");
        assert_eq!(stripe.get(&list).await["data"].as_array().unwrap().len(), many);
    }
}
