//! `discounts` of an invoice, while it is a draft. One of a subscription has the subscription's, unless the request
//! says others, or an empty text for none.

use serde_json::Value;

use super::discounts::{self, Sale};
use crate::billing::discount::lines::{names, put_on_invoice};
use crate::billing::discount::redeem::{self, Owner};
use crate::billing::discount::{Applied, Part};
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Tx, number, text};

/// Those of a new draft. Gives the ids of those that are redeemed with it.
pub fn read_new(
    tx: &mut Tx,
    params: &mut Params,
    draft: &mut Value,
    subscription: &Value,
) -> Result<Vec<String>, ApiError> {
    let known = names(&subscription["discounts"]);
    let discounts = match read(tx, params, draft, &known)? {
        Some(discounts) => discounts,
        None => redeem::of_subscription(tx, subscription),
    };
    Ok(put_on(tx, draft, &discounts, &known))
}

/// Others in place of those of a draft that is there. Gives the ids of those that are redeemed with it.
pub fn read_change(tx: &mut Tx, params: &mut Params, draft: &mut Value) -> Result<Vec<String>, ApiError> {
    let known = names(&draft["discounts"]);
    if !params.has("discounts") {
        return Ok(Vec::new());
    }
    let discounts = read(tx, params, draft, &known)?.unwrap_or_default();
    Ok(put_on(tx, draft, &discounts, &known))
}

fn read(
    tx: &Tx,
    params: &mut Params,
    draft: &Value,
    known: &[String],
) -> Result<Option<Vec<Applied>>, ApiError> {
    let lines = draft["lines"]["data"].as_array().into_iter().flatten();
    let part = |line: &Value| Part {
        product: text(&line["pricing"]["price_details"], "product").to_owned(),
        amount: number(line, "amount"),
    };
    let mut parts: Vec<Part> = lines.map(part).collect();
    if parts.is_empty() {
        // What is put on it later is not known yet.
        parts.push(Part { product: String::new(), amount: 0 });
    }
    let sale = Sale {
        customer: draft["customer"].as_str(),
        currency: text(draft, "currency"),
        parts: &parts,
        most: 20,
        known,
    };
    discounts::read_change(tx, params, &sale)
}

fn put_on(tx: &mut Tx, draft: &mut Value, discounts: &[Applied], known: &[String]) -> Vec<String> {
    let (customer, id) = (text(draft, "customer").to_owned(), text(draft, "id").to_owned());
    let owner = Owner { customer: &customer, invoice: Some(&id), ..Owner::default() };
    redeem::store(tx, discounts, owner);
    let own = redeem::of_lines(tx, draft, number(draft, "created"));
    put_on_invoice(draft, discounts, &own);
    let new = discounts.iter().filter(|discount| !known.contains(&discount.id));
    new.map(|discount| discount.id.clone()).collect()
}
