//! The hands of a test or a developer, under `/_emulator`: what was asked and sent, holding webhooks back,
//! loading, faults, the clock, changing an object, starting afresh. No API key, but only from this machine.
//! Answers are JSON; `console` shows the same to people.

mod console;
mod deliveries;
mod faults;
mod limits;
mod load;
mod objects;
mod renewals;
mod snapshot;
mod time_and_state;

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Query, Request, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api;
use crate::browser;
use crate::form::{self, BadForm};
use crate::server::App;
use crate::state::{Kind, StoreError};

/// A refused control, as `{"error": "…"}`.
#[derive(Debug)]
pub struct ControlError(StatusCode, String);

impl ControlError {
    pub fn bad(message: impl Into<String>) -> ControlError {
        ControlError(StatusCode::BAD_REQUEST, message.into())
    }

    pub fn broken(message: impl Into<String>) -> ControlError {
        ControlError(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }

    pub fn missing(message: impl Into<String>) -> ControlError {
        ControlError(StatusCode::NOT_FOUND, message.into())
    }
}

impl From<StoreError> for ControlError {
    fn from(error: StoreError) -> ControlError {
        ControlError(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Answer = Result<Json<Value>, ControlError>;

pub fn router() -> Router<App> {
    Router::new()
        .route("/_emulator/endpoints", get(endpoints))
        .route("/_emulator/requests", get(requests).delete(forget_requests))
        .route("/_emulator/events", get(events))
        .route("/_emulator/deliveries", get(deliveries::list).post(deliveries::set_mode))
        .route("/_emulator/deliveries/redeliver", post(deliveries::redeliver))
        .route("/_emulator/faults", get(faults::list).post(faults::add).delete(faults::clear))
        .route("/_emulator/faults/seed", post(faults::seed))
        .route("/_emulator/faults/release", post(faults::release))
        .route("/_emulator/renewals/decline", post(renewals::decline))
        .route("/_emulator/limits", get(limits::show).post(limits::set))
        .route("/_emulator/load", post(load::run))
        .route("/_emulator/objects/{kind}/{id}", get(console::show_object).post(objects::patch))
        .route("/_emulator/clock", get(time_and_state::clock).post(time_and_state::advance))
        .route("/_emulator/billing", get(time_and_state::billing).post(time_and_state::set_billing))
        .route("/_emulator/snapshot", get(snapshot::take).post(snapshot::restore).layer(snapshot::large()))
        .route("/_emulator/reset", post(time_and_state::reset))
        .merge(console::router())
        .route("/_emulator/{*path}", any(unknown))
        .layer(middleware::from_fn(only_from_here))
}

/// Refuses other machines, and other sites in a browser on this one.
async fn only_from_here(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let is_from_here = peer.ip().to_canonical().is_loopback() && browser::is_named_here(headers);
    if !is_from_here || browser::is_foreign(request.method(), headers) {
        let message = "the controls answer to this machine only, by its address or as localhost".to_owned();
        return ControlError(StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

async fn unknown(request: Request) -> ControlError {
    ControlError::missing(format!("no control {} {}", request.method(), request.uri().path()))
}

#[derive(Deserialize)]
pub struct Limit {
    limit: Option<usize>,
}

impl Limit {
    /// 100 unless told.
    pub fn count(&self) -> usize {
        self.limit.unwrap_or(100)
    }
}

/// What is served under `/v1`, so that others need no list of their own.
async fn endpoints() -> Json<Value> {
    let all: Vec<Value> =
        api::endpoints().map(|(method, path)| json!({ "method": method, "path": path })).collect();
    Json(json!({ "data": all }))
}

async fn requests(Shared(app): Shared<App>, Query(limit): Query<Limit>) -> Answer {
    Ok(Json(json!({ "data": app.requests.newest(limit.count()) })))
}

async fn forget_requests(Shared(app): Shared<App>) -> Answer {
    app.requests.clear();
    Ok(Json(json!({ "data": [] })))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// The newest date first, as `/v1/events` has them.
    Created,
    /// What happened last first: events of a test clock may be dated long before and after others.
    Stored,
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<usize>,
    order: Option<Order>,
}

async fn events(Shared(app): Shared<App>, Query(wanted): Query<Wanted>) -> Answer {
    let limit = Limit { limit: wanted.limit }.count();
    let data = match wanted.order {
        None | Some(Order::Created) => newest(&app, Kind::Event, limit),
        Some(Order::Stored) => app.state.read(|store| {
            let all = store.collection(Kind::Event).into_iter().flat_map(|all| all.newest_first());
            let mut all: Vec<_> = all.collect();
            all.sort_unstable_by_key(|record| std::cmp::Reverse(record.seq));
            all.into_iter().take(limit).map(|record| record.value().into_owned()).collect()
        }),
    };
    Ok(Json(json!({ "data": data })))
}

/// The newest objects of a kind.
pub fn newest(app: &App, kind: Kind, limit: usize) -> Vec<Value> {
    app.state.read(|store| {
        let all = store.collection(kind).into_iter().flat_map(|all| all.newest_first());
        all.take(limit).map(|record| record.value().into_owned()).collect()
    })
}

/// Reads a body as JSON, or as a form if it says so. The error names the field.
pub fn read_body<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, ControlError> {
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = if content_type.starts_with("application/x-www-form-urlencoded") {
        form::parse(body).map(|fields| form::to_json(&fields)).map_err(|bad| match bad {
            BadForm::Key(key) => ControlError::bad(format!("bad key {key}")),
            BadForm::TooMany => ControlError::bad("too many fields"),
        })?
    } else {
        serde_json::from_slice(body)
            .map_err(|error| ControlError::bad(format!("the body is not JSON: {error}")))?
    };
    serde_json::from_value(value).map_err(|error| ControlError::bad(error.to_string()))
}
