//! Redeeming a coupon or promotion code into a discount, and taking a discount away again.
//!
//! Not sure how Stripe tells of it: here `customer.discount.created` comes right before the subscription's own
//! event, and `coupon.updated` and `promotion_code.updated` tell of the count.

use serde_json::{Value, json};

use super::lines::{names, put_on_invoice};
use super::validity::{Purchase, Refusal, check_coupon, check_promotion};
use super::{Applied, Part, end};
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

/// The same where it was found to be in order before: only what does not exist any more gives nothing.
pub fn grant(tx: &Tx, wanted: &Wanted) -> Option<Applied> {
    let (coupon, promotion_code) = match wanted {
        Wanted::Coupon(id) => (terms(tx.store(), id)?, None),
        Wanted::PromotionCode(id) => {
            let promotion = tx.copy(Kind::PromotionCode, id)?;
            (terms(tx.store(), text(&promotion["promotion"], "coupon"))?, Some(id.clone()))
        }
    };
    Some(Applied { id: ids::new("di_"), coupon, promotion_code, checkout_session: None })
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

/// What a discount is on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'o> {
    pub customer: &'o str,
    pub subscription: Option<&'o str>,
    pub item: Option<&'o str>,
    pub invoice: Option<&'o str>,
    pub invoice_item: Option<&'o str>,
}

/// Stores discounts that are not stored yet, and tells no one.
pub fn store(tx: &mut Tx, discounts: &[Applied], owner: Owner) {
    for discount in discounts {
        if tx.find(Kind::Discount, &discount.id).is_some() {
            continue;
        }
        let now = tx.now();
        let value = json!({
            "id": discount.id,
            "object": "discount",
            "checkout_session": discount.checkout_session,
            "customer": owner.customer,
            "customer_account": null,
            "end": end(&discount.coupon, now),
            "invoice": owner.invoice,
            "invoice_item": owner.invoice_item,
            "promotion_code": discount.promotion_code,
            "source": { "coupon": discount.coupon["id"], "type": "coupon" },
            "start": now,
            "subscription": owner.subscription,
            "subscription_item": owner.item,
        });
        let terms = json!({ "coupon": discount.coupon });
        tx.put_with(Kind::Discount, &discount.id, value, terms);
    }
}

/// Counts the redemptions of new discounts, and tells of both.
pub fn announce(tx: &mut Tx, ids: &[String]) {
    for id in ids {
        let Some(discount) = tx.copy(Kind::Discount, id) else {
            continue;
        };
        tx.emit("customer.discount.created", &discount);
        count(tx, Kind::Coupon, text(&discount["source"], "coupon"), "coupon.updated");
        count(tx, Kind::PromotionCode, text(&discount, "promotion_code"), "promotion_code.updated");
    }
}

/// The ids of the discounts of a subscription and of its items.
pub fn all_ids(subscription: &Value) -> Vec<String> {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    items.fold(names(&subscription["discounts"]), |mut all, item| {
        all.extend(names(&item["discounts"]));
        all
    })
}

/// A subscription's discounts are others than before: what is new is counted and told of, and so is what is gone.
/// Items have their ids by now, and their discounts are theirs.
pub fn follow(tx: &mut Tx, before: &Value, after: &Value) {
    let (old, new) = (all_ids(before), all_ids(after));
    for item in after["items"]["data"].as_array().into_iter().flatten() {
        for id in names(&item["discounts"]) {
            if let Some(mut discount) = tx.copy(Kind::Discount, &id) {
                discount["subscription_item"] = item["id"].clone();
                tx.put(Kind::Discount, discount);
            }
        }
    }
    for id in old.iter().filter(|id| !new.contains(id)) {
        if let Some(discount) = tx.copy(Kind::Discount, id) {
            take_away(tx, discount);
        }
    }
    let added: Vec<String> = new.into_iter().filter(|id| !old.contains(id)).collect();
    announce(tx, &added);
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
    in_force(tx, &names(&subscription["discounts"]), at)
}

/// Those of one item, then.
pub fn of_item(tx: &Tx, item: &Value, at: i64) -> Vec<Applied> {
    in_force(tx, &names(&item["discounts"]), at)
}

/// Those of a subscription and of all its items, then.
pub fn of_all(tx: &Tx, subscription: &Value, at: i64) -> Vec<Applied> {
    in_force(tx, &all_ids(subscription), at)
}

/// Those that an invoice's lines name.
pub fn of_lines(tx: &Tx, invoice: &Value, at: i64) -> Vec<Applied> {
    let lines = invoice["lines"]["data"].as_array().into_iter().flatten();
    let ids: Vec<String> = lines.flat_map(|line| names(&line["discounts"])).collect();
    in_force(tx, &ids, at)
}

fn in_force(tx: &Tx, ids: &[String], at: i64) -> Vec<Applied> {
    let is_over = |id: &str| {
        let discount = tx.find(Kind::Discount, id);
        discount.is_none_or(|it| it["end"].as_i64().is_some_and(|end| end <= at))
    };
    of_ids(tx, ids.iter().map(String::as_str).filter(|id| !is_over(id)))
}

/// Those of these ids, whether they are over or not.
pub fn of_ids<'i>(tx: &Tx, ids: impl Iterator<Item = &'i str>) -> Vec<Applied> {
    ids.filter_map(|id| {
        let discount = tx.find(Kind::Discount, id)?;
        Some(Applied {
            id: id.to_owned(),
            coupon: tx.private(Kind::Discount, id)["coupon"].clone(),
            promotion_code: discount["promotion_code"].as_str().map(str::to_owned),
            checkout_session: discount["checkout_session"].as_str().map(str::to_owned),
        })
    })
    .collect()
}

/// Puts on a draft the discounts that its subscription has then, and those that its lines name.
pub fn put_on(tx: &Tx, draft: &mut Value, subscription: &Value, at: i64) {
    let own = of_lines(tx, draft, at);
    put_on_invoice(draft, &of_subscription_at(tx, subscription, at), &own);
}

/// Works a draft out again whose lines have changed.
pub fn put_on_again(tx: &Tx, draft: &mut Value) {
    let all = names(&draft["discounts"]);
    let all = of_ids(tx, all.iter().map(String::as_str));
    let own = of_lines(tx, draft, number(draft, "created"));
    put_on_invoice(draft, &all, &own);
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
