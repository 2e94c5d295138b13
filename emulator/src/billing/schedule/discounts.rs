//! The discounts of a phase and of its items: named by coupon or promotion code until the phase begins, and by the
//! discounts that the subscription then has. A phase that names none has none, which is how we read Stripe's
//! documents. A coupon that was redeemed in the present phase is not redeemed in it again.

use serde_json::{Value, json};

use crate::billing::discount::Applied;
use crate::billing::discount::lines::names;
use crate::billing::discount::redeem::{self, Owner, Wanted};
use crate::state::{Kind, Tx, number, text};

/// What stands in a phase for the discounts that a subscription has.
pub fn shown(ids: &Value) -> Value {
    let ids = names(ids).into_iter();
    ids.map(|id| json!({ "coupon": null, "discount": id, "promotion_code": null })).collect()
}

fn wanted(one: &Value) -> Option<Wanted> {
    let code = one["promotion_code"].as_str().map(|id| Wanted::PromotionCode(id.to_owned()));
    code.or_else(|| one["coupon"].as_str().map(|id| Wanted::Coupon(id.to_owned())))
}

/// What a subscription begins with. Coupons that are gone by now give nothing.
pub fn granted(tx: &Tx, list: &Value) -> Vec<Applied> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(|one| redeem::grant(tx, &wanted(one)?)).collect()
}

/// The ids of what a subscription or one of its items has in a phase: those of `has` that the phase goes on with, and
/// new ones, which are stored.
pub fn take_on(tx: &mut Tx, subscription: &Value, has: &Value, list: &Value, since: i64) -> Value {
    let has = names(has);
    let customer = text(subscription, "customer").to_owned();
    let mut ids = Vec::new();
    for one in list.as_array().into_iter().flatten() {
        if let Some(id) = one["discount"].as_str() {
            ids.extend(has.contains(&id.to_owned()).then(|| id.to_owned()));
            continue;
        }
        let known = tx.of_customer(Kind::Discount, &customer);
        let mut known = known.iter().filter(|it| {
            it["subscription"] == subscription["id"]
                && (it["source"]["coupon"] == one["coupon"] || !one["promotion_code"].is_null())
                && it["promotion_code"] == one["promotion_code"]
        });
        let now = known.clone().find(|it| has.iter().any(|id| it["id"] == **id));
        if let Some(now) = now {
            ids.push(text(now, "id").to_owned());
        } else if !known.any(|it| number(it, "start") >= since)
            && let Some(new) = wanted(one).and_then(|wanted| redeem::grant(tx, &wanted))
        {
            let owner =
                Owner { customer: &customer, subscription: subscription["id"].as_str(), ..Owner::default() };
            redeem::store(tx, std::slice::from_ref(&new), owner);
            ids.push(new.id);
        }
    }
    json!(ids)
}
