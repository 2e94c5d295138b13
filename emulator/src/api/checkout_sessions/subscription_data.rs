//! `subscription_data`: what the subscription that comes of a session will have. The reader of `trial_settings` also
//! serves the subscriptions' own endpoints.

use serde_json::{Value, json};

use crate::api::subscription_begin::read_billing_mode;
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::Tx;

const DAY: i64 = 86_400;

/// What a subscription that comes of this session will have.
pub fn read(tx: &Tx, mut data: Params) -> Result<Value, ApiError> {
    let metadata = data.metadata(&json!({}))?;
    let days_name = data.full_name("trial_period_days");
    let days = data.integer("trial_period_days")?;
    if days.is_some_and(|days| !(1..=730).contains(&days)) {
        let error = ApiError::invalid("The trial must have at least 1 and at most 730 days.");
        return Err(error.code("parameter_invalid_integer").param(days_name));
    }
    let end_name = data.full_name("trial_end");
    let end = data.integer("trial_end")?;
    if end.is_some_and(|end| end < tx.now() + 2 * DAY) {
        let message = "The `trial_end` date has to be at least 2 days in the future.";
        return Err(ApiError::invalid(message).param(end_name));
    }
    if days.is_some() && end.is_some() {
        let message = "You may only specify one of these parameters: trial_end, trial_period_days.";
        return Err(ApiError::invalid(message).param(end_name));
    }
    let description = data.clearable("description")?.map_or(Value::Null, Change::into_json);
    let missing = read_trial_settings(&mut data)?;
    let billing_mode = read_billing_mode(&mut data)?;
    data.finish()?;
    Ok(json!({
        "billing_mode": billing_mode,
        "metadata": metadata,
        "trial_period_days": days,
        "trial_end": end,
        "description": description,
        "missing_payment_method": missing,
    }))
}

/// `trial_settings[end_behavior][missing_payment_method]`.
pub fn read_trial_settings(params: &mut Params) -> Result<Option<String>, ApiError> {
    let Some(mut settings) = params.children("trial_settings")? else {
        return Ok(None);
    };
    let mut behavior = settings.children("end_behavior")?.unwrap_or_default();
    let missing = behavior.one_of("missing_payment_method", &["cancel", "create_invoice", "pause"])?;
    behavior.finish()?;
    settings.finish()?;
    Ok(missing)
}
