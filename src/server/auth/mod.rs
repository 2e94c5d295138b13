//! Who is the user of this request? The one seam is `Authenticate`: everything else in the app
//! sees only `CurrentUser`. `Accounts` is our own answer (e-mail and password, kept in Redis);
//! docs/authentication.md shows how to put another in its place. May not know billing.

mod accounts;
mod address;
mod context;
mod email;
mod forms;
mod hasher;
mod limits;
mod log_in_first;
mod password;
mod records;
mod resolve;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use unsplit_billing::id::UserId;

pub use accounts::{AccountError, AccountSettings, Accounts, Rejected};
pub use address::{ClientAddress, TrustedProxies};
pub use context::{logged_in, provide_request_context};
pub use email::{Email, InvalidEmail};
pub use forms::{Form, enter, leave};
pub use hasher::HashingSettings;
pub use limits::{AttemptLimits, Limit};
pub use log_in_first::remember_and_log_in;
pub use password::{InvalidPassword, Password};
pub use resolve::resolve_user;

/// A person with an account. The id never changes; the e-mail may.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: String,
}

/// Without the e-mail, so that it can't get into a log.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// It could not be found out who the user is. Never to be taken for "nobody": the answer is 503.
#[derive(Debug, thiserror::Error)]
#[error("who the user is can't be found out: {0}")]
pub struct AuthError(pub String);

/// The seam. An implementation reads what it needs from the request's head: our session
/// (`parts.extensions.get::<tower_sessions::Session>()`), a token, a proxy's header.
#[async_trait]
pub trait Authenticate: Send + Sync {
    /// # Errors
    /// `AuthError` where it can't be found out right now. A wrong or expired credential is no
    /// error: the answer is `None`.
    async fn user(&self, request: &Parts) -> Result<Option<User>, AuthError>;
}

/// The user of this request, put into its extensions by `resolve_user`. As an extractor it is
/// refused with 500 on a route without that middleware: forgetting it must not mean "nobody".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CurrentUser(pub Option<User>);

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or((StatusCode::INTERNAL_SERVER_ERROR, "This route needs the middleware resolve_user."))
    }
}

/// Compiles the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/authentication.md")]
struct Guide;
