//! What can go wrong between us, Stripe and the store, told apart by what the caller must do.

use std::time::Duration;

use crate::change::Refusal;
use crate::id::{InvalidId, LookupKey};

/// An error of the store. Nothing was acknowledged; trying again is safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("Redis does not answer: {0}")]
    Unavailable(String),
    #[error("Redis holds at {key} what cannot be read: {reason}")]
    Unreadable { key: String, reason: String },
}

/// An error of a call to Stripe. It carries no e-mail, card or key.
#[derive(Debug, Clone, thiserror::Error)]
#[error("Stripe: {message}{}", request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default())]
pub struct StripeError {
    pub kind: StripeErrorKind,
    pub message: String,
    /// Stripe's `error.code`, such as `resource_missing`.
    pub code: Option<String>,
    /// Stripe's `error.param`.
    pub param: Option<String>,
    pub request_id: Option<String>,
    /// How long Stripe asks to wait.
    pub retry_after: Option<Duration>,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StripeErrorKind {
    /// No answer, a 409 or a 429: the same call, with the same idempotency key, may succeed later.
    Unavailable,
    /// A 5xx. Stripe stores it under the idempotency key, so the same key would give it again.
    Failed,
    /// The object is not there.
    Missing,
    /// The key is wrong or may not do this.
    Unauthorized,
    /// Stripe understood and refused: the same call will fail again.
    Refused,
    /// Stripe's answer could not be read.
    Unreadable,
}

impl StripeError {
    #[must_use]
    pub fn new(kind: StripeErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, param: None, request_id: None, retry_after: None }
    }

    /// The same call may succeed later.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self.kind, StripeErrorKind::Unavailable | StripeErrorKind::Failed)
    }

    /// The customer that the call names is not there.
    #[must_use]
    pub fn is_missing_customer(&self) -> bool {
        self.is_missing() && self.param.as_deref() == Some("customer")
    }

    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.kind == StripeErrorKind::Missing
    }
}

/// An error of a verb.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Stripe(#[from] StripeError),
    #[error(transparent)]
    Invalid(#[from] InvalidId),
    #[error("there is no plan {plan:?} with a price a {interval}: take one of plans.toml")]
    NoSuchPrice { plan: String, interval: &'static str },
    #[error("Stripe has no price with the lookup key {0}: run `unsplit plans push`")]
    NotPushed(LookupKey),
    #[error(
        "this store belongs to another Stripe account than STRIPE_SECRET_KEY: use another REDIS_URL, or another key"
    )]
    WrongAccount,
    #[error(
        "a customer of another account has this e-mail and a subscription: docs/operations.md says what to do"
    )]
    EmailHasSubscription,
    #[error("another rebuild is under way: wait until it has ended")]
    RebuildRuns,
    #[error(
        "Redis keeps losing what the rebuild keeps: wait until it is stable, then run `unsplit rebuild` again"
    )]
    StoreForgets,
    #[error("another request is opening this user's checkout: try again in a moment")]
    Busy,
    #[error("the subscription does not allow it now: {0:?}")]
    Refused(Refusal),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    /// How long to wait before trying again, where Stripe says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Stripe(error) => error.retry_after,
            _ => None,
        }
    }
}
