//! What a subscription's item was billed for the period that it is in, and what of that a change gives back.
//!
//! In flexible billing mode a credit is the share of what was really debited, less discounts, a credit for each
//! debit, and nothing where nothing was debited: https://docs.stripe.com/billing/subscriptions/prorations. In
//! classic mode it is the share of the item's price and quantity as they are now, less the discounts that were
//! used last: https://docs.stripe.com/billing/subscriptions/billing-mode/compare. There a fixed amount is spread
//! evenly over the items.
//!
//! Not sure: that a debit on a void invoice is none, while one on an invoice that is open or was given up is. Reads
//! only.

use serde_json::{Value, json};

use super::discount::lines::{Taken, is_proration, names};
use super::discount::{Applied, Part, amounts, redeem};
use super::proration::{Proration, cost, share};
use super::{change, invoice, invoice_item, pending_update};
use crate::state::{Kind, Tx, number, text};

/// An amount that was billed for some time of an item.
#[derive(Clone, Debug)]
struct Debit {
    /// Stripe's `credited_items` of what credits it.
    name: Value,
    /// The price and the quantity that were billed.
    price: Value,
    quantity: Value,
    /// The line, and the invoice item that it comes of.
    ids: Vec<String>,
    period: (i64, i64),
    /// Less discounts.
    net: i64,
    discounts: Taken,
}

/// What is given back of an item's period from then on.
pub fn credits(tx: &Tx, subscription: &Value, item: &Value, from: i64) -> Vec<Proration> {
    if is_classic(subscription) {
        return classic(tx, subscription, item, from).into_iter().collect();
    }
    let given = given_back(tx, subscription, item);
    let debits = of_item(tx, subscription, item).into_iter();
    debits.filter_map(|debit| credit(item, &debit, &given, from)).collect()
}

pub fn is_classic(subscription: &Value) -> bool {
    subscription["billing_mode"]["type"] == "classic"
}

/// The share of one debit that is left, less what was given back for that time already.
fn credit(item: &Value, debit: &Debit, given: &[Value], from: i64) -> Option<Proration> {
    let (start, end) = debit.period;
    let of_this: Vec<&Value> = given.iter().filter(|credit| is_of(credit, debit)).collect();
    let returned: i64 = of_this.iter().map(|credit| -number(credit, "net_amount")).sum();
    let amount = share(debit.net, start, end, from) - returned;
    let part = |(id, amount): &(String, i64)| {
        let before =
            of_this.iter().flat_map(|credit| taken(&credit["proration_details"]["discount_amounts"]));
        let before: i64 = before.filter(|(known, _)| known == id).map(|(_, amount)| -amount).sum();
        (id.clone(), before - share(*amount, start, end, from))
    };
    (amount > 0).then(|| Proration {
        item: item_as_billed(item, debit),
        amount: -amount,
        discounts: debit.discounts.iter().map(part).filter(|(_, amount)| *amount != 0).collect(),
        period: (from.max(start), end),
        credited: debit.name.clone(),
    })
}

/// The item with the price and the quantity that were billed.
fn item_as_billed(item: &Value, debit: &Debit) -> Value {
    let mut item = item.clone();
    if !debit.price.is_null() {
        item["price"] = debit.price.clone();
        item["quantity"] = debit.quantity.clone();
    }
    item
}

fn is_of(credit: &Value, debit: &Debit) -> bool {
    let credited = &credit["proration_details"]["credited_items"];
    let lines = names(&credited["invoice_line_item_details"]["invoice_line_items"]);
    let named = credited["invoice_item"].as_str().map(str::to_owned);
    lines.iter().chain(&named).any(|id| debit.ids.contains(id))
}

/// Whether what is on this invoice was ever billed: not if it is void, or waits with a change that may not happen.
fn counts(tx: &Tx, subscription: &Value, id: &str) -> bool {
    let invoice = tx.find(Kind::Invoice, id);
    invoice.is_none_or(|it| it["status"] != "void" && !pending_update::waits_for(subscription, &it))
}

/// The invoice items that have given something back for this item already.
fn given_back(tx: &Tx, subscription: &Value, item: &Value) -> Vec<Value> {
    let mut all = tx.of_customer(Kind::InvoiceItem, text(subscription, "customer"));
    all.retain(|it| {
        it["proration"] == true
            && number(it, "net_amount") < 0
            && it["parent"]["subscription_details"]["subscription_item"] == item["id"]
            && counts(tx, subscription, text(it, "invoice"))
    });
    all
}

