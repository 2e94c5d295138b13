//! Invoice items: amounts that wait for an invoice. A change in the middle of a period leaves them, and so may
//! anybody through the API.

use serde_json::{Value, json};

use super::discount::redeem;
use super::proration::Proration;
use super::subscription::{Line, has_ended, product_name};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// The item that a proration leaves. It is not stored.
pub fn of_proration(tx: &Tx, subscription: &Value, proration: &Proration) -> Value {
    let item = &proration.item;
    let price = &item["price"];
    let quantity = number(item, "quantity");
    let name = product_name(tx, price);
    let what = if quantity == 1 { name } else { format!("{quantity} × {name}") };
    let kind = if proration.is_credit() { "Unused time on" } else { "Remaining time on" };
    json!({
        "id": ids::new("ii_"),
        "object": "invoiceitem",
        "amount": proration.amount,
        "currency": price["currency"],
        "customer": subscription["customer"],
        "customer_account": null,
        "date": tx.now(),
        "description": format!("{kind} {what} after {}", day(proration.period.0)),
        "discountable": false,
        "discounts": [],
        "invoice": null,
        "livemode": false,
        "metadata": {},
        "net_amount": proration.amount,
        "parent": {
            "subscription_details": { "subscription": subscription["id"], "subscription_item": item["id"] },
            "type": "subscription_details",
        },
        "period": { "start": proration.period.0, "end": proration.period.1 },
        "pricing": pricing(price, proration.amount, quantity),
        "proration": true,
        "proration_details": { "credited_items": null, "discount_amounts": [] },
        "quantity": quantity,
        "quantity_decimal": quantity.to_string(),
        "tax_rates": [],
        "test_clock": subscription["test_clock"],
    })
}

/// The item for something that is sold once. It is not stored.
pub fn of_line(tx: &Tx, customer: &str, line: &Line) -> Value {
    let (now, amount) = (tx.now(), line.amount());
    let clock = tx.find(Kind::Customer, customer).map(|customer| customer["test_clock"].clone());
    json!({
        "id": ids::new("ii_"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": line.price["currency"],
        "customer": customer,
        "customer_account": null,
        "date": now,
        "description": product_name(tx, &line.price),
        "discountable": true,
        "discounts": [],
        "invoice": null,
        "livemode": false,
        "metadata": {},
        "net_amount": amount,
        "parent": null,
        "period": { "start": now, "end": now },
        "pricing": pricing(&line.price, amount, line.quantity),
        "proration": false,
        "quantity": line.quantity,
        "quantity_decimal": line.quantity.to_string(),
        "tax_rates": [],
        "test_clock": clock,
    })
}

/// What one unit of an item costs, as part of `amount`.
pub fn pricing(price: &Value, amount: i64, quantity: i64) -> Value {
    json!({
        "price_details": { "price": price["id"], "product": price["product"] },
        "type": "price_details",
        "unit_amount_decimal": per_unit(amount, quantity),
    })
}

/// With at most twelve decimals, as Stripe has them.
fn per_unit(amount: i64, quantity: i64) -> String {
    let quantity = quantity.max(1);
    if amount % quantity == 0 {
        return (amount / quantity).to_string();
    }
    let sign = if amount < 0 { "-" } else { "" };
    let scaled = i128::from(amount.abs()) * 1_000_000_000_000 / i128::from(quantity);
    let (whole, part) = (scaled / 1_000_000_000_000, scaled % 1_000_000_000_000);
    format!("{sign}{whole}.{part:012}").trim_end_matches('0').to_owned()
}

/// The line that an item makes on its invoice.
pub fn line(item: &Value) -> Value {
    let subscription = &item["parent"]["subscription_details"];
    shapes::filled(
        Shape::InvoiceLine,
        json!({
            "id": ids::new("il_"),
            "amount": item["amount"],
            "currency": item["currency"],
            "description": item["description"],
            "discountable": item["discountable"],
            "invoice": null,
            "metadata": item["metadata"],
            "parent": parent(item, subscription),
            "period": item["period"],
            "pricing": item["pricing"],
            "quantity": item["quantity"],
            "quantity_decimal": item["quantity_decimal"],
            "subscription": subscription["subscription"],
            "subtotal": item["amount"],
        }),
    )
}

fn parent(item: &Value, subscription: &Value) -> Value {
    if subscription["subscription_item"].is_string() {
        return json!({
            "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": item["id"],
                "proration": item["proration"],
                "proration_details": { "credited_items": null },
                "subscription": subscription["subscription"],
                "subscription_item": subscription["subscription_item"],
            },
            "type": "subscription_item_details",
        });
    }
    json!({
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "proration_details": { "credited_items": null },
            "subscription": subscription["subscription"],
        },
        "subscription_item_details": null,
        "type": "invoice_item_details",
    })
}

