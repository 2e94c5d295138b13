//! How a subscription begins: its billing mode, its anchor, a start in the past, and settings of its payments and
//! invoices. What would have to be ignored is refused.
//!
//! Not sure: that the hour, minute and second of `billing_cycle_anchor_config` are those of the request where it
//! does not say them; and that the time until an anchor is on the first invoice over nothing where
//! `proration_behavior` is `none`.

use serde_json::{Value, json};
use time::{Date, Month, OffsetDateTime, Time};

use crate::billing::period;
use crate::billing::subscription::{Beginning, Draft, Line};
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::{Tx, number, text};

/// Reads all of it but the invoice items.
pub fn read(tx: &Tx, params: &mut Params, draft: &Draft) -> Result<Beginning, ApiError> {
    let behavior = params.one_of("proration_behavior", &["always_invoice", "create_prorations", "none"])?;
    let billing_mode = read_billing_mode(params)?;
    let (anchor, anchor_config) = read_anchor(tx, params, &draft.lines, draft.trial_end)?;
    let backdated = params.integer("backdate_start_date")?;
    if backdated.is_some_and(|at| at > tx.now()) {
        let message = "`backdate_start_date` must be in the past.";
        return Err(ApiError::invalid(message).param("backdate_start_date"));
    }
    Ok(Beginning {
        billing_mode,
        anchor,
        anchor_config,
        is_free_until_anchor: anchor.is_some() && behavior.as_deref() == Some("none"),
        backdated: backdated.filter(|at| *at < tx.now() && behavior.as_deref() != Some("none")),
        payment_settings: read_payment_settings(params, None)?,
        invoice_settings: read_invoice_settings(params, None)?,
        ..Beginning::default()
    })
}

/// `billing_mode`, as Stripe shows it. Without `flexible[proration_discounts]` discounts are included.
pub fn read_billing_mode(params: &mut Params) -> Result<Option<Value>, ApiError> {
    let Some(mut mode) = params.children("billing_mode")? else {
        return Ok(None);
    };
    let name = mode.full_name("type");
    let kind =
        mode.one_of("type", &["classic", "flexible"])?.ok_or_else(|| ApiError::missing_param(&name))?;
    let flexible_name = mode.full_name("flexible");
    let flexible = mode.children("flexible")?;
    mode.finish()?;
    if kind == "classic" {
        return match flexible {
            None => Ok(Some(json!({ "flexible": null, "type": "classic" }))),
            Some(_) => {
                let message =
                    "You can only set `billing_mode[flexible]` when `billing_mode[type]` is `flexible`.";
                Err(ApiError::invalid(message).param(flexible_name))
            }
        };
    }
    let mut flexible = flexible.unwrap_or_default();
    let shown = flexible.one_of("proration_discounts", &["included", "itemized"])?;
    flexible.finish()?;
    let shown = shown.unwrap_or_else(|| "included".to_owned());
    Ok(Some(json!({ "flexible": { "proration_discounts": shown }, "type": "flexible" })))
}

/// `billing_cycle_anchor` or `billing_cycle_anchor_config`, of which a request may say one.
fn read_anchor(
    tx: &Tx,
    params: &mut Params,
    lines: &[Line],
    trial_end: Option<i64>,
) -> Result<(Option<i64>, Value), ApiError> {
    let given = params.integer("billing_cycle_anchor")?;
    let from = trial_end.unwrap_or(tx.now());
    let (anchor, config) = match (given, params.children("billing_cycle_anchor_config")?) {
        (None, None) => return Ok((None, Value::Null)),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.";
            return Err(ApiError::invalid(message).param("billing_cycle_anchor_config"));
        }
        (Some(anchor), None) => (anchor, Value::Null),
        (None, Some(config)) => read_config(config, from)?,
    };
    if anchor < from {
        let message = "The `billing_cycle_anchor` must be in the future, and not before the end of a trial.";
        return Err(ApiError::invalid(message).param("billing_cycle_anchor"));
    }
    let natural = lines.iter().map(|line| {
        let recurring = &line.price["recurring"];
        period::after(from, text(recurring, "interval"), number(recurring, "interval_count"), 1)
    });
    let natural = natural.max().unwrap_or(from);
    if anchor > natural {
        let message = format!(
            "billing_cycle_anchor cannot be later than next natural billing date ({natural}) for plan"
        );
        return Err(ApiError::invalid(message).param("billing_cycle_anchor"));
    }
    Ok((Some(anchor), config))
}

