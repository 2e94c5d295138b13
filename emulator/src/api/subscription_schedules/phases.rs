//! Reading `phases[]` of a schedule: what each sells and says, and from when to when it runs. Phases follow one
//! another without a gap; those that are over are kept as they were.

use serde_json::{Value, json};

use super::dates::{Wanted, chain, first_start};
use crate::api::collection;
use crate::api::subscription_change::{read_price, read_quantity};
use crate::api::subscriptions::ensure_own_method;
use crate::billing::schedule::phases;
use crate::billing::sending;
use crate::error::ApiError;
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, number, text};

pub const PRORATION: &[&str] = &["always_invoice", "create_prorations", "none"];
pub const ANCHORS: &[&str] = &["automatic", "phase_start"];
/// Parameters of a phase that Stripe has and that this emulator would have to ignore.
const UNSUPPORTED: &[&str] = &[
    "add_invoice_items",
    "application_fee_percent",
    "automatic_tax",
    "billing_thresholds",
    "default_tax_rates",
    "discounts",
    "on_behalf_of",
    "transfer_data",
];
const UNSUPPORTED_SETTINGS: &[&str] =
    &["account_tax_ids", "custom_fields", "description", "footer", "issuer"];
const UNSUPPORTED_OF_ITEMS: &[&str] = &["billing_thresholds", "discounts", "plan", "price_data", "tax_rates"];
const MOST_ITEMS: usize = 20;

/// Where the phases begin.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// A new schedule: the first phase begins then, and no phase says when it begins.
    At(i64),
    /// A schedule that has not begun: the first phase says it.
    Open,
    /// One that has: what came before is over, and the present phase begins when it did.
    Since(i64),
}

impl Start {
    pub fn of(schedule: &Value) -> Start {
        schedule["current_phase"]["start_date"].as_i64().map_or(Start::Open, Start::Since)
    }
}

/// The phases that the schedule is to have.
pub fn read(tx: &Tx, params: &mut Params, schedule: &Value, start: Start) -> Result<Value, ApiError> {
    let list = params.list("phases")?.unwrap_or_default();
    let mut wanted = Vec::new();
    for phase in list {
        wanted.push(read_phase(tx, phase, schedule, start)?);
    }
    if wanted.is_empty() {
        return Err(ApiError::missing_param("phases"));
    }
    ensure_one_currency(tx, schedule, &wanted)?;
    let mut over = Vec::new();
    let first = match start {
        Start::At(start) => start,
        Start::Open => first_start(&wanted, None, tx.now())?,
        Start::Since(since) => {
            wanted.retain(|phase| phase.start.is_none_or(|start| start >= since));
            let known = schedule["phases"].as_array().into_iter().flatten();
            over = known.filter(|phase| number(phase, "start_date") < since).cloned().collect();
            first_start(&wanted, Some(since), tx.now())?
        }
    };
    let subscription = tx.find(Kind::Subscription, text(schedule, "subscription"));
    let anchor = subscription.and_then(|it| it["billing_cycle_anchor"].as_i64());
    over.extend(chain(tx, wanted, first, anchor.unwrap_or(first))?);
    Ok(json!(over))
}

