//! The limits of the rate; `crate::limits` says what they do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde_json::json;

use super::{Answer, ControlError, read_body};
use crate::limits::RateLimits;
use crate::server::App;

pub async fn show(Shared(app): Shared<App>) -> Answer {
    Ok(Json(json!(app.limiter.limits())))
}

/// `{"account": n, "endpoint": n}`, requests a second; what is left out is without a limit.
pub async fn set(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let limits: RateLimits = read_body(&headers, &body)?;
    limits.check().map_err(ControlError::bad)?;
    app.limiter.set(limits);
    show(Shared(app)).await
}
