//! The table of contents: every route, and which middlewares stand before it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use leptos_axum::{LeptosRoutes, generate_route_list};
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;
use tower_http::trace::TraceLayer;
use unsplit_billing::adapters::webhook::{self, Webhook};

use super::AppState;
use super::auth::{Authenticate, CurrentUser, resolve_user};
use super::gate::{gate, problem, year_ahead_route};
use super::health::{livez, readyz};
use super::live::live;
use super::metrics::metrics;
use super::portal;
use super::render::{not_found, page, server_function};
use super::security::{SecurityPolicy, same_origin, security_headers};
use super::session::{RedisSessionStore, answer_outages, carry_flash, session_layer};
use crate::app::App;

/// Old enough for a delivery that Stripe repeats at once, as in Stripe's SDKs.
const SIGNATURE_TOLERANCE: Duration = Duration::from_secs(300);

/// The whole app. `sessions` keeps the sessions, `policy` says whose forms and pages these are.
pub fn router(state: &AppState, sessions: RedisSessionStore, policy: Arc<SecurityPolicy>) -> Router {
    let auth: Arc<dyn Authenticate> = state.auth.clone();
    let personal = Router::new()
        .leptos_routes_with_handler(generate_route_list(App), page)
        .route("/api/subscription", get(subscription))
        .route("/api/live", get(live))
        .route("/api/year_ahead", get(year_ahead_route))
        .route(portal::BACK, get(portal::back))
        .route("/api/{verb}", post(server_function))
        .layer(from_fn_with_state(state.clone(), gate))
        .layer(from_fn(carry_flash))
        .layer(from_fn_with_state(auth, resolve_user))
        .layer(session_layer(sessions, policy.own_origin()))
        .layer(from_fn(answer_outages));
    let public = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics));
    let files = ServeDir::new(state.leptos.site_root.as_ref())
        .append_index_html_on_directories(false)
        .fallback(get(not_found).with_state(state.clone()));
    personal
        .merge(public)
        .fallback_service(files)
        .with_state(state.clone())
        .layer(from_fn_with_state(policy.clone(), same_origin))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(policy, security_headers))
        // Stripe is no browser: it signs what it sends, and has no use for what the layers above do.
        .merge(webhook::routes(webhook_of(state)))
        .layer(TraceLayer::new_for_http())
}

fn webhook_of(state: &AppState) -> Webhook {
    Webhook {
        billing: state.billing.clone(),
        clock: state.clock.clone(),
        secrets: state.config.webhook_secrets.clone().into(),
        mode: state.config.mode,
        tolerance: SIGNATURE_TOLERANCE,
    }
}

/// `GET /api/subscription`: what Redis holds of the user, to the letter.
async fn subscription(State(state): State<AppState>, CurrentUser(user): CurrentUser) -> Response {
    let Some(user) = user else {
        return problem(StatusCode::UNAUTHORIZED, "Log in first.");
    };
    match state.billing.subscription_json(&user.id).await {
        Ok(json) => {
            let json = json.unwrap_or_else(|| r#"{"status":"none"}"#.to_owned());
            ([(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a subscription could not be read");
            problem(StatusCode::SERVICE_UNAVAILABLE, "Something we depend on does not answer. Try again.")
        }
    }
}
