//! `GET /api/live`: a stream of server-sent events for who is logged in. `version` says which version of
//! their subscription is stored, first of all and then whenever it is another one; `ended` is the last one
//! when the log-in has ended. A stream that just ends, as at a restart, is to be opened again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use rand::Rng;
use tokio::time::Instant;
use tower_sessions::Session;
use unsplit_billing::id::UserId;
use unsplit_billing::service::Billing;

use super::{Ear, Topic};
use crate::server::AppState;
use crate::server::auth::{Accounts, Authenticate, CurrentUser};
use crate::server::session::outage_page;

/// After so many seconds a browser opens another stream, not all in the same one.
const BACK_AFTER: std::ops::Range<u64> = 1..5;

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Proxies of nginx's kind pass each event on at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The route. Nobody who is logged in hears that their log-in has ended, and nothing else.
pub async fn live(State(state): State<AppState>, CurrentUser(user): CurrentUser, parts: Parts) -> Response {
    let Some(user) = user else { return answer(stream::iter([Ok(ended())])) };
    let Some(mut ear) = state.live.listen(&user.id) else {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "30")]).into_response();
    };
    if let Some(id) = parts.extensions.get::<Session>().and_then(Session::id) {
        ear.also(Topic::Session(id));
    }
    let end = Instant::now() + state.live.settings.lasts;
    let (auth, billing) = (state.auth.clone(), state.billing.clone());
    let mut watch = Watch { auth, billing, parts, user: user.id, ear, end, told: String::new() };
    // What happens from here on rings the bell: nothing is missed between this look and the next.
    match watch.look().await {
        Ok(seen) => {
            let first = watch.tell(seen).map(|event| event.retry(back_after()));
            answer(stream::unfold((Some(watch), first), next))
        }
        Err(error) => outage_page(&error, &watch.parts.headers),
    }
}

fn answer(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    ([UNBUFFERED], Sse::new(events)).into_response()
}

fn back_after() -> Duration {
    Duration::from_millis(rand::rng().random_range(BACK_AFTER.start * 1000..BACK_AFTER.end * 1000))
}

/// Browsers drop an event without data.
fn ended() -> Event {
    Event::default().event("ended").data("log in")
}

/// One stream.
struct Watch {
    auth: Arc<Accounts>,
    billing: Arc<Billing>,
    /// The request, for who finds out who it is from.
    parts: Parts,
    user: UserId,
    ear: Ear,
    end: Instant,
    /// The version that the browser knows.
    told: String,
}

enum Seen {
    Version(String),
    LoggedOut,
}

/// Redis, or what else knows who is logged in, does not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unanswered(String);

impl Watch {
    async fn look(&mut self) -> Result<Seen, Unanswered> {
        if !self.is_logged_in().await? {
            return Ok(Seen::LoggedOut);
        }
        loop {
            let standing = self.billing.standing_of(&self.user).await.map_err(unanswered)?;
            // What was written before the bell was hung up has rung nobody.
            if !standing.customer.is_some_and(|customer| self.ear.also(Topic::Customer(customer))) {
                return Ok(Seen::Version(standing.version));
            }
        }
    }

    /// As the next request of this browser would be seen, without making the log-in last longer.
    async fn is_logged_in(&self) -> Result<bool, Unanswered> {
        if let Some(session) = self.parts.extensions.get::<Session>() {
            session.load().await.map_err(unanswered)?;
        }
        let user = self.auth.user(&self.parts).await.map_err(unanswered)?;
        Ok(user.is_some_and(|user| user.id == self.user))
    }

    /// `None` where the browser knows it.
    fn tell(&mut self, seen: Seen) -> Option<Event> {
        match seen {
            Seen::LoggedOut => {
                self.end = Instant::now();
                Some(ended())
            }
            Seen::Version(version) if version == self.told => None,
            Seen::Version(version) => {
                self.told.clone_from(&version);
                Some(Event::default().event("version").data(version))
            }
        }
    }

    /// What to say next: an event, or that we are still there. `None` at the end.
    async fn hear(&mut self) -> Option<Event> {
        let look_every = self.ear.listeners().settings.look_every;
        let mut patience = look_every;
        loop {
            let until = self.end.min(Instant::now() + patience);
            let rang = tokio::time::timeout_at(until, self.ear.rings()).await.is_ok();
            if self.ear.listeners().is_closed() || Instant::now() >= self.end {
                return None;
            }
            let event = match self.look().await {
                Ok(seen) => self.tell(seen),
                Err(error) => {
                    tracing::debug!(%error, "a live page could not be looked at");
                    // The bell that rang may have been the only one.
                    patience = look_every.min(TRY_AGAIN_AFTER);
                    None
                }
            };
            if event.is_some() || !rang {
                return Some(event.unwrap_or_else(|| Event::default().comment("")));
            }
        }
    }
}

/// One step of the stream: what is ready, else what comes.
async fn next(
    (watch, ready): (Option<Watch>, Option<Event>),
) -> Option<(Result<Event, Infallible>, (Option<Watch>, Option<Event>))> {
    if let Some(event) = ready {
        return Some((Ok(event), (watch, None)));
    }
    let mut watch = watch?;
    let event = watch.hear().await?;
    let watch = (Instant::now() < watch.end).then_some(watch);
    Some((Ok(event), (watch, None)))
}

fn unanswered(error: impl std::fmt::Display) -> Unanswered {
    Unanswered(error.to_string())
}
