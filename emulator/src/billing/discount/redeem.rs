//! Redeeming a coupon or promotion code into a discount, and taking a discount away again.
//!
//! Not sure how Stripe tells of it: here `customer.discount.created` comes right before the subscription's own
//! event, and `coupon.updated` and `promotion_code.updated` tell of the count.

use serde_json::{Value, json};

use super::validity::{Purchase, Refusal, check_coupon, check_promotion};
use super::{Applied, Part, end, put_on_invoice};
use crate::billing::invoice;
use crate::error::{ApiError, Place};
use crate::state::{Kind, Store, Tx, ids, number, text};

/// What a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    Coupon(String),
    PromotionCode(String),
}

/// Why there is no discount.
#[derive(Clone, Debug)]
pub enum Failed {
    NoSuch(Kind, String),
    Refused(Refusal),
}

impl Failed {
    pub fn error(&self, param: &str) -> ApiError {
        match self {
            Failed::NoSuch(kind, id) => ApiError::no_such(*kind, id, Place::Param(param)),
            Failed::Refused(refusal) => refusal.error(param),
        }
    }
}

impl Failed {
    /// In words for a buyer.
    pub fn message(&self) -> String {
        match self {
            Failed::NoSuch(..) => "This code is invalid.".to_owned(),
            Failed::Refused(refusal) => refusal.message(),
        }
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Failed {
        Failed::Refused(refusal)
    }
}

/// The discount that `wanted` gives on a purchase of `parts` now, not stored yet.
pub fn resolve(
    tx: &Tx,
    wanted: &Wanted,
    customer: Option<&str>,
    currency: &str,
    parts: &[Part],
) -> Result<Applied, Failed> {
    let bought_before = customer.is_some_and(|customer| has_bought_before(tx, customer));
    let purchase = Purchase { customer, bought_before, currency, parts, now: tx.now() };
    let (coupon, promotion_code) = match wanted {
        Wanted::Coupon(id) => {
            let coupon = terms(tx.store(), id).ok_or_else(|| Failed::NoSuch(Kind::Coupon, id.clone()))?;
            check_coupon(&coupon, &purchase)?;
            (coupon, None)
        }
        Wanted::PromotionCode(id) => {
            let promotion = tx.copy(Kind::PromotionCode, id);
            let promotion = promotion.ok_or_else(|| Failed::NoSuch(Kind::PromotionCode, id.clone()))?;
            let coupon = terms(tx.store(), text(&promotion["promotion"], "coupon"));
            let coupon = coupon.ok_or(Failed::Refused(Refusal::Inactive))?;
            check_promotion(&promotion, &coupon, &purchase)?;
            (coupon, Some(id.clone()))
        }
    };
    Ok(Applied { id: ids::new("di_"), coupon, promotion_code, checkout_session: None })
}

/// The promotion code that a buyer typed, whatever its case; one of their own before one for everybody.
pub fn find_code(tx: &Tx, code: &str, customer: Option<&str>) -> Option<String> {
    let all = tx.store().collection(Kind::PromotionCode)?;
    let mut found: Vec<Value> = all
        .newest_first()
        .filter(|record| record.field("code").as_str().is_some_and(|one| one.eq_ignore_ascii_case(code)))
        .map(|record| record.value().into_owned())
        .filter(|promotion| promotion["active"] == true)
        .collect();
    found.sort_by_key(|promotion| {
        promotion["customer"].is_null() || promotion["customer"].as_str() != customer
    });
    found.first().map(|promotion| text(promotion, "id").to_owned())
}

/// A coupon with its `applies_to`, if it still exists.
fn terms(store: &Store, id: &str) -> Option<Value> {
    let record = store.find(Kind::Coupon, id)?;
    let mut coupon = record.value().into_owned();
    if coupon["deleted"] == true {
        return None;
    }
    coupon["applies_to"] = record.private()["applies_to"].clone();
    Some(coupon)
}

fn has_bought_before(tx: &Tx, customer: &str) -> bool {
    let invoices = tx.of_customer(Kind::Invoice, customer);
    let charges = tx.of_customer(Kind::Charge, customer);
    invoices.iter().any(|invoice| !matches!(text(invoice, "status"), "draft" | "void"))
        || charges.iter().any(|charge| charge["status"] == "succeeded")
}

/// Stores the discounts that a subscription begins with, and tells no one yet.
pub fn store(tx: &mut Tx, discounts: &[Applied], subscription: &Value) {
    for discount in discounts {
        let now = tx.now();
        let value = json!({
            "id": discount.id,
            "object": "discount",
            "checkout_session": discount.checkout_session,
            "customer": subscription["customer"],
            "customer_account": null,
            "end": end(&discount.coupon, now),
            "invoice": null,
            "invoice_item": null,
            "promotion_code": discount.promotion_code,
            "source": { "coupon": discount.coupon["id"], "type": "coupon" },
            "start": now,
            "subscription": subscription["id"],
            "subscription_item": null,
        });
        let terms = json!({ "coupon": discount.coupon });
        tx.put_with(Kind::Discount, &discount.id, value, terms);
    }
}

/// Counts the redemptions of the discounts on a subscription's first invoice, and tells of both.
pub fn announce(tx: &mut Tx, invoice: &Value) {
    for id in invoice["discounts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let Some(discount) = tx.copy(Kind::Discount, id) else {
            continue;
        };
        tx.emit("customer.discount.created", &discount);
        count(tx, Kind::Coupon, text(&discount["source"], "coupon"), "coupon.updated");
        count(tx, Kind::PromotionCode, text(&discount, "promotion_code"), "promotion_code.updated");
    }
}

