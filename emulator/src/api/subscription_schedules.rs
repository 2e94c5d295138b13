//! Subscription schedules: made for a customer or from a subscription, changed, released, canceled, listed. What
//! their phases say is read in `phases`; what it brings about is `billing::schedule`'s
//! business.

mod dates;
mod phases;

use serde_json::{Value, json};

use self::phases::Start;
use super::Call;
use super::checkout_sessions::read_billing_mode;
use super::subscriptions::ensure_own_method;
use crate::billing::change::Prorate;
use crate::billing::schedule;
use crate::error::{ApiError, Place};
use crate::list::{Page, Range};
use crate::params::{Change, Params};
use crate::state::{Key, Kind, Tx, text};

/// Parameters that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &["customer_account", "pause_schedules"];
const UNSUPPORTED_SETTINGS: &[&str] =
    &["application_fee_percent", "automatic_tax", "billing_thresholds", "on_behalf_of", "transfer_data"];

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::SubscriptionSchedule, call.id(), Place::Path)
}

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(UNSUPPORTED)?;
    if let Some(id) = params.text("from_subscription")? {
        return from_subscription(call.tx, &id, params);
    }
    let customer = params.required_text("customer")?;
    call.tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    read_billing_mode(&mut params)?;
    let start = read_start(call.tx, &mut params)?;
    let mut new = schedule::build(call.tx, &customer);
    read_common(call.tx, &mut params, &mut new)?;
    if !params.has("phases") {
        return Err(ApiError::missing_param("phases"));
    }
    new["phases"] = phases::read(call.tx, &mut params, &new, Start::At(start))?;
    params.finish()?;
    Ok(schedule::create(call.tx, new))
}

fn from_subscription(tx: &mut Tx, id: &str, params: Params) -> Result<Value, ApiError> {
    let param = "from_subscription";
    let subscription = tx.require(Kind::Subscription, id, Place::Param(param))?;
    let known =
        ["billing_mode", "customer", "default_settings", "end_behavior", "metadata", "phases", "start_date"];
    if let Some(name) = known.into_iter().find(|name| params.has(name)) {
        let message = format!("You cannot set `{name}` if `from_subscription` is set.");
        return Err(ApiError::invalid(message).param(name));
    }
    params.finish()?;
    if let Some(managing) = schedule::managing(tx, &subscription) {
        let message = format!(
            "You cannot migrate a subscription that is already attached to a schedule: `{}`.",
            text(&managing, "id")
        );
        return Err(ApiError::invalid(message).param(param));
    }
    if matches!(text(&subscription, "status"), "incomplete" | "canceled" | "incomplete_expired") {
        let message = format!(
            "You cannot migrate a subscription that is currently in the `{}` status.",
            text(&subscription, "status")
        );
        return Err(ApiError::invalid(message).param(param));
    }
    Ok(schedule::take_over(tx, &subscription))
}

/// When the first phase of a new schedule begins.
fn read_start(tx: &Tx, params: &mut Params) -> Result<i64, ApiError> {
    let given = params.required_text("start_date")?;
    if given == "now" {
        return Ok(tx.now());
    }
    let start = params.parse_integer("start_date", &given)?;
    if start < tx.now() {
        let message = "stripe-emulator does not backdate: `start_date` must be `now` or in the future.";
        return Err(ApiError::invalid(message).param("start_date"));
    }
    Ok(start)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut changed = open(call, "update", "updated")?;
    params.refuse(UNSUPPORTED)?;
    let prorate = match params.one_of("proration_behavior", phases::PRORATION)?.as_deref() {
        Some("always_invoice") => Prorate::Always,
        Some("none") => Prorate::Never,
        _ => Prorate::Create,
    };
    read_common(call.tx, &mut params, &mut changed)?;
    if params.has("phases") {
        let start = Start::of(&changed);
        changed["phases"] = phases::read(call.tx, &mut params, &changed, start)?;
    }
    params.finish()?;
    schedule::revise(call.tx, changed, prorate)
}

/// What making and changing have in common.
fn read_common(tx: &Tx, params: &mut Params, schedule: &mut Value) -> Result<(), ApiError> {
    schedule["metadata"] = params.metadata(&schedule["metadata"])?;
    // `none` and `renew` are words of old versions, which Stripe still lists.
    if let Some(behavior) = params.one_of("end_behavior", &["cancel", "release"])? {
        schedule["end_behavior"] = json!(behavior);
    }
    let Some(mut settings) = params.children("default_settings")? else {
        return Ok(());
    };
    settings.refuse(UNSUPPORTED_SETTINGS)?;
    phases::read_collection(&mut settings, &mut schedule["default_settings"], &Value::Null)?;
    if let Some(anchor) = settings.one_of("billing_cycle_anchor", phases::ANCHORS)? {
        schedule["default_settings"]["billing_cycle_anchor"] = json!(anchor);
    }
    if let Some(method) = settings.text("default_payment_method")? {
        let owned = ensure_own_method(tx, &method, text(schedule, "customer"));
        owned.map_err(|error| error.within("default_settings"))?;
        schedule["default_settings"]["default_payment_method"] = json!(method);
    }
    if let Some(description) = settings.clearable("description")?.map(Change::into_json) {
        schedule["default_settings"]["description"] = description;
    }
    settings.finish()
}

pub fn release(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let keep = params.boolean("preserve_cancel_date")?.unwrap_or(false);
    params.finish()?;
    let schedule = open(call, "release", "released")?;
    Ok(schedule::ending::release(call.tx, schedule, keep))
}

pub fn cancel(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let invoice_now = params.boolean("invoice_now")?.unwrap_or(true);
    let prorate = params.boolean("prorate")?.unwrap_or(true);
    params.finish()?;
    let schedule = open(call, "cancel", "canceled")?;
    Ok(schedule::ending::cancel(call.tx, schedule, prorate, invoice_now))
}

/// The schedule in the path, if it has not ended.
fn open(call: &Call, verb: &str, done: &str) -> Result<Value, ApiError> {
    let schedule = call.tx.require(Kind::SubscriptionSchedule, call.id(), Place::Path)?;
    if schedule::is_open(&schedule) {
        return Ok(schedule);
    }
    Err(ApiError::invalid(format!(
        "You cannot {verb} a subscription schedule that is currently in the `{}` status. It must be in `not_started, \
         active` status to be {done}.",
        text(&schedule, "status")
    )))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["customer_account"])?;
    let page = Page::read_with_created(&mut params)?;
    let customer = params.text("customer")?;
    let is_scheduled = params.boolean("scheduled")?.unwrap_or(false);
    let ranges = ["canceled_at", "completed_at", "released_at"];
    let ranges = ranges.map(|name| Range::read(&mut params, name).map(|range| (name, range)));
    let ranges = ranges.into_iter().collect::<Result<Vec<_>, _>>()?;
    params.finish()?;
    page.of(
        call.tx,
        Kind::SubscriptionSchedule,
        "/v1/subscription_schedules",
        Key::Customer.of(customer.as_deref()),
        |schedule| {
            // Those of test clocks are shown to whoever asks for their customer only.
            (customer.is_some() || schedule["test_clock"].is_null())
                && (!is_scheduled || schedule["status"] == "not_started")
                && ranges.iter().all(|(name, range)| range.has(&schedule[*name]))
        },
    )
}
