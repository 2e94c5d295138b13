//! The way of an API request: log, fault, key, version, parameters, idempotency, one transaction, expansion,
//! answer. Resources see none of this.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::API_VERSION;
use crate::api::{self, Call, Operation};
use crate::error::ApiError;
use crate::expand;
use crate::faults::{self, Cut, Fault, Met, cut_connection};
use crate::form::{self, BadForm};
use crate::idempotency::{Body, Key, Stored};
use crate::keys;
use crate::list;
use crate::params::Params;
use crate::requests::Logged;
use crate::server::App;
use crate::state::{Stamp, StoreError, Tx, clock, ids};

/// A request whose form was read.
struct Received {
    request_id: String,
    method: Method,
    path: String,
    headers: HeaderMap,
    params: Params,
    as_json: Value,
}

/// What comes of a request.
enum Outcome {
    Answer { stored: Stored, looked_at: u64 },
    Refused(ApiError),
    Cut,
}

impl Outcome {
    /// Writes what came of it into the log; the status stays 0 if there is none.
    fn note_in(&self, logged: &mut Logged) {
        match self {
            Outcome::Answer { stored, looked_at } => {
                (logged.status, logged.looked_at) = (stored.status, *looked_at);
                logged.error = stored.body.json()["error"]["message"].as_str().map(str::to_owned);
            }
            Outcome::Refused(error) => {
                (logged.status, logged.error) = (error.status().as_u16(), Some(error.message().to_owned()));
            }
            Outcome::Cut => {}
        }
    }
}

impl From<ApiError> for Outcome {
    fn from(error: ApiError) -> Outcome {
        Outcome::Refused(error)
    }
}

/// Answers everything under `/v1`, and whatever is nowhere else.
pub async fn handle(
    Shared(app): Shared<App>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let request_id = ids::new("req_");
    let path = uri.path().to_owned();
    let body =
        body.map_err(|error| ApiError::new(error.status(), "invalid_request_error", error.body_text()));
    let read = body.and_then(|body| read_params(&method, &uri, &headers, &body));
    let params = read.as_ref().map_or(Value::Null, |fields| form::to_json(fields));
    let mut logged = Logged {
        method: method.to_string(),
        path: path.clone(),
        query: uri.query().unwrap_or_default().to_owned(),
        params: params.clone(),
        request_id: request_id.clone(),
        idempotency_key: header(&headers, "idempotency-key").map(str::to_owned),
        ..Logged::default()
    };
    let mut met = Met::default();
    let own = faults::of_header(header(&headers, faults::HEADER));
    let outcome = match read.and_then(|fields| Ok((Params::new(fields), own?))) {
        Err(error) => Outcome::Refused(error),
        Ok((fields, own)) => {
            met = app.faults.meet(own, method.as_str(), &path);
            let id = request_id.clone();
            let received =
                Received { request_id: id, method, path, headers, params: fields, as_json: params };
            answer(&app, received, &met.fault).await.unwrap_or_else(|outcome| outcome)
        }
    };
    outcome.note_in(&mut logged);
    logged.at = app.state.read(|store| store.clock.now());
    let response = respond(&app, outcome, &request_id, logged.at);
    tracing::debug!(logged.method, logged.path, logged.status, request_id, "request");
    app.requests.push(logged);
    met.keep_back().await;
    response
}

async fn answer(app: &App, received: Received, fault: &Fault) -> Result<Outcome, Outcome> {
    let key = idempotency_key(&received)?;
    let claim = key.as_ref().map(|key| app.keys_in_use.claim(&key.key)).transpose();
    // A fault comes first: an outage does not look at keys.
    fault.wait().await;
    refuse_by(fault)?;
    let claim = claim?;
    let authorization = header(&received.headers, "authorization").unwrap_or_default();
    keys::check(authorization, &app.secret_key)?;
    check_version(&received.headers)?;
    let method = received.method.as_str();
    app.limiter.admit(method, || api::pattern(method, &received.path), Instant::now())?;
    let (stored, looked_at) = execute(app, received, key).await?;
    drop(claim);
    if fault.cut == Some(Cut::After) { Err(Outcome::Cut) } else { Ok(Outcome::Answer { stored, looked_at }) }
}

fn refuse_by(fault: &Fault) -> Result<(), Outcome> {
    match (fault.cut, fault.error()) {
        (Some(Cut::Before), _) => Err(Outcome::Cut),
        (_, Some(error)) => Err(Outcome::Refused(error)),
        _ => Ok(()),
    }
}