fn read_phase(tx: &Tx, mut params: Params, schedule: &Value, start: Start) -> Result<Wanted, ApiError> {
    params.refuse(UNSUPPORTED)?;
    if let Some(settings) = params.clone().children("invoice_settings")? {
        settings.refuse(UNSUPPORTED_SETTINGS)?;
    }
    let name = params.full_name("").trim_end_matches("[]").to_owned();
    let (currency, items) = read_items(tx, &mut params)?;
    if params.text("currency")?.is_some_and(|given| given != currency) {
        let message = format!("The price specified only supports `{currency}`.");
        return Err(ApiError::invalid(message).param(params.full_name("currency")));
    }
    let mut phase = phases::plain(&currency, items);
    read_settings(tx, &mut params, &mut phase, schedule)?;
    let (end, duration) = read_end(tx, &mut params, start)?;
    let start = match start {
        // Not known here: what is left is refused.
        Start::At(_) => None,
        Start::Open | Start::Since(_) => read_time(tx, &mut params, "start_date")?,
    };
    let trial_end = match read_time(tx, &mut params, "trial_end")? {
        Some(end) if end <= tx.now() => None,
        end => end,
    };
    phase["trial_end"] = json!(trial_end);
    if params.boolean("trial")?.unwrap_or(false) {
        phase["trial"] = json!(true);
        if phase["billing_cycle_anchor"] == "phase_start" {
            let message = "`billing_cycle_anchor` cannot be `phase_start` if the phase has a trial.";
            return Err(ApiError::invalid(message).param(params.full_name("billing_cycle_anchor")));
        }
    }
    params.finish()?;
    Ok(Wanted { name, start, end, duration, phase })
}

/// A timestamp, or `now`.
fn read_time(tx: &Tx, params: &mut Params, name: &str) -> Result<Option<i64>, ApiError> {
    match params.text(name)?.as_deref() {
        None => Ok(None),
        Some("now") => Ok(Some(tx.now())),
        Some(time) => params.parse_integer(name, time).map(Some),
    }
}

type End = (Option<i64>, Option<(String, i64)>);

/// `end_date` or `duration`, of which a phase may say one.
fn read_end(tx: &Tx, params: &mut Params, start: Start) -> Result<End, ApiError> {
    let end = match start {
        Start::At(_) => params.integer("end_date")?,
        Start::Open | Start::Since(_) => read_time(tx, params, "end_date")?,
    };
    let Some(mut duration) = params.children("duration")? else {
        return Ok((end, None));
    };
    if end.is_some() {
        let message = "You may only specify one of these parameters: duration, end_date.";
        return Err(ApiError::invalid(message).param(params.full_name("duration")));
    }
    let interval = duration.one_of("interval", &["day", "month", "week", "year"])?;
    let interval = interval.ok_or_else(|| ApiError::missing_param(&duration.full_name("interval")))?;
    let count = duration.integer("interval_count")?.unwrap_or(1);
    if !(1..=1_000).contains(&count) {
        let error = ApiError::invalid("This value must be greater than or equal to 1.");
        return Err(error.code("parameter_invalid_integer").param(duration.full_name("interval_count")));
    }
    duration.finish()?;
    Ok((None, Some((interval, count))))
}

fn read_settings(tx: &Tx, params: &mut Params, phase: &mut Value, schedule: &Value) -> Result<(), ApiError> {
    for (name, words) in [("billing_cycle_anchor", ANCHORS), ("proration_behavior", PRORATION)] {
        if let Some(word) = params.one_of(name, words)? {
            phase[name] = json!(word);
        }
    }
    read_collection(params, phase, &schedule["default_settings"])?;
    if let Some(method) = params.text("default_payment_method")? {
        let param = params.full_name("default_payment_method");
        ensure_own_method(tx, &method, text(schedule, "customer")).map_err(|error| error.param(param))?;
        phase["default_payment_method"] = json!(method);
    }
    if let Some(description) = params.clearable("description")?.map(Change::into_json) {
        phase["description"] = description;
    }
    phase["metadata"] = read_metadata(params)?;
    Ok(())
}

