//! POST /v1/subscriptions/:id/migrate: from classic to flexible billing mode, and from discounts that are included in
//! prorations to itemized ones. There is no way back
//! (https://docs.stripe.com/billing/subscriptions/billing-mode/compare). Stripe's words for the refusals are not
//! known.

use serde_json::{Value, json};

use super::Call;
use super::subscription_begin::read_billing_mode;
use crate::billing::schedule;
use crate::billing::subscription::has_ended;
use crate::error::{ApiError, Place};
use crate::state::{Kind, text};

pub fn migrate(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut subscription = call.tx.require(Kind::Subscription, call.id(), Place::Path)?;
    let mode = read_billing_mode(&mut params)?.ok_or_else(|| ApiError::missing_param("billing_mode"))?;
    params.finish()?;
    if mode["type"] == "classic" {
        let message = "Invalid billing_mode[type]: must be one of flexible";
        return Err(ApiError::invalid(message).param("billing_mode[type]"));
    }
    if has_ended(&subscription) {
        let message =
            format!("You can't migrate a subscription whose status is {}.", text(&subscription, "status"));
        return Err(ApiError::invalid(message));
    }
    let shown = |mode: &Value| mode["flexible"]["proration_discounts"] == "itemized";
    if shown(&subscription["billing_mode"]) && !shown(&mode) {
        let message = "You can't migrate a subscription from `itemized` to `included` proration discounts.";
        return Err(ApiError::invalid(message).param("billing_mode[flexible][proration_discounts]"));
    }
    if subscription["billing_mode"]["flexible"] == mode["flexible"] {
        return Ok(subscription);
    }
    let mut mode = mode;
    mode["updated_at"] = json!(call.tx.now());
    subscription["billing_mode"] = mode.clone();
    call.tx.update(Kind::Subscription, subscription.clone(), "customer.subscription.updated");
    if let Some(mut managing) = schedule::managing(call.tx, &subscription) {
        managing["billing_mode"] = mode;
        call.tx.update(Kind::SubscriptionSchedule, managing, "subscription_schedule.updated");
    }
    Ok(subscription)
}