/// Counts the redemptions of discounts that are used up at once, on a payment without an invoice.
pub fn spend(tx: &mut Tx, discounts: &[Applied]) {
    for discount in discounts {
        count(tx, Kind::Coupon, text(&discount.coupon, "id"), "coupon.updated");
        let code = discount.promotion_code.as_deref().unwrap_or_default();
        count(tx, Kind::PromotionCode, code, "promotion_code.updated");
    }
}

fn count(tx: &mut Tx, kind: Kind, id: &str, event: &str) {
    if let Some(mut value) = tx.copy(kind, id).filter(|value| value["deleted"] != true) {
        value["times_redeemed"] = json!(number(&value, "times_redeemed") + 1);
        tx.update(kind, value, event);
    }
}

/// The discounts that a subscription has now, with the terms that they were given on.
pub fn of_subscription(tx: &Tx, subscription: &Value) -> Vec<Applied> {
    of_subscription_at(tx, subscription, tx.now())
}

/// Those that it will still have at a time that is to come.
pub fn of_subscription_at(tx: &Tx, subscription: &Value, at: i64) -> Vec<Applied> {
    let ids = subscription["discounts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    ids.filter_map(|id| {
        let discount = tx.find(Kind::Discount, id)?;
        if discount["end"].as_i64().is_some_and(|end| end <= at) {
            return None;
        }
        Some(Applied {
            id: id.to_owned(),
            coupon: tx.private(Kind::Discount, id)["coupon"].clone(),
            promotion_code: discount["promotion_code"].as_str().map(str::to_owned),
            checkout_session: discount["checkout_session"].as_str().map(str::to_owned),
        })
    })
    .collect()
}

/// Works a draft out again whose lines have changed.
pub fn put_on_again(tx: &Tx, draft: &mut Value) {
    let discounts = of_subscription_at(tx, draft, number(draft, "created"));
    invoice::add_up(draft);
    put_on_invoice(draft, &discounts);
}

/// Marks a discount as taken away and tells of it. Gives what Stripe answers.
pub fn take_away(tx: &mut Tx, mut discount: Value) -> Value {
    if let Some(fields) = discount.as_object_mut() {
        fields.remove("end");
        fields.insert("deleted".to_owned(), json!(true));
    }
    tx.emit("customer.discount.deleted", &discount);
    discount
}
