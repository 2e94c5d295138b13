//! The table of contents: every route, and which middlewares stand before it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use leptos::prelude::provide_context;
use leptos_axum::{
    LeptosRoutes, file_and_error_handler_with_context, generate_route_list, site_pkg_dir_service,
    site_pkg_dir_service_route_path,
};
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;
use unsplit_billing::adapters::webhook::{self, Webhook};

use super::AppState;
use super::auth::{Authenticate, CurrentUser, provide_request_context, resolve_user};
use super::gate::gate;
use super::health::{livez, readyz};
use super::security::{SecurityPolicy, same_origin, security_headers};
use super::session::{RedisSessionStore, answer_outages, carry_flash, session_layer};
use crate::app::view::FrameView;
use crate::app::{App, shell};

/// Old enough for a delivery that Stripe repeats at once, as in Stripe's SDKs.
const SIGNATURE_TOLERANCE: Duration = Duration::from_secs(300);

/// The whole app. `sessions` keeps the sessions, `policy` says whose forms and pages these are.
#[must_use]
pub fn router(state: &AppState, sessions: RedisSessionStore, policy: Arc<SecurityPolicy>) -> Router {
    let auth: Arc<dyn Authenticate> = state.auth.clone();
    let personal = Router::new()
        .leptos_routes_with_context(state, generate_route_list(App), page_context(state), shell_of(state))
        .route("/api/subscription", get(subscription))
        .layer(from_fn_with_state(state.clone(), gate))
        .layer(from_fn(carry_flash))
        .layer(from_fn_with_state(auth, resolve_user))
        .layer(session_layer(sessions, policy.own_origin()))
        .layer(from_fn(answer_outages));
    let public = Router::new().route("/livez", get(livez)).route("/readyz", get(readyz));
    let pkg = site_pkg_dir_service_route_path(&state.leptos);
    personal
        .merge(public)
        .route_service(&pkg, site_pkg_dir_service(&state.leptos))
        .fallback(file_and_error_handler_with_context::<AppState, _>(page_context(state), shell))
        .with_state(state.clone())
        .merge(webhook::routes(webhook_of(state)))
        .layer(from_fn_with_state(policy.clone(), same_origin))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(policy, security_headers))
        .layer(TraceLayer::new_for_http())
}

fn shell_of(state: &AppState) -> impl Fn() -> leptos::prelude::AnyView + Clone + Send + Sync + 'static {
    use leptos::prelude::IntoAny;
    let options = state.leptos.clone();
    move || shell(options.clone()).into_any()
}

/// What pages and server functions find in leptos' context.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        provide_request_context();
        let user = leptos::prelude::use_context::<CurrentUser>();
        let signed_in = user.is_some_and(|CurrentUser(user)| user.is_some());
        provide_context(FrameView { signed_in, test_mode: state.config.is_test() });
        provide_context(state.clone());
    }
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

fn problem(status: StatusCode, error: &str) -> Response {
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}
