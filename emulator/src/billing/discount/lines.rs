//! What discounts take from the lines of an invoice. Those of a line itself come first, then those of the whole
//! invoice take their part of what is left, as Stripe's page on coupons has it. A proration is discounted when it
//! is made, and brings its amounts along. Pure arithmetic over JSON; stores nothing.

use serde_json::{Value, json};

use super::{Applied, Part, amounts};
use crate::billing::invoice;
use crate::state::{number, text};

/// What each discount takes, by its id, in the currency's smallest unit.
pub type Taken = Vec<(String, i64)>;

/// What is taken from each of several amounts: by those of its own, then by those of all.
pub fn per_line(parts: &[Part], own: &[Vec<Applied>], all: &[Applied]) -> Vec<Taken> {
    let mut left = parts.to_vec();
    let mut taken: Vec<Taken> = vec![Vec::new(); parts.len()];
    for (at, own) in own.iter().enumerate() {
        let of_own = amounts(own, &left[at..=at]);
        for (discount, amount) in own.iter().zip(of_own.iter().flatten()) {
            left[at].amount -= amount;
            taken[at].push((discount.id.clone(), *amount));
        }
    }
    for (discount, of_lines) in all.iter().zip(amounts(all, &left)) {
        for (at, amount) in of_lines.into_iter().enumerate() {
            if discount.covers(&parts[at].product) {
                taken[at].push((discount.id.clone(), amount));
            }
        }
    }
    taken
}

/// Reduces a draft invoice by the discounts of all of it, and by those of `own` that its lines name.
pub fn put_on_invoice(invoice: &mut Value, all: &[Applied], own: &[Applied]) {
    let lines = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
    let parts: Vec<Part> = lines.iter().map(part_of_line).collect();
    let of_line = |line: &Value| -> Vec<Applied> {
        if is_proration(line) {
            return Vec::new();
        }
        names(&line["discounts"])
            .iter()
            .filter_map(|id| own.iter().find(|one| one.id == *id))
            .cloned()
            .collect()
    };
    let owned: Vec<Vec<Applied>> = lines.iter().map(of_line).collect();
    let mut totals: Taken = all.iter().map(|discount| (discount.id.clone(), 0)).collect();
    for ((at, taken), line) in per_line(&parts, &owned, all).into_iter().enumerate().zip(&lines) {
        let amounts = if is_proration(line) { line["discount_amounts"].clone() } else { entries(&taken) };
        for one in amounts.as_array().into_iter().flatten() {
            let (id, amount) = (text(one, "discount"), number(one, "amount"));
            match totals.iter_mut().find(|(known, _)| known == id) {
                Some((_, total)) => *total += amount,
                None => totals.push((id.to_owned(), amount)),
            }
        }
        invoice["lines"]["data"][at]["discount_amounts"] = amounts;
    }
    invoice["total_discount_amounts"] = entries(&totals);
    invoice["discounts"] = all.iter().map(|discount| json!(discount.id)).collect();
    invoice::add_up(invoice);
}

/// As Stripe writes amounts that are taken.
pub fn entries(taken: &Taken) -> Value {
    taken.iter().map(|(id, amount)| json!({ "amount": amount, "discount": id })).collect()
}

