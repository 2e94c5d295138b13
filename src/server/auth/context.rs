//! Carries what the middlewares found out about a request into leptos' context, where pages read
//! it: `CurrentUser`, the `Flash`, and the nonce of the Content-Security-Policy.

use axum::http::request::Parts;
use leptos::nonce::Nonce;
use leptos::prelude::{ServerFnError, provide_context, use_context};

use super::{CurrentUser, User};
use crate::app::flash::Flash;
use crate::server::security::CspNonce;

/// To be called in the additional context of `leptos_routes_with_context`, of the server
/// functions' handler, and of the handler of unknown paths. A page outside of `resolve_user`
/// (404) sees nobody.
pub fn provide_request_context() {
    let Some(parts) = use_context::<Parts>() else {
        return;
    };
    provide_context(parts.extensions.get::<CurrentUser>().cloned().unwrap_or_default());
    if let Some(flash) = parts.extensions.get::<Flash>() {
        provide_context(flash.clone());
    }
    if let Some(CspNonce(nonce)) = parts.extensions.get::<CspNonce>() {
        provide_context::<Nonce>(nonce.clone());
    }
}

/// The user of this request, for what only users may do.
///
/// # Errors
/// `ServerFnError` where nobody is logged in.
pub fn logged_in() -> Result<User, ServerFnError> {
    let user = use_context::<CurrentUser>().and_then(|CurrentUser(user)| user);
    user.ok_or_else(|| ServerFnError::new("Log in first."))
}
