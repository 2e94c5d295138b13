//! The clock and the reset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ControlError, read_body};
use crate::server::App;
use crate::state::{CLOCK, Kind, Stamp, StoreError};

pub async fn clock(Shared(app): Shared<App>) -> Answer {
    Ok(Json(json!({ "now": app.state.read(|store| store.clock.now()) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

/// Moves the clock forward; what becomes due happens before the answer.
pub async fn advance(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let Advance { advance_seconds } = read_body(&headers, &body)?;
    if !(0..=10 * 366 * 86_400).contains(&advance_seconds) {
        return Err(ControlError::bad("advance_seconds must be 0 to ten years; time only goes forward"));
    }
    let advanced = app.state.transact(Stamp::default(), move |tx| {
        let offset = tx.store().clock.offset() + advance_seconds;
        tx.put(Kind::Setting, json!({ "id": CLOCK, "offset": offset }));
        Ok::<_, StoreError>(())
    });
    advanced.await?;
    // A second transaction, because what is due is done before one and not after it.
    app.state.transact(Stamp::default(), |_| Ok::<_, StoreError>(())).await?;
    clock(Shared(app)).await
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
