//! What is decided before a page streams, as its status and headers are gone afterwards: who may
//! see it, and whether a buyer has a customer at all.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use leptos::prelude::{ServerFnError, use_context};
use leptos_axum::ResponseOptions;
use tower_sessions::Session;
use unsplit_billing::access::access;
use unsplit_billing::id::CustomerId;
use unsplit_billing::plan::Plan;
use unsplit_billing::subscription::Subscription;

use super::AppState;
use super::auth::{CurrentUser, remember_and_log_in};
use super::session::outage_page;

/// The pages that need a user.
const FOR_USERS: [&str; 3] = ["/account", "/app", "/checkout/success"];

/// Each of them with whatever lies below it.
fn is_for_users(path: &str) -> bool {
    FOR_USERS
        .iter()
        .any(|page| path.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
/// The page that needs a customer besides.
pub(super) const AFTER_CHECKOUT: &str = "/checkout/success";

/// The customer of the user who comes back from Stripe, as a request extension.
#[derive(Debug, Clone)]
pub struct Returning(pub CustomerId);

/// Middleware inside the session layer and `resolve_user`.
pub async fn gate(
    State(state): State<AppState>,
    session: Session,
    CurrentUser(user): CurrentUser,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().trim_end_matches('/');
    if !is_for_users(path) {
        return next.run(request).await;
    }
    let Some(user) = user else {
        return remember_and_log_in(session, Some(request.uri()), request.headers()).await;
    };
    if path == AFTER_CHECKOUT {
        match state.billing.find_customer(&user.id).await {
            Ok(Some(customer)) => request.extensions_mut().insert(Returning(customer)),
            Ok(None) => return Redirect::to("/pricing").into_response(),
            Err(error) => return outage_page(&error, request.headers()),
        };
    }
    next.run(request).await
}

/// What a subscriber may use.
pub struct Pass {
    pub plan: Plan,
    pub subscription: Subscription,
}

/// The gate of a page or a server function: `let Some(pass) = subscriber().await? else { … };`.
///
/// # Errors
/// `ServerFnError`, with status 503, where Redis does not answer: nobody is let in by an outage,
/// and nobody is told that they have no plan.
pub async fn subscriber() -> Result<Option<Pass>, ServerFnError> {
    let state = context::<AppState>()?;
    let Some(user) = context::<CurrentUser>()?.0 else { return Ok(None) };
    let snapshot = state.billing.subscription_of(&user.id).await.map_err(unavailable)?;
    let Some(snapshot) = snapshot else { return Ok(None) };
    let access = access(&snapshot, state.billing.access_policy(), state.billing.now());
    let plan = access.plan().and_then(|plan| state.billing.catalog().plan(plan)).cloned();
    Ok(plan.zip(snapshot.subscription).map(|(plan, subscription)| Pass { plan, subscription }))
}

/// Something of the request's context.
///
/// # Errors
/// `ServerFnError` outside of a request.
pub fn context<T: Clone + 'static>() -> Result<T, ServerFnError> {
    use_context::<T>().ok_or_else(|| ServerFnError::new("The server is not set up for this page."))
}

/// Logs why, sets 503, and says nothing of it to the page.
pub fn unavailable(error: impl std::fmt::Display) -> ServerFnError {
    tracing::error!(%error, "a page could not be loaded");
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    }
    ServerFnError::new("Something we depend on does not answer. Try again in a moment.")
}
