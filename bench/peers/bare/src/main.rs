//! The least that a webhook route can do: verify the signature, write the customer's id to Redis, answer.
//! What Unsplit's intake is measured against. No logs, no retries, no worker.

use std::error::Error;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, Mac};
use redis::aio::ConnectionManager;
use serde::Deserialize;
use sha2::Sha256;

const TOLERANCE: u64 = 300;

#[derive(Clone)]
struct App {
    redis: ConnectionManager,
    secret: Arc<str>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    customer: &'a str,
}

fn is_signed(app: &App, headers: &HeaderMap, body: &[u8]) -> Option<()> {
    let header = headers.get("stripe-signature")?.to_str().ok()?;
    let (time, signature) = header.strip_prefix("t=")?.split_once(",v1=")?;
    let age = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs().saturating_sub(time.parse().ok()?);
    let mut mac = Hmac::<Sha256>::new_from_slice(app.secret.as_bytes()).ok()?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(&hex::decode(signature).ok()?).ok()?;
    (age <= TOLERANCE).then_some(())
}

async fn receive(State(mut app): State<App>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if is_signed(&app, &headers, &body).is_none() {
        return StatusCode::BAD_REQUEST;
    }
    let Ok(event) = serde_json::from_slice::<Event>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let customer = event.data.object.customer;
    let written: redis::RedisResult<()> =
        redis::cmd("SADD").arg("bare:due").arg(customer).query_async(&mut app.redis).await;
    if written.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let client = redis::Client::open(variable("REDIS_URL")?)?;
    let redis = ConnectionManager::new(client).await?;
    let app = App { redis, secret: variable("STRIPE_WEBHOOK_SECRET")?.into() };
    let router = Router::new().route("/webhooks/stripe", post(receive)).with_state(app);
    let listener = tokio::net::TcpListener::bind(variable("ADDRESS")?).await?;
    Ok(axum::serve(listener, router).await?)
}
