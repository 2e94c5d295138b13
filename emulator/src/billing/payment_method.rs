//! Payment methods: cards as Stripe shows them. The card's behaviour is kept beside the object, never in it.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::cards::{Behaviour, Check, INCORRECT_CVC, NOT_A_TEST_CARD, TestCard};
use super::refund::Outcome;
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, text};

/// A card as someone gave it.
#[derive(Clone, Debug)]
pub struct CardDetails {
    /// Digits only.
    pub number: String,
    pub exp_month: i64,
    pub exp_year: i64,
    pub name: Option<String>,
    pub email: Option<String>,
}

impl CardDetails {
    /// What a test token stands for: a card that is good for years.
    pub fn of_test_card(card: TestCard, now: i64) -> CardDetails {
        let year = 1970 + now / 31_556_952;
        CardDetails {
            number: card.number.to_owned(),
            exp_month: 12,
            exp_year: year + 3,
            name: None,
            email: None,
        }
    }
}

/// What may be known of a card beside what stands on it.
#[derive(Clone, Debug)]
pub struct More {
    /// Billing details as Stripe shows them.
    pub billing: Value,
    /// Whether its security code was given.
    pub has_cvc: bool,
    /// `always`, `limited` or `unspecified`.
    pub allow_redisplay: Option<String>,
}

impl More {
    /// A name and an email at most, and the security code.
    pub fn of(details: &CardDetails) -> More {
        let mut billing = json!({
            "address": {
                "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
            },
            "phone": null,
            "tax_id": null,
        });
        billing["email"] = json!(details.email);
        billing["name"] = json!(details.name);
        More { billing, has_cvc: true, allow_redisplay: None }
    }
}

/// Stores a new payment method that belongs to no one yet.
pub fn create(tx: &mut Tx, details: &CardDetails, metadata: Value) -> Value {
    create_with(tx, details, metadata, More::of(details))
}

/// The same, with more that is known of it.
pub fn create_with(tx: &mut Tx, details: &CardDetails, metadata: Value, more: More) -> Value {
    let id = ids::new("pm_");
    let mut value = shapes::filled(
        Shape::PaymentMethod,
        json!({
            "id": id,
            "billing_details": more.billing,
            "card": card_of(details, more.has_cvc),
            "created": tx.now(),
            "metadata": metadata,
        }),
    );
    check_address(&mut value, details);
    if let Some(allow) = more.allow_redisplay {
        value["allow_redisplay"] = json!(allow);
    }
    let private = json!({ "test_card": TestCard::by_number(&details.number).map(|card| card.token) });
    tx.put_with(Kind::PaymentMethod, &id, value.clone(), private);
    value
}

/// What the bank says of the parts of the address that are given.
fn check_address(method: &mut Value, details: &CardDetails) {
    let checks = TestCard::by_number(&details.number).map(|card| card.checks).unwrap_or_default();
    let known = [
        ("line1", "address_line1_check", checks.line1),
        ("postal_code", "address_postal_code_check", checks.postal_code),
    ];
    for (part, name, check) in known {
        if method["billing_details"]["address"][part].is_string() {
            method["card"]["checks"][name] = json!(check.word());
        }
    }
}

fn card_of(details: &CardDetails, has_cvc: bool) -> Value {
    let known = TestCard::by_number(&details.number);
    let brand = known.map_or("unknown", |card| card.brand);
    let cvc_check = known.map_or(Check::Pass, |card| card.checks.cvc).word();
    let last4: String = details.number.chars().skip(details.number.len().saturating_sub(4)).collect();
    json!({
        "brand": brand,
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": has_cvc.then_some(cvc_check) },
        "country": known.map_or("US", |card| card.country),
        "display_brand": brand,
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "fingerprint": fingerprint(&details.number),
        "funding": known.map_or("credit", |card| card.funding),
        "generated_from": null,
        "last4": last4,
        "networks": { "available": [brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": null,
    })
}

/// The test card that a stored payment method is, if it is one.
fn test_card(tx: &Tx, id: &str) -> Option<TestCard> {
    let token = tx.private(Kind::PaymentMethod, id)["test_card"].as_str()?;
    TestCard::by_token(&format!("pm_card_{token}"))
}

/// What becomes of a refund to a stored payment method.
pub fn refund_outcome(tx: &Tx, id: &str) -> Outcome {
    test_card(tx, id).map_or(Outcome::Succeeds, |card| card.refund_outcome())
}

/// What a stored payment method does when it is charged.
pub fn behaviour(tx: &Tx, id: &str) -> Behaviour {
    let fails = |method: Cow<Value>| method["card"]["checks"]["cvc_check"] == "fail";
    if tx.find(Kind::PaymentMethod, id).is_some_and(fails) {
        return Behaviour::Declines(INCORRECT_CVC);
    }
    test_card(tx, id).map_or(Behaviour::Declines(NOT_A_TEST_CARD), |card| card.behaviour)
}

/// Gives the payment method to a customer, without telling anyone.
pub fn attach(tx: &mut Tx, id: &str, customer: &str) -> Value {
    let mut value = tx.copy(Kind::PaymentMethod, id).unwrap_or_default();
    value["customer"] = json!(customer);
    tx.put(Kind::PaymentMethod, value.clone());
    value
}

/// Takes the payment method from its customer, and tells of it.
pub fn detach(tx: &mut Tx, mut method: Value, customer: &str) -> Value {
    method["customer"] = Value::Null;
    tx.update(Kind::PaymentMethod, method.clone(), "payment_method.detached");
    forget(tx, text(&method, "id"), customer);
    method
}

/// A card that is gone is nobody's default any more.
fn forget(tx: &mut Tx, method: &str, customer: &str) {
    if let Some(mut owner) = tx.copy(Kind::Customer, customer)
        && owner["invoice_settings"]["default_payment_method"] == *method
    {
        owner["invoice_settings"]["default_payment_method"] = Value::Null;
        tx.update(Kind::Customer, owner, "customer.updated");
    }
    for mut subscription in tx.of_customer(Kind::Subscription, customer) {
        if subscription["default_payment_method"] == *method {
            subscription["default_payment_method"] = Value::Null;
            tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
        }
    }
}

/// The same card always has the same fingerprint.
fn fingerprint(number: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = hex::encode(Sha256::digest(number.as_bytes()));
    digest.chars().take(16).collect()
}
