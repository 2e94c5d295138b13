//! The discounts of a change in the portal, which begin with it: that of a promotion code which the customer types,
//! where the configuration's `default_allowed_updates` have `promotion_code`, and those of a session's flow.
//!
//! Not sure what Stripe's portal does with a code for a subscription that has a discount already; here it takes
//! none. A change that waits for the end of the period takes none either.

use serde_json::{Value, json};

use super::Visit;
use super::change::may;
use super::wish::Wish;
use crate::billing::discount::Part;
use crate::billing::discount::redeem::{self, Owner, Wanted, find_code, resolve};
use crate::billing::schedule::discounts::{granted, shown};
use crate::billing::subscription::ids_of;
use crate::error::ApiError;
use crate::state::{Kind, Tx, number, text};

/// The code of the error that says why a promotion code is not taken.
pub const REFUSED: &str = "promotion_code_refused";
/// The note that has the discounts that a session's flow brings.
const HELD: &str = "discounts";

/// Whether this subscription can be given a code with a change that happens now.
pub fn is_offered(configuration: &Value, subscription: &Value) -> bool {
    may(configuration, "promotion_code") && subscription["discounts"].as_array().is_none_or(Vec::is_empty)
}

/// Stores the discount of the wish's code, if there is one, and puts it on the subscription, which is not stored. The
/// change tells of it.
pub fn put_on(tx: &mut Tx, visit: &Visit, subscription: &mut Value, wish: &Wish) -> Result<(), ApiError> {
    let Some(code) = &wish.code else {
        return Ok(());
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
            let owner = Owner {
                customer: text(subscription, "customer"),
                subscription: subscription["id"].as_str(),
                ..Owner::default()
            };
            redeem::store(tx, std::slice::from_ref(&applied), owner);
            subscription["discounts"] = json!([applied.id]);
            Ok(())
        }
    }
}

/// The discounts of a session's flow wait with it, and take the place of the subscription's when it is confirmed. That
/// they replace them is not known.
pub fn hold_discounts(tx: &mut Tx, session: &Value) {
    let flow = &session["flow"]["subscription_update_confirm"];
    let discounts = granted(tx, &flow["discounts"]);
    if discounts.is_empty() {
        return;
    }
    let (customer, subscription) = (text(session, "customer"), flow["subscription"].as_str());
    redeem::store(tx, &discounts, Owner { customer, subscription, ..Owner::default() });
    let id = text(session, "id").to_owned();
    let mut notes = tx.private(Kind::PortalSession, &id).clone();
    if notes.is_null() {
        notes = json!({});
    }
    notes[HELD] = ids_of(&discounts);
    tx.put_with(Kind::PortalSession, &id, session.clone(), notes);
}

/// The ids of those of this visit's flow, if it is about this subscription.
pub fn held(tx: &Tx, visit: &Visit, subscription: &Value) -> Option<Value> {
    let flow = &visit.session["flow"]["subscription_update_confirm"];
    let ids = &tx.private(Kind::PortalSession, text(&visit.session, "id"))[HELD];
    (ids.is_array() && flow["subscription"] == subscription["id"]).then(|| ids.clone())
}

/// By what names a later phase of a schedule brings them, or those that the subscription has.
pub fn of_phase(tx: &Tx, visit: &Visit, subscription: &Value) -> Value {
    if held(tx, visit, subscription).is_none() {
        return shown(&subscription["discounts"]);
    }
    let named = visit.session["flow"]["subscription_update_confirm"]["discounts"].as_array();
    let name = |one: &Value| json!({ "coupon": one["coupon"], "discount": null, "promotion_code": one["promotion_code"] });
    named.into_iter().flatten().map(name).collect()
}
