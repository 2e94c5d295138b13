//! The lines of an invoice: a period of a subscription's item. Amounts are in the currency's smallest unit.

use serde_json::{Value, json};

use crate::billing::money;
use crate::billing::subscription::product_name;
use crate::shapes::{self, Shape};
use crate::state::{Tx, ids, number, text};

/// A period of an item, paid in advance; in a trial it costs nothing.
pub fn of_item(tx: &Tx, subscription: &Value, item: &Value, in_trial: bool) -> Value {
    let price = &item["price"];
    let quantity = number(item, "quantity");
    let amount = if in_trial { 0 } else { number(price, "unit_amount") * quantity };
    let unit = if in_trial { json!("0") } else { price["unit_amount_decimal"].clone() };
    shapes::filled(
        Shape::InvoiceLine,
        json!({
            "id": ids::new("il_"),
            "amount": amount,
            "currency": price["currency"],
            "description": description(tx, price, quantity, in_trial),
            "invoice": null,
            "metadata": subscription["metadata"],
            "parent": {
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": false,
                    "proration_details": { "credited_items": null },
                    "subscription": subscription["id"],
                    "subscription_item": item["id"],
                },
                "type": "subscription_item_details",
            },
            "period": { "start": item["current_period_start"], "end": item["current_period_end"] },
            "pricing": {
                "price_details": { "price": price["id"], "product": price["product"] },
                "type": "price_details",
                "unit_amount_decimal": unit,
            },
            "quantity": quantity,
            "quantity_decimal": quantity.to_string(),
            "subscription": subscription["id"],
            "subtotal": amount,
        }),
    )
}

/// The lines of all items, for their present periods.
pub fn of_items(tx: &Tx, subscription: &Value, in_trial: bool) -> Vec<Value> {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    items.map(|item| of_item(tx, subscription, item, in_trial)).collect()
}

fn description(tx: &Tx, price: &Value, quantity: i64, in_trial: bool) -> String {
    let name = product_name(tx, price);
    if in_trial {
        return format!("Trial period for {name}");
    }
    let amount = money::format(number(price, "unit_amount"), text(price, "currency"));
    let recurring = &price["recurring"];
    let per = money::per(text(recurring, "interval"), number(recurring, "interval_count").max(1));
    format!("{quantity} × {name} (at {amount} / {per})")
}
