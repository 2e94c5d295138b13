//! The lines of an invoice: a period of a subscription's item. Amounts are in the currency's smallest unit.

use serde_json::{Value, json};

use crate::billing::proration::{cost, share};
use crate::billing::subscription::product_name;
use crate::billing::{charges, invoice_item, money, period};
use crate::shapes::{self, Shape};
use crate::state::{Tx, ids, number, text};

/// A period of an item, paid in advance; in a trial it costs nothing. One that is shorter than the price is for, as
/// until a first anchor, costs its share. Whether Stripe calls that a proration is not known; here it is none.
pub fn of_item(tx: &Tx, subscription: &Value, item: &Value, in_trial: bool) -> Value {
    let (price, quantity) = (&item["price"], number(item, "quantity"));
    let (start, end) = charges::full_period(item, number(subscription, "billing_cycle_anchor"));
    let amount =
        if in_trial { 0 } else { share(cost(item), start, end, number(item, "current_period_start")) };
    let unit = if in_trial { json!("0") } else { price["unit_amount_decimal"].clone() };
    shapes::filled(
        Shape::InvoiceLine,
        json!({
            "id": ids::new("il_"),
            "amount": amount,
            "currency": price["currency"],
            "description": description(tx, price, quantity, in_trial),
            "discounts": item["discounts"],
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

/// The time of an item between a start in the past and now, in whole periods and a share. It is not stored.
pub fn of_the_past(tx: &Tx, subscription: &Value, item: &Value, since: i64) -> Value {
    let recurring = &item["price"]["recurring"];
    let (interval, count) = (text(recurring, "interval"), number(recurring, "interval_count"));
    let anchor = number(subscription, "billing_cycle_anchor");
    let now = number(item, "current_period_start");
    let (mut until, mut amount) = (now, 0);
    while until > since {
        let end = period::next(anchor, interval, count, until - 1);
        let start = period::before(anchor, interval, count, end);
        let whole = |from: i64| share(cost(item), start, end, from);
        amount += whole(since.max(start)) - whole(until);
        until = start;
    }
    let mut line = of_item(tx, subscription, item, true);
    line["amount"] = json!(amount);
    line["subtotal"] = json!(amount);
    line["description"] = json!(format!("Time on {} before today", product_name(tx, &item["price"])));
    line["period"] = json!({ "start": since, "end": now });
    line["pricing"] = invoice_item::pricing(&item["price"], amount, number(item, "quantity"));
    line
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
