//! Whether a coupon or a promotion code may be redeemed, here and now, and Stripe's words when it may not.
//! Reads only; `redeem` counts.
//!
//! The codes and messages for a missing coupon, a coupon that has expired or applies to nothing, a customer who
//! bought before and a minimum that is not met are Stripe's. Not sure: that a coupon without redemptions left
//! is told of as an expired one, the words for a code that is inactive, is another customer's or has another
//! currency, and whether an invoice over nothing makes a customer one who bought before (here every invoice
//! does that is neither a draft nor void). A purchase without a customer is taken for a first one; Stripe also
//! has `promotion_code_customer_missing_first_time`, and when it says so is not known.

use serde_json::{Value, json};

use super::{Part, covers};
use crate::error::ApiError;
use crate::state::{Kind, Store, number, text};

/// What is bought, as far as a discount asks.
#[derive(Clone, Debug)]
pub struct Purchase<'p> {
    pub customer: Option<&'p str>,
    pub bought_before: bool,
    pub currency: &'p str,
    /// What is due now; a trial has only zeros.
    pub parts: &'p [Part],
    pub now: i64,
}

/// Why a coupon or code is not redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    CouponExpired(String),
    Inactive,
    OtherCustomer,
    BoughtBefore,
    BelowMinimum,
    AppliesToNothing,
    OtherCurrency,
}

impl Refusal {
    /// Stripe's error about the parameter `param`.
    pub fn error(&self, param: &str) -> ApiError {
        let error = ApiError::invalid(self.message()).param(param);
        match self.code() {
            Some(code) => error.code(code),
            None => error,
        }
    }

    pub fn message(&self) -> String {
        let code = |why: &str| format!("This promotion code cannot be redeemed because {why}.");
        match self {
            Refusal::CouponExpired(id) => format!("Coupon expired: {id}"),
            Refusal::Inactive => code("it is expired or inactive"),
            Refusal::OtherCustomer => code("it belongs to another customer"),
            Refusal::BoughtBefore => code("the associated customer has prior transactions"),
            Refusal::BelowMinimum => {
                code("the associated purchase does not meet the minimum amount requirement")
            }
            Refusal::AppliesToNothing => {
                "This coupon cannot be redeemed because it does not apply to anything in this order."
                    .to_owned()
            }
            Refusal::OtherCurrency => {
                "This coupon cannot be redeemed because its currency is not that of the purchase.".to_owned()
            }
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Refusal::CouponExpired(_) | Refusal::Inactive => Some("coupon_expired"),
            Refusal::AppliesToNothing
            | Refusal::BoughtBefore
            | Refusal::OtherCustomer
            | Refusal::BelowMinimum
            | Refusal::OtherCurrency => None,
        }
    }
}

/// Whether this coupon, with its `applies_to`, may be redeemed.
pub fn check_coupon(coupon: &Value, purchase: &Purchase) -> Result<(), Refusal> {
    if !is_open(coupon, "redeem_by", purchase.now) {
        return Err(Refusal::CouponExpired(text(coupon, "id").to_owned()));
    }
    if coupon["currency"].as_str().is_some_and(|currency| currency != purchase.currency) {
        return Err(Refusal::OtherCurrency);
    }
    if purchase.parts.iter().any(|part| covers(coupon, &part.product)) {
        Ok(())
    } else {
        Err(Refusal::AppliesToNothing)
    }
}

/// Whether this promotion code, and its coupon, may be redeemed.
pub fn check_promotion(promotion: &Value, coupon: &Value, purchase: &Purchase) -> Result<(), Refusal> {
    if promotion["active"] == false || !is_open(promotion, "expires_at", purchase.now) {
        return Err(Refusal::Inactive);
    }
    if promotion["customer"].as_str().is_some_and(|customer| Some(customer) != purchase.customer) {
        return Err(Refusal::OtherCustomer);
    }
    let restrictions = &promotion["restrictions"];
    if restrictions["first_time_transaction"] == true && purchase.bought_before {
        return Err(Refusal::BoughtBefore);
    }
    if let Some(minimum) = restrictions["minimum_amount"].as_i64() {
        let due: i64 = purchase.parts.iter().map(|part| part.amount).sum();
        if restrictions["minimum_amount_currency"] != purchase.currency || due < minimum {
            return Err(Refusal::BelowMinimum);
        }
    }
    check_coupon(coupon, purchase)
}

/// Whether there are redemptions left, and time until `until`.
fn is_open(value: &Value, until: &str, now: i64) -> bool {
    let most = value["max_redemptions"].as_i64();
    most.is_none_or(|most| number(value, "times_redeemed") < most)
        && value[until].as_i64().is_none_or(|until| now <= until)
}

