//! The session cookie's attributes, all in one place.

use time::Duration;
use tower_sessions::cookie::SameSite;
use tower_sessions::{Expiry, SessionManagerLayer};

use super::RedisSessionStore;
use crate::server::security::Origin;

/// A log-in lasts this long after the last visit.
pub(super) const LOGGED_IN: Duration = Duration::days(14);

/// Gives each request a session that is loaded when it is first used, and stored (with a cookie)
/// only when something was put into it: merely visiting makes none.
///
/// Lax and not Strict: Strict logs the buyer out on the way back from Stripe. `__Host-` makes the
/// browser refuse a cookie that a sibling domain planted; it needs Secure.
#[must_use]
pub fn session_layer(store: RedisSessionStore, public: &Origin) -> SessionManagerLayer<RedisSessionStore> {
    let secure = public.is_https();
    SessionManagerLayer::new(store)
        .with_name(if secure { "__Host-unsplit_session" } else { "unsplit_session" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(LOGGED_IN))
}