/// The ids in a list of discounts.
pub fn names(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

pub fn is_proration(line: &Value) -> bool {
    let of = |details: &str| line["parent"][details]["proration"] == true;
    of("subscription_item_details") || of("invoice_item_details")
}

/// A line that says `discountable: false` is left alone.
fn part_of_line(line: &Value) -> Part {
    let amount = if line["discountable"] == false { 0 } else { number(line, "amount") };
    Part { product: text(&line["pricing"]["price_details"], "product").to_owned(), amount }
}

/// The discounts that an invoice is reduced by. One that is hidden in a proration of time to come counts as well.
fn used(invoice: &Value) -> Vec<String> {
    let totals = invoice["total_discount_amounts"].as_array().into_iter().flatten();
    let mut used: Vec<String> =
        totals.filter(|one| number(one, "amount") > 0).map(|one| text(one, "discount").to_owned()).collect();
    let lines = invoice["lines"]["data"].as_array().into_iter().flatten();
    for line in lines.filter(|line| is_proration(line) && number(line, "amount") > 0) {
        used.extend(names(&line["discounts"]));
    }
    used
}

/// What a subscription and its items still have after this invoice: what is over is gone, and so is what is good for
/// one invoice and has reduced this one. `known` are those that are not over.
pub fn use_up(subscription: &mut Value, known: &[Applied], invoice: &Value) {
    let used = used(invoice);
    let left = |list: &Value| -> Value {
        let goes_on = |id: &&String| {
            let found = known.iter().find(|one| one.id == **id);
            found.is_some_and(|one| one.coupon["duration"] != "once" || !used.contains(id))
        };
        names(list).iter().filter(goes_on).map(|id| json!(id)).collect()
    };
    subscription["discounts"] = left(&subscription["discounts"]);
    for item in subscription["items"]["data"].as_array_mut().into_iter().flatten() {
        item["discounts"] = left(&item["discounts"]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Applied;
    use super::{put_on_invoice, use_up};

    fn applied(id: &str, coupon: Value) -> Applied {
        Applied { id: id.to_owned(), coupon, promotion_code: None, checkout_session: None }
    }

    fn line(product: &str, amount: i64) -> Value {
        json!({"amount": amount, "discounts": [], "pricing": {"price_details": {"product": product}}})
    }

    fn invoice(lines: &[Value]) -> Value {
        json!({ "lines": { "data": lines } })
    }

    #[test]
    fn an_invoice_says_what_was_taken_where() {
        let mut invoice = invoice(&[line("a", 1000), line("b", 500)]);
        let coupon = json!({"percent_off": 10, "duration": "once", "applies_to": {"products": ["a"]}});
        let discounts = [applied("di_1", coupon)];
        put_on_invoice(&mut invoice, &discounts, &[]);
        assert_eq!((&invoice["subtotal"], &invoice["total"]), (&json!(1500), &json!(1400)));
        assert_eq!(invoice["amount_due"], 1400);
        assert_eq!(invoice["total_discount_amounts"], json!([{"amount": 100, "discount": "di_1"}]));
        let lines = &invoice["lines"]["data"];
        assert_eq!(lines[0]["discount_amounts"], json!([{"amount": 100, "discount": "di_1"}]));
        assert_eq!(lines[1]["discount_amounts"], json!([]));
        let mut subscription = json!({"discounts": ["di_1"], "items": {"data": []}});
        use_up(&mut subscription, &discounts, &invoice);
        assert_eq!(subscription["discounts"], json!([]));
    }

    #[test]
    fn a_discount_of_a_line_comes_before_that_of_the_invoice() {
        let mut own = line("a", 1000);
        own["discounts"] = json!(["di_1"]);
        let mut invoice = invoice(&[own, line("b", 500)]);
        let first = applied("di_1", json!({"amount_off": 200, "duration": "once"}));
        let all = applied("di_2", json!({"percent_off": 50, "duration": "forever"}));
        put_on_invoice(&mut invoice, std::slice::from_ref(&all), std::slice::from_ref(&first));
        let taken = json!([{"amount": 650, "discount": "di_2"}, {"amount": 200, "discount": "di_1"}]);
        assert_eq!((&invoice["total_discount_amounts"], &invoice["total"]), (&taken, &json!(650)));
    }

    #[test]
    fn what_reduced_nothing_is_not_used_up() {
        let mut invoice = invoice(&[line("a", 0)]);
        let once = [applied("di_1", json!({"percent_off": 10, "duration": "once"}))];
        put_on_invoice(&mut invoice, &once, &[]);
        let mut subscription = json!({"discounts": ["di_1", "di_over"], "items": {"data": []}});
        use_up(&mut subscription, &once, &invoice);
        assert_eq!(subscription["discounts"], json!(["di_1"]));
    }
}
