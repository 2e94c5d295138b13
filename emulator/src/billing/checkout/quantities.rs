//! How many of a thing a buyer wants, where the session lets them say: changes the lines of an open session, and its
//! sums and discounts with them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{closed, is_payment, line_items};
use crate::billing::discount::session as discounts;
use crate::billing::least_charge;
use crate::error::{ApiError, Place};
use crate::state::{Kind, Tx, number, text};

/// Changes how many are wanted, by the line's id. Gives why it is not possible, if it is not; then nothing changes.
pub fn change(tx: &mut Tx, id: &str, wanted: &BTreeMap<String, i64>) -> Result<Option<String>, ApiError> {
    let mut session = tx.require(Kind::CheckoutSession, id, Place::Path)?;
    if closed(&session).is_some() {
        return Ok(None);
    }
    let mut private = tx.private(Kind::CheckoutSession, id).clone();
    let on_trial = is_trial(&private["subscription_data"]);
    let mut items = line_items(tx, id);
    for item in &mut items {
        let Some(quantity) = wanted.get(text(item, "id")) else {
            continue;
        };
        if let Some(why) = refused(item, *quantity) {
            return Ok(Some(why));
        }
        item["quantity"] = json!(quantity);
        item["amount_subtotal"] = json!(due(&item["price"], *quantity, on_trial));
    }
    if items.iter().all(|item| number(item, "quantity") == 0) {
        return Ok(Some("There must be something left to buy.".to_owned()));
    }
    session["amount_subtotal"] = json!(items.iter().map(|item| number(item, "amount_subtotal")).sum::<i64>());
    private["line_items"] = json!(items);
    let before = tx.savepoint();
    tx.put_with(Kind::CheckoutSession, id, session.clone(), private);
    match discounts::discounts(tx, &session) {
        Ok(applied) => discounts::replace(tx, session, &applied),
        Err(failed) => return Ok(Some(discounts::lose(tx, session, &failed))),
    }
    let why = tx.find(Kind::CheckoutSession, id).and_then(|session| too_little(&session));
    if why.is_some() {
        tx.roll_back_to(&before);
    }
    Ok(why)
}

/// What a line is due today, in the currency's smallest unit. In a trial only what is sold once is.
pub fn due(price: &Value, quantity: i64, on_trial: bool) -> i64 {
    let is_free = on_trial && !price["recurring"].is_null();
    if is_free { 0 } else { number(price, "unit_amount") * quantity }
}

/// Why a payment cannot be made, where it is less than can be charged. Nothing at all can be paid.
pub fn too_little(session: &Value) -> Option<String> {
    let amount = number(session, "amount_total");
    let least = least_charge::missed(amount, text(session, "currency"));
    let least = least.filter(|_| amount > 0 && is_payment(session))?;
    Some(format!("The Checkout Session's total amount due must add up to at least {least}"))
}

pub fn is_trial(subscription_data: &Value) -> bool {
    !subscription_data["trial_period_days"].is_null() || !subscription_data["trial_end"].is_null()
}

fn refused(item: &Value, quantity: i64) -> Option<String> {
    let adjustable = &item["adjustable_quantity"];
    let (least, most) = (number(adjustable, "minimum"), number(adjustable, "maximum"));
    if adjustable["enabled"] != true {
        return Some("The quantity of this item cannot be changed.".to_owned());
    }
    (!(least..=most).contains(&quantity)).then(|| format!("Choose a quantity from {least} to {most}."))
}
