//! The least that a Stripe to test against can do: Stripe's sample object for every request, as stripe-mock answers,
//! without state, keys or checks. What the emulator's state costs is measured against it. The answers are text that
//! is made at the start, so no request pays for JSON.

use std::error::Error;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use serde_json::{Value, json};

const SAMPLES: &str = include_str!("../../../../emulator/tests/schemas/samples.json");

/// `unsplit-bench-sample <port>`
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("the port is missing")?.parse()?;
    let samples: Value = serde_json::from_str(SAMPLES)?;
    let sample = |name: &str| samples["objects"][name].clone();
    let list = json!({ "object": "list", "data": [sample("subscription")], "has_more": false, "url": "/v1/subscriptions" });
    let (list, customer) = (list.to_string(), sample("customer").to_string());
    let answer = |text: String| async move { ([(CONTENT_TYPE, "application/json")], text) };
    let router = Router::new()
        .route("/v1/subscriptions", get(move || answer(list.clone())))
        .route("/v1/customers", post(move || answer(customer.clone())));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
