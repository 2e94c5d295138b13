//! Faults on order; `crate::faults` says what they do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ControlError, read_body};
use crate::faults::Fault;
use crate::server::App;

pub async fn list(Shared(app): Shared<App>) -> Answer {
    Ok(Json(json!({ "seed": app.faults.seed(), "data": app.faults.all() })))
}

pub async fn add(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let fault: Fault = read_body(&headers, &body)?;
    fault.check().map_err(ControlError::bad)?;
    app.faults.add(fault.clone());
    Ok(Json(json!(fault)))
}

pub async fn clear(Shared(app): Shared<App>) -> Answer {
    app.faults.clear();
    Ok(Json(json!({ "data": [] })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

/// Begins the chances of all faults anew.
pub async fn seed(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let Seed { seed } = read_body(&headers, &body)?;
    app.faults.set_seed(seed);
    Ok(Json(json!({ "seed": seed })))
}

/// Sends the answers that are held.
pub async fn release(Shared(app): Shared<App>) -> Answer {
    Ok(Json(json!({ "released": app.faults.release() })))
}
