//! The discount of an open checkout session: kept as the name of what is redeemed, and checked again whenever
//! the buyer goes on, because a coupon may end while a page is open.
//!
//! Not sure: that `discounts` of a session with a promotion code shows no coupon beside it.

use serde_json::{Value, json};

use super::redeem::{Failed, Wanted, resolve};
use super::{Applied, Part, amounts};
use crate::state::{Kind, Tx, number, text};

/// The discounts that a session would begin with now.
pub fn discounts(tx: &Tx, session: &Value) -> Result<Vec<Applied>, Failed> {
    let parts = parts(&tx.private(Kind::CheckoutSession, text(session, "id"))["line_items"]);
    let customer = session["customer"].as_str();
    let named = session["discounts"].as_array().into_iter().flatten().filter_map(wanted);
    named
        .map(|wanted| {
            let applied = resolve(tx, &wanted, customer, text(session, "currency"), &parts)?;
            Ok(Applied { checkout_session: session["id"].as_str().map(str::to_owned), ..applied })
        })
        .collect()
}

/// What a session's lines are due today.
pub fn parts(line_items: &Value) -> Vec<Part> {
    let items = line_items.as_array().into_iter().flatten();
    items
        .map(|item| Part {
            product: text(&item["price"], "product").to_owned(),
            amount: number(item, "amount_subtotal"),
        })
        .collect()
}

/// Writes the discounts into a session and its line items, in place of those that it had.
pub fn put_on_session(session: &mut Value, line_items: &mut Value, discounts: &[Applied]) {
    let taken = amounts(discounts, &parts(line_items));
    for (at, item) in line_items.as_array_mut().into_iter().flatten().enumerate() {
        let off: i64 = taken.iter().map(|of_lines| of_lines[at]).sum();
        item["amount_discount"] = json!(off);
        item["amount_total"] = json!(number(item, "amount_subtotal") - off);
    }
    let off: i64 = taken.iter().flatten().sum();
    session["discounts"] = discounts.iter().map(shown).collect();
    session["total_details"]["amount_discount"] = json!(off);
    session["amount_total"] = json!(number(session, "amount_subtotal") - off);
}

/// The same for a stored session.
pub fn replace(tx: &mut Tx, mut session: Value, discounts: &[Applied]) {
    let id = text(&session, "id").to_owned();
    let mut private = tx.private(Kind::CheckoutSession, &id).clone();
    put_on_session(&mut session, &mut private["line_items"], discounts);
    tx.put_with(Kind::CheckoutSession, &id, session, private);
}

/// Takes away a discount that can no longer be redeemed. Says why, for the buyer.
pub fn lose(tx: &mut Tx, session: Value, failed: &Failed) -> String {
    replace(tx, session, &[]);
    failed.message()
}

fn shown(discount: &Applied) -> Value {
    match &discount.promotion_code {
        Some(code) => json!({ "coupon": null, "promotion_code": code }),
        None => json!({ "coupon": discount.coupon["id"], "promotion_code": null }),
    }
}

fn wanted(shown: &Value) -> Option<Wanted> {
    let code = shown["promotion_code"].as_str().map(|id| Wanted::PromotionCode(id.to_owned()));
    code.or_else(|| shown["coupon"].as_str().map(|id| Wanted::Coupon(id.to_owned())))
}