/// Those that the subscription's next invoice takes along, oldest first: its own, and those of its customer that
/// belong to no subscription, or to one that has ended. Those in another currency wait for an invoice in theirs.
pub fn pending(tx: &Tx, customer: &str, subscription: &str) -> Vec<Value> {
    let mut all = tx.of_customer(Kind::InvoiceItem, customer);
    let currency = tx.find(Kind::Subscription, subscription).map(|it| it["currency"].clone());
    all.retain(|item| currency.as_ref().is_none_or(|currency| item["currency"] == *currency));
    all.retain(|item| {
        let of = text(&item["parent"]["subscription_details"], "subscription");
        let is_of_the_past = || {
            let of = tx.find(Kind::Subscription, of);
            of.is_some_and(|of| has_ended(&of))
        };
        item["invoice"].is_null() && (of.is_empty() || of == subscription || is_of_the_past())
    });
    all.reverse();
    all
}

/// Stores that the items are on the invoice now, and gives them as they are then.
pub fn bill(tx: &mut Tx, mut items: Vec<Value>, invoice: &Value) -> Vec<Value> {
    for item in &mut items {
        item["invoice"] = invoice["id"].clone();
        tx.put(Kind::InvoiceItem, item.clone());
    }
    items
}

/// Stores a new item and tells of it.
pub fn add(tx: &mut Tx, item: Value) {
    tx.create(Kind::InvoiceItem, item, "invoiceitem.created");
}

/// Takes an item off a draft, or out of what waits.
pub fn remove(tx: &mut Tx, item: &Value) {
    let id = text(item, "id").to_owned();
    if let Some(mut draft) = tx.copy(Kind::Invoice, text(item, "invoice")) {
        if let Some(lines) = draft["lines"]["data"].as_array_mut() {
            lines.retain(|line| id_of_line(line) != id);
            let count = lines.len();
            draft["lines"]["total_count"] = json!(count);
        }
        redeem::put_on_again(tx, &mut draft);
        tx.update(Kind::Invoice, draft, "invoice.updated");
    }
    tx.remove(Kind::InvoiceItem, &id);
    tx.emit("invoiceitem.deleted", item);
}

/// The invoice item that a line comes of; "" if it comes of none.
pub fn id_of_line(line: &Value) -> &str {
    let parent = &line["parent"];
    let of = |details: &str| parent[details]["invoice_item"].as_str();
    of("invoice_item_details").or_else(|| of("subscription_item_details")).unwrap_or_default()
}

/// `05 Jan 2030`, as Stripe's descriptions have it.
fn day(at: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(at)
        .map(|at| format!("{:02} {:.3} {}", at.day(), at.month().to_string(), at.year()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::per_unit;

    #[test]
    fn a_unit_costs_its_part_in_decimals() {
        assert_eq!(per_unit(-500, 1), "-500");
        assert_eq!(per_unit(100, 3), "33.333333333333");
        assert_eq!(per_unit(-25, 2), "-12.5");
    }
}
