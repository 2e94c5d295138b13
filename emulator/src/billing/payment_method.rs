//! Payment methods: cards as Stripe shows them. The card's behaviour is kept beside the object, never in it.

use serde_json::{Value, json};

use super::cards::{Behaviour, NOT_A_TEST_CARD, TestCard};
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
    pub fn of_test_card(card: &TestCard, now: i64) -> CardDetails {
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

/// Stores a new payment method that belongs to no one yet.
pub fn create(tx: &mut Tx, details: &CardDetails, metadata: Value) -> Value {
    let id = ids::new("pm_");
    let value = shapes::filled(
        Shape::PaymentMethod,
        json!({
            "id": id,
            "billing_details": {
                "address": {
                    "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
                },
                "email": details.email,
                "name": details.name,
                "phone": null,
                "tax_id": null,
            },
            "card": card_of(details),
            "created": tx.now(),
            "metadata": metadata,
        }),
    );
    let private = json!({ "test_card": TestCard::by_number(&details.number).map(|card| card.token) });
    tx.put_with(Kind::PaymentMethod, &id, value.clone(), private);
    value
}

fn card_of(details: &CardDetails) -> Value {
    let brand = TestCard::by_number(&details.number).map_or("unknown", |card| card.brand);
    let last4: String = details.number.chars().skip(details.number.len().saturating_sub(4)).collect();
    json!({
        "brand": brand,
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
        "country": "US",
        "display_brand": brand,
        "exp_month": details.exp_month,
        "exp_year": details.exp_year,
        "fingerprint": fingerprint(&details.number),
        "funding": "credit",
        "generated_from": null,
        "last4": last4,
        "networks": { "available": [brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": null,
    })
}

/// The test card that a stored payment method is, if it is one.
fn test_card(tx: &Tx, id: &str) -> Option<&'static TestCard> {
    let token = tx.private(Kind::PaymentMethod, id)["test_card"].as_str()?;
    TestCard::by_token(&format!("pm_card_{token}"))
}

/// What becomes of a refund to a stored payment method.
pub fn refund_outcome(tx: &Tx, id: &str) -> Outcome {
    test_card(tx, id).map_or(Outcome::Succeeds, |card| card.refund_outcome())
}

/// What a stored payment method does when it is charged.
pub fn behaviour(tx: &Tx, id: &str) -> Behaviour {
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
