//! The table of an invoice's lines, and the sums below it. A table that is longer than its page has its head on the
//! next one too.

use serde_json::Value;

use crate::billing::money;
use crate::hosted::layout;
use crate::pdf::{Document, MARGIN, Style, wrap};
use crate::state::{number, text};

/// The right ends of the columns quantity and unit price, from the right margin; the amount's is the margin.
const QUANTITY: f32 = 180.0;
const UNIT: f32 = 90.0;
const SUMS: f32 = 230.0;

/// Every line with its period, quantity, unit price and amount.
pub fn write(page: &mut Document, invoice: &Value) {
    head(page);
    let most = page.right() - QUANTITY - 50.0 - MARGIN;
    for line in invoice["lines"]["data"].as_array().into_iter().flatten() {
        let words = wrap(line["description"].as_str().unwrap_or("—"), most, Style::PLAIN);
        let period = period(&line["period"]);
        let height = Style::PLAIN.line() * (words.len() as f32) + Style::SMALL.line() + 6.0;
        if page.make_room(height) {
            head(page);
        }
        let (right, currency) = (page.right(), text(line, "currency"));
        page.put_right(right - QUANTITY, &quantity(line), Style::PLAIN);
        page.put_right(right - UNIT, &unit_price(line, currency), Style::PLAIN);
        page.put_right(right, &money::format(number(line, "amount"), currency), Style::PLAIN);
        for word in words {
            page.put(MARGIN, &word, Style::PLAIN);
            page.down(Style::PLAIN.line());
        }
        page.put_text(MARGIN, most, &period, Style::SMALL);
        page.down(6.0);
    }
}

fn head(page: &mut Document) {
    let right = page.right();
    page.put(MARGIN, "Description", Style::SOFT);
    page.put_right(right - QUANTITY, "Qty", Style::SOFT);
    page.put_right(right - UNIT, "Unit price", Style::SOFT);
    page.put_right(right, "Amount", Style::SOFT);
    page.down(Style::SOFT.line() + 2.0);
    page.rule(MARGIN, right);
    page.down(6.0);
}

/// A period of no length is a day.
fn period(period: &Value) -> String {
    let (start, end) = (number(period, "start"), number(period, "end"));
    if start == end {
        layout::date(start)
    } else {
        format!("{} – {}", layout::date(start), layout::date(end))
    }
}

fn quantity(line: &Value) -> String {
    line["quantity"].as_i64().map_or_else(String::new, |quantity| quantity.to_string())
}

/// A price with parts of a cent is written with them.
fn unit_price(line: &Value, currency: &str) -> String {
    let quantity = line["quantity"].as_i64().unwrap_or(1);
    let decimal = text(&line["pricing"], "unit_amount_decimal");
    match decimal.parse::<i64>() {
        Ok(amount) => money::format(amount, currency),
        Err(_) if decimal.is_empty() && quantity.abs() <= 1 => {
            money::format(number(line, "amount"), currency)
        }
        Err(_) => decimal.parse::<f64>().map_or_else(|_| String::new(), |cents| parts(cents, currency)),
    }
}

fn parts(amount: f64, currency: &str) -> String {
    let unit = 10_f64.powi(i32::try_from(money::decimals(currency)).unwrap_or_default());
    let written = format!("{:.8}", amount / unit);
    format!("{} {}", currency.to_uppercase(), written.trim_end_matches('0'))
}

/// From the subtotal to what is due.
pub fn write_sums(page: &mut Document, invoice: &Value) {
    let currency = text(invoice, "currency");
    let amount = |field: &str| number(invoice, field);
    let discounts = invoice["total_discount_amounts"].as_array().into_iter().flatten();
    let mut sums = vec![("Subtotal", amount("subtotal"), Style::PLAIN)];
    sums.extend(discounts.map(|taken| ("Discount", -number(taken, "amount"), Style::PLAIN)));
    sums.push(("Total", amount("total"), Style::PLAIN));
    let applied = amount("amount_due") - amount("total");
    if applied != 0 {
        let kept = amount("total") < 0 && amount("amount_due") == 0;
        let word = if kept { "Kept as credit" } else { "Applied balance" };
        sums.push((word, applied, Style::PLAIN));
    }
    if amount("amount_paid") != 0 {
        sums.push(("Amount paid", -amount("amount_paid"), Style::PLAIN));
    }
    let due = if invoice["status"] == "void" { 0 } else { amount("amount_remaining") };
    sums.push(("Amount due", due, Style::BOLD));
    page.make_room(Style::PLAIN.line() * 1.6 * (sums.len() as f32));
    for (name, sum, style) in sums {
        let right = page.right();
        page.rule(right - SUMS, right);
        page.down(5.0);
        page.put(right - SUMS, name, style);
        page.put_right(right, &money::format(sum, currency), style);
        page.down(style.line() + 1.0);
    }
}