/// A coupon or promotion code as it is to be shown now; anything else as it is.
pub fn shown(store: &Store, mut value: Value) -> Value {
    let now = store.clock.now();
    match text(&value, "object") {
        "coupon" if value["deleted"] != true => {
            value["valid"] = json!(value["valid"] == true && is_open(&value, "redeem_by", now));
        }
        "promotion_code" => {
            let coupon = store.find(Kind::Coupon, text(&value["promotion"], "coupon"));
            let coupon = coupon.map(|record| shown(store, record.value().into_owned()));
            let is_valid = coupon.is_some_and(|coupon| coupon["valid"] == true);
            let is_active = value["active"] == true && is_valid && is_open(&value, "expires_at", now);
            value["active"] = json!(is_active);
        }
        _ => {}
    }
    value
}

/// The same for every object of a list's page.
pub fn shown_on_page(store: &Store, mut page: Value) -> Value {
    for value in page["data"].as_array_mut().into_iter().flatten() {
        *value = shown(store, value.take());
    }
    page
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Part;
    use super::{Purchase, Refusal, check_coupon, check_promotion};

    fn merged(base: Value, more: Value) -> Value {
        let mut base = base;
        for (name, value) in more.as_object().into_iter().flatten() {
            base[name] = value.clone();
        }
        base
    }

    fn coupon(more: Value) -> Value {
        merged(json!({"id": "C", "percent_off": 10, "times_redeemed": 0}), more)
    }

    fn promotion(more: Value) -> Value {
        merged(json!({"active": true, "customer": null, "times_redeemed": 0, "restrictions": {}}), more)
    }

    #[test]
    fn a_coupon_is_refused_for_each_reason_of_its_own() {
        let parts = [Part { product: "a".to_owned(), amount: 1000 }];
        let purchase =
            Purchase { customer: None, bought_before: false, currency: "usd", parts: &parts, now: 100 };
        let cases = [
            (json!({}), None),
            (json!({"redeem_by": 100}), None),
            (json!({"redeem_by": 99}), Some(Refusal::CouponExpired("C".to_owned()))),
            (json!({"max_redemptions": 1}), None),
            (
                json!({"max_redemptions": 1, "times_redeemed": 1}),
                Some(Refusal::CouponExpired("C".to_owned())),
            ),
            (json!({"currency": "usd"}), None),
            (json!({"currency": "eur"}), Some(Refusal::OtherCurrency)),
            (json!({"applies_to": {"products": ["a", "b"]}}), None),
            (json!({"applies_to": {"products": ["b"]}}), Some(Refusal::AppliesToNothing)),
        ];
        for (more, expected) in cases {
            assert_eq!(check_coupon(&coupon(more.clone()), &purchase).err(), expected, "{more}");
        }
    }

    #[test]
    fn a_promotion_code_is_refused_for_each_reason_of_its_own() {
        let parts = [Part { product: "a".to_owned(), amount: 1000 }];
        let purchase = Purchase {
            customer: Some("cus_1"),
            bought_before: true,
            currency: "usd",
            parts: &parts,
            now: 100,
        };
        let minimum = |amount: i64, currency: &str| json!({"restrictions": {"minimum_amount": amount, "minimum_amount_currency": currency}});
        let cases = [
            (json!({}), None),
            (json!({"active": false}), Some(Refusal::Inactive)),
            (json!({"expires_at": 99}), Some(Refusal::Inactive)),
            (json!({"max_redemptions": 2, "times_redeemed": 2}), Some(Refusal::Inactive)),
            (json!({"customer": "cus_1"}), None),
            (json!({"customer": "cus_2"}), Some(Refusal::OtherCustomer)),
            (json!({"restrictions": {"first_time_transaction": true}}), Some(Refusal::BoughtBefore)),
            (minimum(1000, "usd"), None),
            (minimum(1001, "usd"), Some(Refusal::BelowMinimum)),
            (minimum(1, "eur"), Some(Refusal::BelowMinimum)),
        ];
        for (more, expected) in cases {
            let promotion = promotion(more.clone());
            assert_eq!(check_promotion(&promotion, &coupon(json!({})), &purchase).err(), expected, "{more}");
        }
        let of_other = coupon(json!({"applies_to": {"products": ["b"]}}));
        let refusal = check_promotion(&promotion(json!({})), &of_other, &purchase).err();
        assert_eq!(refusal, Some(Refusal::AppliesToNothing));
    }
}
