//! `POST /webhooks/stripe`: verify, mark due, answer. It never calls Stripe, and uses nothing of
//! an event but whose it is.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::post;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::event::{self, Event, Subject};
use crate::id::CustomerId;
use crate::ports::{AccountMode, Clock, Due, Mark, Received};
use crate::service::Billing;

/// The path that the endpoint has at Stripe.
pub const PATH: &str = "/webhooks/stripe";

/// Stripe's largest events are well below this.
const LARGEST_BODY: usize = 1024 * 1024;

/// What the route needs.
#[derive(Clone)]
pub struct Webhook {
    pub billing: Arc<Billing>,
    pub clock: Arc<dyn Clock>,
    /// `whsec_…`; several while one is being replaced.
    pub secrets: Arc<[String]>,
    /// Events of the other mode are ignored.
    pub mode: AccountMode,
    /// How old a signature may be.
    pub tolerance: Duration,
}

/// The route, to be merged into an app's router outside of its cookies and its CSRF checks.
pub fn routes(webhook: Webhook) -> Router {
    Router::new().route(PATH, post(receive)).layer(DefaultBodyLimit::max(LARGEST_BODY)).with_state(webhook)
}

/// Why a delivery is not Stripe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the header Stripe-Signature is missing or has no t= and v1=")]
    Malformed,
    #[error("no signature matches: is STRIPE_WEBHOOK_SECRET the endpoint's?")]
    NoMatch,
    #[error("the signature is too old")]
    TooOld,
}

/// Checks `Stripe-Signature: t=<unix>,v1=<hex>[,v1=<hex>…]` against every secret
/// (https://docs.stripe.com/webhooks/signature). As in Stripe's SDKs only age is limited.
///
/// # Errors
/// `SignatureError`.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[String],
    now: i64,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let part = |name: &'static str| {
        header.split(',').filter_map(move |part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let time = part("t").next().ok_or(SignatureError::Malformed)?;
    let seconds: i64 = time.parse().map_err(|_| SignatureError::Malformed)?;
    let signatures: Vec<_> = part("v1").filter_map(|text| hex::decode(text).ok()).collect();
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let matches = secrets.iter().any(|secret| {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected = mac.finalize().into_bytes();
        signatures.iter().any(|signature| bool::from(signature.ct_eq(expected.as_slice())))
    });
    if !matches {
        return Err(SignatureError::NoMatch);
    }
    let age = now.saturating_sub(seconds);
    if age > i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX) {
        return Err(SignatureError::TooOld);
    }
    Ok(())
}

/// The header `Stripe-Signature`, empty where there is none.
struct Signature(String);

impl<S: Sync> FromRequestParts<S> for Signature {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get("stripe-signature").and_then(|value| value.to_str().ok());
        Ok(Self(header.unwrap_or("").to_owned()))
    }
}

async fn receive(
    State(webhook): State<Webhook>,
    Signature(header): Signature,
    body: Bytes,
) -> (StatusCode, Cow<'static, str>) {
    let now = webhook.clock.now().secs();
    if let Err(error) = verify(&header, &body, &webhook.secrets, now, webhook.tolerance) {
        tracing::warn!(%error, "webhook refused");
        return (StatusCode::BAD_REQUEST, error.to_string().into());
    }
    let event = match event::parse(&body) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(%error, "webhook refused");
            return (StatusCode::BAD_REQUEST, error.to_string().into());
        }
    };
    let (status, outcome) = webhook.take(&event).await;
    metrics::counter!("unsplit_webhooks_total", "outcome" => outcome).increment(1);
    // Whoever wants to know has the list of received events; a log of each would be most of the log.
    tracing::debug!(
        event = %event.id,
        r#type = event.kind,
        customer = event.subject.customer().map(CustomerId::as_str),
        outcome,
        "webhook"
    );
    (status, outcome.into())
}

impl Webhook {
    async fn take(&self, event: &Event) -> (StatusCode, &'static str) {
        if event.livemode != (self.mode == AccountMode::Live) {
            return self.ignore(event, "ignored: another mode").await;
        }
        let (customer, subscription) = match &event.subject {
            Subject::Untracked => return self.ignore(event, "ignored: not tracked").await,
            Subject::Nobody => return self.ignore(event, "ignored: no customer").await,
            Subject::Customer { customer, subscription } => (customer, subscription),
        };
        let mark = Mark {
            expects: subscription.clone(),
            received: Some(self.received(event, "marked")),
            ..Mark::of(customer.clone(), Due::By(self.clock.now()))
        };
        match self.billing.mark(&mark).await {
            Ok(_) => (StatusCode::OK, "marked"),
            Err(error) => {
                tracing::error!(%error, %customer, "a trigger could not be stored: Stripe will send it again");
                (StatusCode::SERVICE_UNAVAILABLE, "not stored: try again")
            }
        }
    }

    async fn ignore(&self, event: &Event, outcome: &'static str) -> (StatusCode, &'static str) {
        self.billing.record(&self.received(event, outcome)).await;
        (StatusCode::OK, outcome)
    }

    fn received(&self, event: &Event, outcome: &str) -> Received {
        Received {
            id: event.id.clone(),
            kind: event.kind.clone(),
            customer: event.subject.customer().cloned(),
            at: self.clock.now().0,
            outcome: outcome.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    const BODY: &[u8] = b"{\"id\":\"evt_1\"}";
    const NOW: i64 = 1_800_000_000;

    fn sign(secret: &str, time: i64) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(BODY);
        hex::encode(mac.finalize().into_bytes())
    }

    fn check(header: &str) -> Result<(), SignatureError> {
        let secrets = ["whsec_old".to_owned(), "whsec_new".to_owned()];
        verify(header, BODY, &secrets, NOW, Duration::from_secs(300))
    }

    #[test]
    fn several_signatures_and_several_secrets() {
        let good = sign("whsec_new", NOW);
        assert_eq!(check(&format!("t={NOW},v1={good}")), Ok(()));
        assert_eq!(check(&format!("t={NOW},v1={},v1={good},v0=x", sign("whsec_x", NOW))), Ok(()));
        assert_eq!(check(&format!("t={NOW},v1={}", sign("whsec_old", NOW))), Ok(()));
        assert_eq!(check(&format!("t={NOW},v1={}", sign("whsec_x", NOW))), Err(SignatureError::NoMatch));
        assert_eq!(check(&format!("t={},v1={good}", NOW - 1)), Err(SignatureError::NoMatch));
    }

    #[test]
    fn only_age_is_limited_and_nonsense_is_refused() {
        let at = |time: i64| check(&format!("t={time},v1={}", sign("whsec_new", time)));
        assert_eq!(at(NOW - 300), Ok(()));
        assert_eq!(at(NOW - 301), Err(SignatureError::TooOld));
        assert_eq!(at(NOW + 4000), Ok(()));
        for header in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,v1=zz"] {
            assert_eq!(check(header), Err(SignatureError::Malformed), "{header}");
        }
    }
}