/// Runs the operation in a transaction, or gives the answer that its idempotency key already has.
async fn execute(app: &App, received: Received, key: Option<Key>) -> Result<(Stored, u64), ApiError> {
    let (operation, path) = api::route(received.method.as_str(), &received.path)?;
    let stamp = Stamp {
        request_id: Some(received.request_id.clone()),
        idempotency_key: key.as_ref().map(|key| key.key.clone()),
    };
    let log_url = app.log_url(&received.request_id);
    app.state
        .transact(stamp, move |tx| {
            let looked_at = tx.store().looked_at();
            if let Some(key) = &key
                && let Some(stored) = key.stored(tx)?
            {
                return Ok((stored, 0));
            }
            let before = tx.savepoint();
            let (status, body) = match run(tx, operation, path, received.params) {
                Ok(body) => (StatusCode::OK, body),
                Err(error) if error.is_stored() => {
                    if !error.keeps_changes() {
                        tx.roll_back_to(&before);
                    }
                    (error.status(), Body::Json(error.body(&log_url)))
                }
                Err(error) => return Err(error),
            };
            let answer = Stored { status: status.as_u16(), body, request_id: received.request_id };
            if let Some(key) = &key {
                key.store(tx, &answer);
            }
            Ok((answer, tx.store().looked_at() - looked_at))
        })
        .await
}

fn run(tx: &mut Tx, operation: Operation, path: Vec<String>, mut params: Params) -> Result<Body, ApiError> {
    let paths = params.texts("expand")?.unwrap_or_default();
    follow_test_clock(tx, &path, &params);
    let mut answer = operation(&mut Call { tx, path, params })?;
    if let Some(kind) = tx.named_page() {
        if paths.is_empty() {
            let written = list::write(tx.store(), kind, &answer);
            return Ok(Body::Written(written.map_err(StoreError::from)?.into()));
        }
        list::show(tx.store(), kind, &mut answer);
    }
    expand::apply(tx.store(), &mut answer, &paths)?;
    Ok(Body::Json(answer))
}

/// Whatever concerns a customer with a test clock happens at that clock's time.
fn follow_test_clock(tx: &mut Tx, path: &[String], params: &Params) {
    let owners = ["customer", "subscription", "from_subscription", "schedule", "test_clock"];
    let names = owners.into_iter().chain(["invoice", "charge", "payment_intent"]);
    let named = names.filter_map(|name| params.peek(name));
    let ids: Vec<String> = path.iter().cloned().chain(named.map(str::to_owned)).collect();
    let time = ids.iter().find_map(|id| tx.test_time(id));
    tx.set_time(time);
}

fn respond(app: &App, outcome: Outcome, request_id: &str, at: i64) -> Response {
    let mut response = match outcome {
        Outcome::Cut => return cut_connection(),
        Outcome::Refused(error) => error.response(&app.log_url(request_id)),
        Outcome::Answer { stored, .. } => {
            let mut response = written(stored.status, stored.body);
            if stored.request_id != request_id {
                set(&mut response, "idempotent-replayed", "true");
                set(&mut response, "original-request", &stored.request_id);
            }
            response
        }
    };
    set(&mut response, "request-id", request_id);
    set(&mut response, "stripe-version", API_VERSION);
    // By the emulator's clock, which its `created` follow too.
    set(&mut response, "date", &clock::http_date(at));
    response
}

fn written(status: u16, body: Body) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    match body.into_bytes() {
        Ok(bytes) => (status, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The query's parameters, and for POST and DELETE the body's.
fn read_params(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Vec<(String, form::Node)>, ApiError> {
    let mut encoded = uri.query().unwrap_or_default().as_bytes().to_vec();
    if method != Method::GET && !body.is_empty() {
        let content_type = header(headers, "content-type").unwrap_or_default();
        if !content_type.is_empty() && !content_type.starts_with("application/x-www-form-urlencoded") {
            let message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded). \
                           If you have any questions, we can help at https://support.stripe.com/.";
            return Err(ApiError::invalid(message));
        }
        encoded.push(b'&');
        encoded.extend_from_slice(body);
    }
    form::parse(&encoded).map_err(|bad| match bad {
        BadForm::Key(key) => ApiError::invalid(format!("Invalid parameter name: {key}")).param(key),
        BadForm::TooMany => ApiError::invalid("There are too many parameters."),
    })
}

fn idempotency_key(received: &Received) -> Result<Option<Key>, ApiError> {
    match header(&received.headers, "idempotency-key") {
        Some(key) if received.method == Method::POST => {
            Key::new(key, &received.path, &received.as_json).map(Some)
        }
        _ => Ok(None),
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match header(headers, "stripe-version") {
        None | Some(API_VERSION) => Ok(()),
        Some(other) => Err(ApiError::invalid(format!(
            "Invalid Stripe API version: {other}. stripe-emulator serves {API_VERSION} only; send that version, or no \
             Stripe-Version header."
        ))),
    }
}
