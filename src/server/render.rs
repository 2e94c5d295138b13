//! Renders leptos' pages for axum, without the scripts that leptos sends along with every page
//! for a browser that takes the whole page over: here only islands do, and they bring their own.

use std::pin::Pin;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures::stream::{Stream, StreamExt, once};
use leptos::prelude::{AnyView, IntoAny, RenderHtml, provide_context, use_context};
use leptos_axum::{handle_response_inner, handle_server_fns_with_context};

use super::AppState;
use super::auth::{CurrentUser, provide_request_context};
use super::gate::AFTER_CHECKOUT;
use crate::app::shell;
use crate::app::view::FrameView;

type Html = Pin<Box<dyn Stream<Item = String> + Send>>;

/// A page of the route table. The one after checkout streams, as it waits for Stripe; the others
/// are complete before their status goes out.
pub async fn page(State(state): State<AppState>, request: Request) -> Response {
    let options = state.leptos.clone();
    let streams = request.uri().path().trim_end_matches('/') == AFTER_CHECKOUT;
    let document = move || shell(options).into_any();
    let context = context_of(&state);
    if streams {
        let stream = |app: AnyView, _, _| -> Pin<Box<dyn Future<Output = Html> + Send>> {
            Box::pin(async move { Box::pin(app.to_html_stream_in_order()) as Html })
        };
        return handle_response_inner(context, document, request, stream).await;
    }
    let whole = |app: AnyView, _, _| -> Pin<Box<dyn Future<Output = Html> + Send>> {
        Box::pin(async move {
            let html = app.to_html_stream_in_order().collect::<String>().await;
            Box::pin(once(async move { html })) as Html
        })
    };
    handle_response_inner(context, document, request, whole).await
}

/// The page for an address that is none of ours.
pub async fn not_found(state: State<AppState>, request: Request) -> Response {
    let mut response = page(state, request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// A form or a call of `app::api`.
pub async fn server_function(State(state): State<AppState>, request: Request) -> Response {
    use axum::response::IntoResponse;
    handle_server_fns_with_context(context_of(&state), request).await.into_response()
}

/// What pages and server functions find in leptos' context.
fn context_of(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        provide_request_context();
        let signed_in = use_context::<CurrentUser>().is_some_and(|CurrentUser(user)| user.is_some());
        provide_context(FrameView { signed_in, test_mode: state.config.is_test() });
        provide_context(state.clone());
    }
}
