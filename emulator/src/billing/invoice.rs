//! Invoices: the first one of a subscription, through its states draft, open and paid, and the record that a
//! payment paid it.

use serde_json::{Value, json};

use super::discount;
use super::money;
use super::subscription::{Draft, Line, product_name};
use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// The first invoice of a subscription, still a draft. It is not stored.
pub fn draft(tx: &Tx, draft: &Draft, subscription: &Value) -> Value {
    let (id, now) = (ids::new("in_"), tx.now());
    let customer = tx.copy(Kind::Customer, &draft.customer).unwrap_or_default();
    let items = subscription["items"]["data"].as_array().cloned().unwrap_or_default();
    let lines: Vec<Value> =
        draft.lines.iter().zip(&items).map(|(sold, item)| line(tx, draft, sold, item, &id)).collect();
    let total = draft.subtotal();
    let mut invoice = shapes::filled(
        Shape::Invoice,
        json!({
            "id": id,
            "amount_due": total,
            "amount_remaining": total,
            "billing_reason": draft.billing_reason,
            "created": now,
            "currency": draft.currency(),
            "customer": draft.customer,
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
            "customer_shipping": customer["shipping"],
            "lines": { "object": "list", "data": lines, "has_more": false, "total_count": draft.lines.len(), "url": format!("/v1/invoices/{id}/lines") },
            "parent": {
                "quote_details": null,
                "subscription_details": { "metadata": draft.metadata, "subscription": subscription["id"] },
                "type": "subscription_details",
            },
            "period_end": now,
            "period_start": now,
            "subtotal": total,
            "subtotal_excluding_tax": total,
            "total": total,
            "total_excluding_tax": total,
            "webhooks_delivered_at": now,
        }),
    );
    discount::put_on_invoice(&mut invoice, &draft.discounts);
    invoice
}

fn line(tx: &Tx, draft: &Draft, sold: &Line, item: &Value, invoice: &str) -> Value {
    let in_trial = draft.trial_end.is_some();
    let amount = if in_trial { 0 } else { sold.amount() };
    let unit = if in_trial { json!("0") } else { sold.price["unit_amount_decimal"].clone() };
    shapes::filled(
        Shape::InvoiceLine,
        json!({
            "id": ids::new("il_"),
            "amount": amount,
            "currency": draft.currency(),
            "description": description(tx, sold, in_trial),
            "invoice": invoice,
            "metadata": draft.metadata,
            "parent": {
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": false,
                    "proration_details": { "credited_items": null },
                    "subscription": item["subscription"],
                    "subscription_item": item["id"],
                },
                "type": "subscription_item_details",
            },
            "period": { "start": item["current_period_start"], "end": item["current_period_end"] },
            "pricing": {
                "price_details": { "price": sold.price["id"], "product": sold.price["product"] },
                "type": "price_details",
                "unit_amount_decimal": unit,
            },
            "quantity": sold.quantity,
            "quantity_decimal": sold.quantity.to_string(),
            "subscription": item["subscription"],
            "subtotal": amount,
        }),
    )
}

fn description(tx: &Tx, sold: &Line, in_trial: bool) -> String {
    let name = product_name(tx, &sold.price);
    if in_trial {
        return format!("Trial period for {name}");
    }
    let price = money::format(number(&sold.price, "unit_amount"), text(&sold.price, "currency"));
    let recurring = &sold.price["recurring"];
    let per = money::per(text(recurring, "interval"), number(recurring, "interval_count").max(1));
    format!("{} × {name} (at {price} / {per})", sold.quantity)
}

/// Gives the draft its number and its page. Counts the customer's invoices up.
pub fn finalize(tx: &mut Tx, invoice: &mut Value) {
    let customer_id = text(invoice, "customer").to_owned();
    if let Some(mut customer) = tx.copy(Kind::Customer, &customer_id) {
        let next = number(&customer, "next_invoice_sequence").max(1);
        invoice["number"] = json!(format!("{}-{next:04}", text(&customer, "invoice_prefix")));
        customer["next_invoice_sequence"] = json!(next + 1);
        tx.put(Kind::Customer, customer);
    }
    let url = format!("{}/i/{}", tx.settings().base_url, text(invoice, "id"));
    invoice["status"] = json!("open");
    invoice["effective_at"] = json!(tx.now());
    invoice["ending_balance"] = json!(0);
    invoice["hosted_invoice_url"] = json!(url);
    invoice["status_transitions"]["finalized_at"] = json!(tx.now());
}

/// Marks an open invoice as paid.
pub fn mark_paid(tx: &Tx, invoice: &mut Value) {
    let total = invoice["total"].clone();
    invoice["status"] = json!("paid");
    invoice["attempted"] = json!(true);
    // An invoice over nothing is paid without an attempt to charge.
    invoice["attempt_count"] = json!(i64::from(number(invoice, "total") > 0));
    invoice["auto_advance"] = json!(false);
    invoice["amount_paid"] = total;
    invoice["amount_remaining"] = json!(0);
    invoice["status_transitions"]["paid_at"] = json!(tx.now());
}

/// The record that ties an invoice to the intent that pays it. It is not stored.
pub fn payment_of(tx: &Tx, invoice: &Value, intent: &str) -> Value {
    let paid = invoice["status"] == "paid";
    json!({
        "id": ids::new("inpay_"),
        "object": "invoice_payment",
        "amount_paid": if paid { invoice["amount_due"].clone() } else { Value::Null },
        "amount_requested": invoice["amount_due"],
        "created": tx.now(),
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": true,
        "livemode": false,
        "payment": { "payment_intent": intent, "type": "payment_intent" },
        "status": if paid { "paid" } else { "open" },
        "status_transitions": { "canceled_at": null, "paid_at": if paid { json!(tx.now()) } else { Value::Null } },
    })
}
