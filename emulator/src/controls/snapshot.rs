//! The whole state as a file: taken here, restored here or elsewhere, so that a test begins from a prepared world.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Answer, ControlError};
use crate::server::App;
use crate::state::{RestoreError, Store};

/// As much as a hundred thousand customers with all of theirs take.
const LARGEST: usize = 2 * 1024 * 1024 * 1024;

pub fn large() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LARGEST)
}

/// Everything, one object a line: objects, events, deliveries, idempotency keys, the clock. Not faults, limits,
/// requests and how deliveries go.
pub async fn take(Shared(app): Shared<App>) -> Result<Response, ControlError> {
    let lines = app.state.snapshot().map_err(|error| ControlError::bad(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], lines).into_response())
}

/// Puts a snapshot in the place of everything. One that cannot be read changes nothing.
pub async fn restore(Shared(app): Shared<App>, body: Bytes) -> Answer {
    let state = app.state.clone();
    let restored = tokio::task::spawn_blocking(move || state.restore(&body)).await;
    let restored = restored.map_err(|error| ControlError::broken(error.to_string()))?;
    restored.map_err(|error| match error {
        RestoreError::Write(_) => ControlError::broken(error.to_string()),
        _ => ControlError::bad(error.to_string()),
    })?;
    Ok(Json(json!({ "account": app.state.read(Store::account_id) })))
}
