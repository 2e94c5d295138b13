//! The lines of a draft as they come, change and go. A line comes of an invoice item, or of a period of a
//! subscription; the item and its line say the same. Works the draft out again and tells of it as `invoice.updated`.

use serde_json::{Value, json};

use super::discount::redeem;
use super::invoice_item;
use crate::state::{Kind, Tx, number, text};

/// What a line and its item have in common.
const COMMON: &[&str] = &[
    "amount",
    "description",
    "discountable",
    "metadata",
    "period",
    "pricing",
    "quantity",
    "quantity_decimal",
];

/// Puts an item on a draft, as its last line. Stores neither.
pub fn put_on(draft: &mut Value, item: &mut Value) {
    item["invoice"] = draft["id"].clone();
    let mut line = invoice_item::line(item);
    line["invoice"] = draft["id"].clone();
    if let Some(lines) = draft["lines"]["data"].as_array_mut() {
        lines.push(line);
    }
}

/// A copy of the line with this id.
pub fn find(draft: &Value, line: &str) -> Option<Value> {
    let mut lines = draft["lines"]["data"].as_array().into_iter().flatten();
    lines.find(|one| one["id"] == *line).cloned()
}

/// What can be changed of a line: its item, or for a period of a subscription the line itself.
pub fn subject(tx: &Tx, line: &Value) -> Value {
    tx.copy(Kind::InvoiceItem, invoice_item::id_of_line(line)).unwrap_or_else(|| line.clone())
}

/// Writes into the draft what a changed subject says. Stores the item, and not the draft.
pub fn change(tx: &mut Tx, draft: &mut Value, subject: Value) {
    for line in draft["lines"]["data"].as_array_mut().into_iter().flatten() {
        if line["id"] == subject["id"] || invoice_item::id_of_line(line) == text(&subject, "id") {
            for field in COMMON {
                line[*field] = subject[*field].clone();
            }
            line["subtotal"] = subject["amount"].clone();
        }
    }
    if subject["object"] == "invoiceitem" {
        tx.put(Kind::InvoiceItem, subject);
    }
}

/// Takes a line off the draft; its item waits again, or is deleted and told of. Does not store the draft.
pub fn take_off(tx: &mut Tx, draft: &mut Value, line: &Value, waits_again: bool) {
    if let Some(lines) = draft["lines"]["data"].as_array_mut() {
        lines.retain(|one| one["id"] != line["id"]);
    }
    let Some(mut item) = tx.copy(Kind::InvoiceItem, invoice_item::id_of_line(line)) else {
        return;
    };
    if waits_again {
        item["invoice"] = Value::Null;
        tx.put(Kind::InvoiceItem, item);
    } else {
        tx.remove(Kind::InvoiceItem, text(&item, "id"));
        tx.emit("invoiceitem.deleted", &item);
    }
}

/// Stores a draft whose lines have changed, with its sums. Gives it.
pub fn store(tx: &mut Tx, mut draft: Value) -> Value {
    let count = draft["lines"]["data"].as_array().map_or(0, Vec::len);
    draft["lines"]["total_count"] = json!(count);
    redeem::put_on_again(tx, &mut draft);
    tx.update(Kind::Invoice, draft.clone(), "invoice.updated");
    draft
}

/// The draft is deleted: what was on it waits again.
pub fn release(tx: &mut Tx, draft: &Value) {
    for line in draft["lines"]["data"].as_array().into_iter().flatten() {
        if let Some(mut item) = tx.copy(Kind::InvoiceItem, invoice_item::id_of_line(line)) {
            item["invoice"] = Value::Null;
            tx.put(Kind::InvoiceItem, item);
        }
    }
}

/// `unit`, in decimals of the smallest unit, so many times, rounded half away from nothing. `None` if it is no
/// decimal, has more than twelve places, or is too much.
pub fn times(unit: &str, quantity: i64) -> Option<i64> {
    let (sign, digits) = unit.strip_prefix('-').map_or((1, unit), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = !whole.is_empty() && format!("{whole}{part}").bytes().all(|byte| byte.is_ascii_digit());
    if !is_number || part.len() > 12 || whole.len() > 12 {
        return None;
    }
    let scaled: i128 = format!("{whole}{part:0<12}").parse().ok()?;
    let product = scaled * i128::from(quantity);
    let rounded = (2 * product + 1_000_000_000_000) / 2_000_000_000_000;
    i64::try_from(rounded * sign).ok()
}

/// What one unit of an item or a line costs, in decimals.
pub fn unit(of: &Value) -> Option<String> {
    let known = of["pricing"]["unit_amount_decimal"].as_str().map(str::to_owned);
    known.or_else(|| (number(of, "quantity") == 1).then(|| number(of, "amount").to_string()))
}

#[cfg(test)]
mod tests {
    use super::times;

    #[test]
    fn decimals_are_multiplied_exactly_and_rounded_half_away_from_nothing() {
        assert_eq!(times("33.333333333333", 3), Some(100));
        assert_eq!((times("0.5", 1), times("-0.5", 1), times("0.4999", 1)), (Some(1), Some(-1), Some(0)));
        assert_eq!((times("1200", 2), times("1200", 0)), (Some(2400), Some(0)));
        assert_eq!((times("1.0000000000001", 1), times("x", 1), times("", 1)), (None, None, None));
    }
}
