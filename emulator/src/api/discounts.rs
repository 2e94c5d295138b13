//! Discounts: the parameter `discounts` of those that begin a purchase, and taking one away again. A discount has
//! no endpoint of its own to be read; `expand` shows it.

use serde_json::{Value, json};

use super::Call;
use crate::billing::discount::redeem::{Wanted, of_ids, of_subscription, resolve, take_away};
use crate::billing::discount::{Applied, Part};
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx};

/// For whom and for what discounts are wanted.
pub struct Sale<'s> {
    pub customer: Option<&'s str>,
    pub currency: &'s str,
    pub parts: &'s [Part],
    /// How many discounts Stripe takes here.
    pub most: usize,
    /// The ids of those that are there already, which may be named as `discount`.
    pub known: &'s [String],
}

/// Reads `discounts` of something that may have some already; `None` if it says nothing.
pub fn read_change(tx: &Tx, params: &mut Params, sale: &Sale) -> Result<Option<Vec<Applied>>, ApiError> {
    if params.has("discounts") { read(tx, params, sale).map(Some) } else { Ok(None) }
}

/// Reads `discounts[0][coupon]` or `discounts[0][promotion_code]`, and refuses what may not be redeemed.
pub fn read(tx: &Tx, params: &mut Params, sale: &Sale) -> Result<Vec<Applied>, ApiError> {
    if matches!(params.clone().clearable("discounts"), Ok(Some(Change::Clear))) {
        params.clearable("discounts")?;
        return Ok(Vec::new());
    }
    let named = params.list("discounts")?.unwrap_or_default();
    if named.len() > sale.most {
        let message = format!("You can apply at most {} discounts here.", sale.most);
        return Err(ApiError::invalid(message).param("discounts"));
    }
    named.into_iter().map(|one| read_one(tx, one, sale)).collect()
}

fn read_one(tx: &Tx, mut one: Params, sale: &Sale) -> Result<Applied, ApiError> {
    let param = one.full_name("discount");
    if let Some(id) = one.text("discount")? {
        one.finish()?;
        let known = of_ids(tx, [id.as_str()].into_iter().filter(|id| sale.known.iter().any(|one| one == id)));
        return known
            .into_iter()
            .next()
            .ok_or_else(|| ApiError::no_such(Kind::Discount, &id, Place::Param(&param)));
    }
    let (coupon_name, code_name) = (one.full_name("coupon"), one.full_name("promotion_code"));
    let (coupon, code) = (one.text("coupon")?, one.text("promotion_code")?);
    one.finish()?;
    let (wanted, param) = match (coupon, code) {
        (Some(coupon), None) => (Wanted::Coupon(coupon), coupon_name),
        (None, Some(code)) => (Wanted::PromotionCode(code), code_name),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: coupon, promotion_code.";
            return Err(ApiError::invalid(message).param(coupon_name));
        }
        (None, None) => return Err(ApiError::missing_param(&coupon_name)),
    };
    let resolved = resolve(tx, &wanted, sale.customer, sale.currency, sale.parts);
    resolved.map_err(|failed| failed.error(&param))
}

/// Takes away what a subscription has. Of several discounts the answer shows the last one.
pub fn delete_of_subscription(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let mut subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    let mut answer = Value::Null;
    for discount in of_subscription(call.tx, &subscription) {
        if let Some(discount) = call.tx.copy(Kind::Discount, &discount.id) {
            answer = take_away(call.tx, discount);
        }
    }
    if answer.is_null() {
        return Err(none_of("subscription", call.id()));
    }
    subscription["discounts"] = json!([]);
    call.tx.update(Kind::Subscription, subscription, "customer.subscription.updated");
    Ok(answer)
}

/// Takes away a customer's own discount. At this version of the API no endpoint gives one; the control of
/// objects can, for a customer from earlier times.
pub fn delete_of_customer(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let mut customer = call.tx.require(Kind::Customer, call.id(), Place::Path)?;
    let discount = customer["discount"].take();
    if discount.is_null() {
        return Err(none_of("customer", call.id()));
    }
    let answer = take_away(call.tx, discount);
    call.tx.update(Kind::Customer, customer, "customer.updated");
    Ok(answer)
}

fn none_of(owner: &str, id: &str) -> ApiError {
    let message = format!("No active discount for {owner}: {id}");
    ApiError::new(axum::http::StatusCode::NOT_FOUND, "invalid_request_error", message)
        .code("resource_missing")
}
