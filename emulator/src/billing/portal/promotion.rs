//! A promotion code that a customer types when they change their plan, where the configuration's
//! `default_allowed_updates` have `promotion_code`. The discount begins with the change.
//!
//! Not sure what Stripe's portal does with a code for a subscription that has a discount already; here it takes
//! none. A change that waits for the end of the period takes none either, as phases have no discounts here.

use serde_json::{Value, json};

use super::Visit;
use super::change::may;
use super::wish::Wish;
use crate::billing::discount::Part;
use crate::billing::discount::redeem::{self, Wanted, find_code, resolve};
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// The code of the error that says why a promotion code is not taken.
pub const REFUSED: &str = "promotion_code_refused";

/// Whether this subscription can be given a code with a change that happens now.
pub fn is_offered(configuration: &Value, subscription: &Value) -> bool {
    may(configuration, "promotion_code") && subscription["discounts"].as_array().is_none_or(Vec::is_empty)
}

/// Stores the discount of the wish's code and puts it on the subscription, which is not stored. Gives its id, if
/// there is a code. Tells no one.
pub fn put_on(
    tx: &mut Tx,
    visit: &Visit,
    subscription: &mut Value,
    wish: &Wish,
) -> Result<Option<String>, ApiError> {
    let Some(code) = &wish.code else {
        return Ok(None);
    };
    let refuse = |why: &str| Err(ApiError::invalid(why).code(REFUSED));
    if !is_offered(&visit.configuration, subscription) {
        return refuse("This change takes no promotion codes.");
    }
    let customer = visit.customer["id"].as_str();
    let Some(promotion) = find_code(tx, code, customer) else {
        return refuse("This code is invalid.");
    };
    let price = tx.copy(Kind::Price, &wish.price).unwrap_or_default();
    let amount = number(&price, "unit_amount").saturating_mul(wish.quantity);
    let parts = [Part { product: text(&price, "product").to_owned(), amount }];
    let wanted = Wanted::PromotionCode(promotion);
    match resolve(tx, &wanted, customer, text(subscription, "currency"), &parts) {
        Err(failed) => refuse(&failed.message()),
        Ok(applied) => {
            let id = applied.id.clone();
            redeem::store(tx, &[applied], subscription);
            subscription["discounts"] = json!([id]);
            Ok(Some(id))
        }
    }
}