/// What was debited for the item's present period, oldest first.
fn of_item(tx: &Tx, subscription: &Value, item: &Value) -> Vec<Debit> {
    let (start, end) = (number(item, "current_period_start"), number(item, "current_period_end"));
    let is_now = |period: &Value| number(period, "start") >= start && number(period, "end") <= end;
    let customer = text(subscription, "customer");
    let mut found = Vec::new();
    for bill in tx.of_customer(Kind::Invoice, customer).iter().rev() {
        if invoice::subscription_of(bill) != text(subscription, "id")
            || !counts(tx, subscription, text(bill, "id"))
        {
            continue;
        }
        let lines = bill["lines"]["data"].as_array().into_iter().flatten();
        let ours = lines.filter(|line| {
            line["parent"]["subscription_item_details"]["subscription_item"] == item["id"]
                && number(line, "amount") > 0
                && is_now(&line["period"])
        });
        found.extend(ours.map(|line| of_line(tx, bill, line)));
    }
    let waiting = invoice_item::pending(tx, customer, text(subscription, "id"));
    let ours = waiting.iter().filter(|it| {
        it["parent"]["subscription_details"]["subscription_item"] == item["id"]
            && number(it, "net_amount") > 0
            && it["proration"] == true
            && is_now(&it["period"])
    });
    found.extend(ours.map(|it| {
        let name = json!({ "invoice_item": it["id"], "type": "invoice_item" });
        of_invoice_item(tx, it, name, vec![text(it, "id").to_owned()])
    }));
    found
}

fn of_line(tx: &Tx, bill: &Value, line: &Value) -> Debit {
    let name = json!({
        "invoice_line_item_details": { "invoice": bill["id"], "invoice_line_items": [line["id"]] },
        "type": "invoice_line_items",
    });
    let mut ids = vec![text(line, "id").to_owned()];
    if is_proration(line) {
        let item = text(&line["parent"]["subscription_item_details"], "invoice_item");
        if let Some(item) = tx.find(Kind::InvoiceItem, item) {
            ids.push(text(&item, "id").to_owned());
            return of_invoice_item(tx, &item, name, ids);
        }
    }
    let discounts = taken(&line["discount_amounts"]);
    let off: i64 = discounts.iter().map(|(_, amount)| amount).sum();
    debit(tx, line, name, ids, (number(line, "amount") - off, discounts))
}

fn of_invoice_item(tx: &Tx, item: &Value, name: Value, ids: Vec<String>) -> Debit {
    let discounts = taken(&item["proration_details"]["discount_amounts"]);
    debit(tx, item, name, ids, (number(item, "net_amount"), discounts))
}

fn debit(tx: &Tx, of: &Value, name: Value, ids: Vec<String>, (net, discounts): (i64, Taken)) -> Debit {
    let price = tx.copy(Kind::Price, text(&of["pricing"]["price_details"], "price")).unwrap_or_default();
    let period = (number(&of["period"], "start"), number(&of["period"], "end"));
    Debit { name, price, quantity: of["quantity"].clone(), ids, period, net, discounts }
}

fn taken(list: &Value) -> Taken {
    let all = list.as_array().into_iter().flatten();
    all.map(|one| (text(one, "discount").to_owned(), number(one, "amount"))).collect()
}

/// The share of what the item costs now, whatever was billed.
fn classic(tx: &Tx, subscription: &Value, item: &Value, from: i64) -> Option<Proration> {
    let (start, end) = (number(item, "current_period_start"), number(item, "current_period_end"));
    let last = of_item(tx, subscription, item).pop();
    let used = last.as_ref().map(|debit| debit.discounts.clone()).unwrap_or_default();
    let used = redeem::of_ids(tx, used.iter().map(|(id, _)| id.as_str()));
    let full = cost(item);
    let (mut net, mut discounts) = (full, Taken::new());
    for discount in used {
        let part = Part { product: text(&item["price"], "product").to_owned(), amount: net };
        let off = amounts(&[evenly(discount.clone(), subscription)], &[part]).iter().flatten().sum::<i64>();
        net -= off;
        discounts.push((discount.id, -share(off, start, end, from)));
    }
    let amount = share(net, start, end, from);
    let credited = last.map_or(Value::Null, |debit| debit.name);
    (amount > 0).then(|| Proration {
        item: item.clone(),
        amount: -amount,
        discounts: discounts.into_iter().filter(|(_, amount)| *amount != 0).collect(),
        period: (from, end),
        credited,
    })
}

/// A fixed amount's part for one of the items.
fn evenly(mut discount: Applied, subscription: &Value) -> Applied {
    let items = i64::try_from(change::items_of(subscription).len()).unwrap_or(1).max(1);
    if let Some(amount) = discount.coupon["amount_off"].as_i64() {
        discount.coupon["amount_off"] = json!(amount / items);
    }
    discount
}
