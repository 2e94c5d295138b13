//! What is decided before a page streams, as its status and headers are gone afterwards: who may
//! see it, and whether a buyer has a customer at all.

use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use leptos::prelude::{ServerFnError, use_context};
use leptos_axum::ResponseOptions;
use tower_sessions::Session;
use unsplit_billing::access::{Access, access};
use unsplit_billing::error::Error;
use unsplit_billing::id::CustomerId;
use unsplit_billing::plan::Plan;
use unsplit_billing::service::Billing;
use unsplit_billing::subscription::Subscription;

use super::AppState;
use super::auth::{CurrentUser, User, remember_and_log_in};
use super::session::outage_page;
use crate::app::view::{Trials, YearAheadView, banner, year_ahead};

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
    pub access: Access,
}

impl Pass {
    /// `None` for who has no plan that may be used now.
    async fn of(billing: &Billing, user: &User) -> Result<Option<Self>, Error> {
        let Some(snapshot) = billing.subscription_of(&user.id).await? else { return Ok(None) };
        let access = access(&snapshot, billing.access_policy(), billing.now());
        let plan = access.plan().and_then(|plan| billing.catalog().plan(plan)).cloned();
        let pass = plan.zip(snapshot.subscription);
        Ok(pass.map(|(plan, subscription)| Self { plan, subscription, access }))
    }
}

/// The gate of a page or a server function: `let Some(pass) = subscriber().await? else { … };`.
///
/// # Errors
/// `ServerFnError`, with status 503, where Redis does not answer: nobody is let in by an outage,
/// and nobody is told that they have no plan.
pub async fn subscriber() -> Result<Option<Pass>, ServerFnError> {
    let state = context::<AppState>()?;
    let Some(user) = context::<CurrentUser>()?.0 else { return Ok(None) };
    Pass::of(&state.billing, &user).await.map_err(unavailable)
}

/// The gate of an axum route: `Subscriber(pass): Subscriber` among its arguments. Who is not let in
/// gets a JSON answer: 401 without a log-in, 403 without a plan, 503 where that can't be known.
pub struct Subscriber(pub Pass);

impl FromRequestParts<AppState> for Subscriber {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let user = CurrentUser::from_request_parts(parts, state).await;
        let CurrentUser(user) = user.map_err(IntoResponse::into_response)?;
        let user = user.ok_or_else(|| problem(StatusCode::UNAUTHORIZED, "Log in first."))?;
        match Pass::of(&state.billing, &user).await {
            Ok(Some(pass)) => Ok(Self(pass)),
            Ok(None) => Err(problem(StatusCode::FORBIDDEN, "This comes with a paid plan.")),
            Err(error) => {
                tracing::error!(%error, "what a user may do could not be read");
                let text = "Something we depend on does not answer. Try again.";
                Err(problem(StatusCode::SERVICE_UNAVAILABLE, text))
            }
        }
    }
}

/// An error of a route for programs.
pub fn problem(status: StatusCode, error: &str) -> Response {
    (status, Json(serde_json::json!({ "error": error }))).into_response()
}

/// The example feature, as the page and the route show it.
#[must_use]
pub fn year_ahead_of(billing: &Billing, pass: &Pass) -> YearAheadView {
    let (catalog, now) = (billing.catalog(), billing.now());
    let notice = banner(&pass.subscription, catalog, &pass.access, now);
    YearAheadView { notice, ..year_ahead(&pass.subscription, catalog, now) }
}

/// `GET /api/year_ahead`: the example feature for programs, and how a route is gated.
pub async fn year_ahead_route(
    Subscriber(pass): Subscriber,
    State(state): State<AppState>,
) -> Json<YearAheadView> {
    Json(year_ahead_of(&state.billing, &pass))
}

/// Whether the prices are shown with a free trial. That it can't be read hides no price: the checkout
/// looks again.
pub async fn trials_for(billing: &Billing, user: Option<&User>) -> Trials {
    let Some(user) = user.filter(|_| billing.catalog().has_trials()) else { return Trials::Offered };
    match billing.trial_is_used(&user.id).await {
        Ok(false) => Trials::Offered,
        Ok(true) | Err(_) => Trials::UsedUp,
    }
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
