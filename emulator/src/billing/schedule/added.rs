//! What a phase sells once: on the first invoice of the subscription that it makes, or with the next one of a
//! subscription that is there. Coupons are redeemed when the phase begins.

use serde_json::{Value, json};

use super::discounts;
use crate::billing::discount::Applied;
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::invoice_item;
use crate::billing::subscription::{ids_of, period_ends};
use crate::state::{Kind, Tx, number, text};

/// The items of a phase, and the discounts that they name. Neither is stored.
pub fn items(tx: &Tx, customer: &str, phase: &Value, period: (i64, i64)) -> (Vec<Value>, Vec<Applied>) {
    let (mut items, mut named) = (Vec::new(), Vec::new());
    for one in phase["add_invoice_items"].as_array().into_iter().flatten() {
        let Some(price) = tx.copy(Kind::Price, text(one, "price")) else {
            continue;
        };
        let granted = discounts::granted(tx, &one["discounts"]);
        let mut item = invoice_item::sold_once(tx, customer, &price, number(one, "quantity"), period);
        item["discountable"] = json!(one["discountable"] != false);
        item["discounts"] = ids_of(&granted);
        item["metadata"] = one["metadata"].clone();
        items.push(item);
        named.extend(granted);
    }
    (items, named)
}

/// Lets those of a phase that begins wait for the subscription's next invoice.
pub fn wait(tx: &mut Tx, subscription: &Value, phase: &Value) {
    let customer = text(subscription, "customer");
    let period = (tx.now(), period_ends(subscription).0.max(tx.now()));
    let (items, named) = items(tx, customer, phase, period);
    redeem::store(tx, &named, Owner { customer, ..Owner::default() });
    for mut item in items {
        item["parent"] = invoice_item::parent_of(subscription);
        invoice_item::add(tx, item);
    }
    let ids: Vec<String> = named.into_iter().map(|discount| discount.id).collect();
    redeem::announce(tx, &ids);
}
