//! What the console's buttons do: each reads its form, sends the JSON control that does it, and goes back to the
//! page with the button. It changes nothing by itself, so that people and tests can do the same things.

use axum::body::Bytes;
use axum::extract::{Form, State as Shared};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::{Answer, ControlError, deliveries, faults, renewals, time_and_state};
use super::faults::of_choice;
use super::frame::{Done, refused};
use crate::billing::period;
use crate::server::App;

const PANEL: &str = "/_emulator/panel";

/// Goes back with a notice, or shows what is wrong. `back` may be a page of the console only.
fn answer(answer: Answer, back: &str, done: impl FnOnce(&Value) -> Done) -> Response {
    let rest = back.strip_prefix("/_emulator");
    let back = match rest {
        Some(rest) if (rest.is_empty() || rest.starts_with('/')) && !back.contains(char::is_control) => back,
        _ => PANEL,
    };
    match answer {
        Ok(value) => Redirect::to(&format!("{back}?done={}", done(&value).word())).into_response(),
        Err(error) => refused(&error, back),
    }
}

fn body(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

#[derive(Deserialize)]
pub struct Move {
    #[serde(default)]
    back: String,
    by: Option<String>,
    to: Option<String>,
    speed: Option<i64>,
}

impl Move {
    /// The control's order.
    fn order(&self, now: i64) -> Result<Value, ControlError> {
        match (self.by.as_deref(), self.to.as_deref(), self.speed) {
            (Some("hour"), ..) => Ok(json!({ "advance_seconds": 3600 })),
            (Some("day"), ..) => Ok(json!({ "advance_seconds": 86_400 })),
            (Some("month"), ..) => Ok(json!({ "to": period::after(now, "month", 1, 1) })),
            (None, Some(to), _) => moment(to).map(|to| json!({ "to": to })).ok_or_else(|| {
                ControlError::bad("to must be a date and a time, for example 2027-01-31T09:30")
            }),
            (None, None, Some(speed)) => Ok(json!({ "speed": speed })),
            _ => Err(ControlError::bad("by must be hour, day or month; or to a moment, or a speed")),
        }
    }
}

pub async fn clock(Shared(app): Shared<App>, Form(form): Form<Move>) -> Response {
    let now = app.state.read(|store| store.clock.now());
    let moved = match form.order(now) {
        Ok(order) => time_and_state::advance(Shared(app), HeaderMap::new(), body(&order)).await,
        Err(error) => Err(error),
    };
    let done = if form.speed.is_some() { Done::Speed } else { Done::Clock };
    answer(moved, &form.back, |_| done)
}

/// `2027-01-31T09:30`, with or without seconds, as a form sends a moment in UTC.
fn moment(text: &str) -> Option<i64> {
    let seconds = if text.len() == "2027-01-31T09:30".len() { ":00Z" } else { "Z" };
    OffsetDateTime::parse(&format!("{text}{seconds}"), &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

/// A moment as a form takes it, to the minute.
pub fn local(at: i64) -> String {
    let text = OffsetDateTime::from_unix_timestamp(at).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.map(|text| text.chars().take("2027-01-31T09:30".len()).collect()).unwrap_or_default()
}

#[derive(Deserialize)]
pub struct Deliver {
    #[serde(default)]
    back: String,
    mode: String,
}

pub async fn deliveries(Shared(app): Shared<App>, Form(form): Form<Deliver>) -> Response {
    let order = body(&json!({ "mode": form.mode }));
    answer(deliveries::set_mode(Shared(app), HeaderMap::new(), order).await, &form.back, |_| Done::Deliveries)
}

#[derive(Deserialize)]
pub struct Resend {
    #[serde(default)]
    back: String,
    event: String,
}

pub async fn resend(Shared(app): Shared<App>, Form(form): Form<Resend>) -> Response {
    let order = body(&json!({ "event": form.event }));
    let sent = deliveries::redeliver(Shared(app), HeaderMap::new(), order).await;
    answer(sent, &form.back, |sent| if sent["sent"] == 0 { Done::Nobody } else { Done::Resent })
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct Order {
    back: String,
    choice: String,
    path: String,
    method: String,
    times: String,
    milliseconds: String,
}

impl Order {
    fn fault(&self) -> Result<Value, ControlError> {
        let milliseconds = whole("milliseconds", &self.milliseconds)?;
        let Some(mut fault) = of_choice(&self.choice, milliseconds) else {
            return Err(ControlError::bad("choice: this fault is not offered"));
        };
        let path = self.path.trim();
        if !path.is_empty() {
            fault.insert("path".to_owned(), json!(path));
        }
        if !self.method.is_empty() {
            fault.insert("method".to_owned(), json!(self.method));
        }
        if let Some(times) = whole("times", &self.times)? {
            fault.insert("times".to_owned(), json!(times));
        }
        Ok(Value::Object(fault))
    }
}

/// A number as a form has it; an empty field is none.
fn whole(name: &str, text: &str) -> Result<Option<u64>, ControlError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| ControlError::bad(format!("{name} must be a whole number")))
}

pub async fn fault(Shared(app): Shared<App>, Form(form): Form<Order>) -> Response {
    let added = match form.fault() {
        Ok(fault) => faults::add(Shared(app), HeaderMap::new(), body(&fault)).await,
        Err(error) => Err(error),
    };
    answer(added, &form.back, |_| Done::Fault)
}

#[derive(Deserialize)]
pub struct DeclineRenewal {
    #[serde(default)]
    back: String,
    subscription: String,
    decline_code: String,
}

pub async fn decline_renewal(Shared(app): Shared<App>, Form(form): Form<DeclineRenewal>) -> Response {
    let order = json!({ "subscription": form.subscription, "decline_code": form.decline_code });
    let ordered = renewals::decline(Shared(app), HeaderMap::new(), body(&order)).await;
    answer(ordered, &form.back, |_| Done::Renewal)
}

pub async fn clear_faults(Shared(app): Shared<App>) -> Response {
    answer(faults::clear(Shared(app)).await, PANEL, |_| Done::Cleared)
}

pub async fn release(Shared(app): Shared<App>) -> Response {
    answer(faults::release(Shared(app)).await, PANEL, |_| Done::Released)
}

pub async fn reset(Shared(app): Shared<App>) -> Response {
    answer(time_and_state::reset(Shared(app)).await, "/_emulator", |_| Done::Reset)
}
