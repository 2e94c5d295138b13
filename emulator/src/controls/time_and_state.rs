//! The clock, the Dashboard's billing settings, and the reset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ControlError, read_body};
use crate::server::App;
use crate::state::clock::{Clock, FASTEST};
use crate::state::{BillingSettings, Kind, Stamp, StoreError};

/// How far the clock may be moved at once.
const LONGEST: i64 = 10 * 366 * 86_400;

pub async fn clock(Shared(app): Shared<App>) -> Answer {
    let clock = app.state.read(|store| store.clock);
    Ok(Json(json!({ "now": clock.now(), "speed": clock.speed() })))
}

/// Which way the clock is to go; at least one of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_seconds: Option<i64>,
    /// Seconds since 1970.
    to: Option<i64>,
    /// How many of its seconds pass in a second.
    speed: Option<i64>,
}

/// Moves the clock forward or sets its speed; what becomes due happens before the answer.
pub async fn advance(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let wanted: Move = read_body(&headers, &body)?;
    let moved = app.state.transact(Stamp::default(), move |tx| {
        let clock = wanted.apply(tx.store().clock)?;
        tx.put(Kind::Setting, clock.setting());
        Ok::<_, ControlError>(())
    });
    moved.await?;
    // A second transaction, because what is due is done before one and not after it.
    app.state.transact(Stamp::default(), |_| Ok::<_, StoreError>(())).await?;
    self::clock(Shared(app)).await
}

impl Move {
    fn apply(&self, mut clock: Clock) -> Result<Clock, ControlError> {
        let by = match (self.advance_seconds, self.to, self.speed) {
            (None, None, None) => {
                return Err(ControlError::bad("one of advance_seconds, to and speed is missing"));
            }
            (Some(_), Some(_), _) => {
                return Err(ControlError::bad("only one of advance_seconds and to may be given"));
            }
            (Some(seconds), None, _) => seconds,
            (None, Some(to), _) => to.saturating_sub(clock.now()),
            (None, None, Some(_)) => 0,
        };
        if !(0..=LONGEST).contains(&by) {
            let name = if self.to.is_some() { "to" } else { "advance_seconds" };
            return Err(ControlError::bad(format!(
                "{name} must be 0 to ten years ahead; time only goes forward"
            )));
        }
        clock = clock.advanced(by);
        match self.speed {
            None => Ok(clock),
            Some(speed) if (1..=FASTEST).contains(&speed) => Ok(clock.at_speed(speed)),
            Some(_) => Err(ControlError::bad(format!("speed must be 1 to {FASTEST}"))),
        }
    }
}

/// The Dashboard's billing settings.
pub async fn billing(Shared(app): Shared<App>) -> Answer {
    Ok(Json(json!(app.state.read(BillingSettings::read))))
}

/// `{"retry_days": [3, 5, 7], "after_retries": "cancel" | "mark_unpaid" | "leave_past_due"}`; what is left out is as
/// at the start. `will_be_due_days` and `overdue_days` are those of the Dashboard's automations.
pub async fn set_billing(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let settings: BillingSettings = read_body(&headers, &body)?;
    settings.check().map_err(ControlError::bad)?;
    let stored = app.state.transact(Stamp::default(), move |tx| {
        tx.put(Kind::Setting, settings.setting());
        Ok::<_, StoreError>(())
    });
    stored.await?;
    billing(Shared(app)).await
}

/// Forgets everything but the account: objects, requests, faults, the clock's offset and how deliveries go.
pub async fn reset(Shared(app): Shared<App>) -> Answer {
    app.state
        .reset()
        .map_err(|error| ControlError::bad(format!("the state could not be emptied: {error}")))?;
    app.requests.clear();
    app.limiter.reset();
    app.faults.clear();
    app.faults.set_seed(0);
    Ok(Json(json!({ "account": app.state.read(crate::state::Store::account_id) })))
}