/// The next moment that a configuration names.
fn read_config(mut config: Params, from: i64) -> Result<(i64, Value), ApiError> {
    let (day_name, param) = (config.full_name("day_of_month"), "billing_cycle_anchor_config");
    let day =
        config.integer_within("day_of_month", 1, 31)?.ok_or_else(|| ApiError::missing_param(&day_name))?;
    let month = config.integer_within("month", 1, 12)?;
    let hour = config.integer_within("hour", 0, 23)?;
    let minute = config.integer_within("minute", 0, 59)?;
    let second = config.integer_within("second", 0, 59)?;
    config.finish()?;
    let shown =
        json!({ "day_of_month": day, "hour": hour, "minute": minute, "month": month, "second": second });
    let start = OffsetDateTime::from_unix_timestamp(from).map_err(|_| impossible(param))?;
    let part = |given: Option<i64>, own: u8| given.and_then(|it| u8::try_from(it).ok()).unwrap_or(own);
    let clock =
        Time::from_hms(part(hour, start.hour()), part(minute, start.minute()), part(second, start.second()));
    let clock = clock.map_err(|_| impossible(param))?;
    let day = u8::try_from(day).unwrap_or(31);
    let mut at = (start.year(), start.month());
    for _ in 0..=12 {
        let is_month = month.is_none_or(|month| i64::from(u8::from(at.1)) == month);
        let date = Date::from_calendar_date(at.0, at.1, day.min(at.1.length(at.0)));
        let moment = date.map(|date| OffsetDateTime::new_utc(date, clock).unix_timestamp());
        if let Some(moment) = moment.ok().filter(|moment| is_month && *moment >= from) {
            return Ok((moment, shown));
        }
        at = (if at.1 == Month::December { at.0 + 1 } else { at.0 }, at.1.next());
    }
    Err(impossible(param))
}

fn impossible(param: &str) -> ApiError {
    ApiError::invalid("There is no such date.").param(param)
}

/// `payment_settings`: cards only. `None` if the request says nothing.
pub fn read_payment_settings(params: &mut Params, before: Option<&Value>) -> Result<Option<Value>, ApiError> {
    let Some(mut given) = params.children("payment_settings")? else {
        return Ok(None);
    };
    given.refuse(&["payment_method_options"])?;
    let mut settings = before.cloned().unwrap_or_else(|| {
        crate::shapes::filled(crate::shapes::Shape::Subscription, json!({}))["payment_settings"].take()
    });
    let types_name = given.full_name("payment_method_types");
    if given.peek("payment_method_types") == Some("") {
        given.clearable("payment_method_types")?;
        settings["payment_method_types"] = Value::Null;
    } else if let Some(types) = given.texts("payment_method_types")? {
        if types.iter().any(|one| one != "card") {
            let message = "stripe-emulator takes cards only: `payment_method_types` may have `card`.";
            return Err(ApiError::invalid(message).param(types_name));
        }
        settings["payment_method_types"] = json!(types);
    }
    if let Some(save) = given.one_of("save_default_payment_method", &["off", "on_subscription"])? {
        settings["save_default_payment_method"] = json!(save);
    }
    given.finish()?;
    Ok(Some(settings))
}

/// `invoice_settings`: what invoices of the subscription say. `None` if the request says nothing.
pub fn read_invoice_settings(params: &mut Params, before: Option<&Value>) -> Result<Option<Value>, ApiError> {
    let Some(mut given) = params.children("invoice_settings")? else {
        return Ok(None);
    };
    given.refuse(&["account_tax_ids", "custom_fields", "issuer"])?;
    let mut settings = before.cloned().unwrap_or_else(|| {
        crate::shapes::filled(crate::shapes::Shape::Subscription, json!({}))["invoice_settings"].take()
    });
    for name in ["description", "footer"] {
        if let Some(text) = given.clearable(name)? {
            settings[name] = Change::into_json(text);
        }
    }
    given.finish()?;
    Ok(Some(settings))
}