/// `collection_method`, and `invoice_settings` as far as they say when invoices are due. What is not said is as in
/// `defaults`.
pub fn read_collection(params: &mut Params, phase: &mut Value, defaults: &Value) -> Result<(), ApiError> {
    if let Some(method) = params.one_of("collection_method", collection::METHODS)? {
        phase["collection_method"] = json!(method);
    }
    let mut param = format!("{}[days_until_due]", params.full_name("invoice_settings"));
    if let Some(mut settings) = params.children("invoice_settings")? {
        settings.refuse(UNSUPPORTED_SETTINGS)?;
        param = settings.full_name("days_until_due");
        let days = settings.integer_within("days_until_due", 0, 3_653)?;
        settings.finish()?;
        if phase["invoice_settings"].is_null() {
            phase["invoice_settings"] = phases::invoice_settings(days);
        } else {
            phase["invoice_settings"]["days_until_due"] = json!(days);
        }
    }
    let own = |of: &Value| of["invoice_settings"]["days_until_due"].as_i64();
    let method = [phase, defaults].into_iter().find_map(|of| of["collection_method"].as_str());
    let message = match (method == Some(sending::WORD), own(phase)) {
        (true, None) if own(defaults).is_none() => {
            "must be specified if `collection_method` is `send_invoice`."
        }
        (false, Some(_)) => "can only be specified if `collection_method` is `send_invoice`.",
        _ => return Ok(()),
    };
    Err(ApiError::invalid(format!("`days_until_due` {message}")).param(param))
}

/// An empty text stays: it unsets the key of the subscription when the phase begins.
fn read_metadata(params: &mut Params) -> Result<Value, ApiError> {
    let mut metadata = params.clone().metadata(&json!({}))?;
    let Some(mut given) = params.children("metadata")? else {
        return Ok(metadata);
    };
    let names: Vec<String> = given.names().map(str::to_owned).collect();
    for name in names {
        if given.clearable(&name)? == Some(Change::Clear) {
            metadata[name] = json!("");
        }
    }
    Ok(metadata)
}

/// The currency and what is sold.
fn read_items(tx: &Tx, phase: &mut Params) -> Result<(String, Vec<Value>), ApiError> {
    let param = phase.full_name("items");
    let list = phase.list("items")?.unwrap_or_default();
    let (mut prices, mut items) = (Vec::<Value>::new(), Vec::new());
    for mut item in list {
        item.refuse(UNSUPPORTED_OF_ITEMS)?;
        let name = item.full_name("price");
        let price = read_price(tx, &mut item)?.ok_or_else(|| ApiError::missing_param(&name))?;
        let quantity = read_quantity(&mut item)?.unwrap_or(1);
        let metadata = read_metadata(&mut item)?;
        item.finish()?;
        if prices.iter().any(|known| known["id"] == price["id"]) {
            let message =
                format!("Cannot add multiple subscription items with the same plan: {}", text(&price, "id"));
            return Err(ApiError::invalid(message).param(name));
        }
        let mut sold = phases::item(text(&price, "id"), quantity);
        sold["metadata"] = metadata;
        items.push(sold);
        prices.push(price);
    }
    let Some(first) = prices.first() else {
        return Err(ApiError::missing_param(&param));
    };
    if items.len() > MOST_ITEMS {
        let message = format!("A phase can have at most {MOST_ITEMS} items.");
        return Err(ApiError::invalid(message).param(param));
    }
    let of = |price: &Value| {
        (price["recurring"]["interval"].clone(), number(&price["recurring"], "interval_count"))
    };
    if prices.iter().any(|price| of(price) != of(first) || price["currency"] != first["currency"]) {
        let message = "Currency and interval fields must match across all plans on this subscription.";
        return Err(ApiError::invalid(message).param(param));
    }
    Ok((text(first, "currency").to_owned(), items))
}

/// A subscription has one currency for all its life.
fn ensure_one_currency(tx: &Tx, schedule: &Value, wanted: &[Wanted]) -> Result<(), ApiError> {
    let subscription = tx.find(Kind::Subscription, text(schedule, "subscription"));
    let known = subscription.map(|subscription| subscription["currency"].clone());
    let first = wanted.first().map(|phase| phase.phase["currency"].clone());
    let currency = known.or(first).unwrap_or_default();
    match wanted.iter().find(|wanted| wanted.phase["currency"] != currency) {
        None => Ok(()),
        Some(wanted) => {
            let message = format!(
                "The price specified only supports another currency than the subscription's, {}.",
                currency.as_str().unwrap_or_default()
            );
            Err(ApiError::invalid(message).param(wanted.param("items")))
        }
    }
}
