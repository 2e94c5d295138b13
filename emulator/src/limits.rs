//! Limits of the rate, as an option: a bucket of tokens for the account and one for each endpoint, each of which
//! holds a second's worth and fills by real time. Off unless somebody asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::faults::rate_limited;

/// How many requests a second are answered; `None` is without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Of all requests together.
    pub account: Option<u32>,
    /// Of the requests to one endpoint, for example `GET /v1/subscriptions`.
    pub endpoint: Option<u32>,
}

impl RateLimits {
    /// Stripe's own in live mode.
    pub const STRIPE: RateLimits = RateLimits { account: Some(100), endpoint: Some(25) };

    /// What is wrong with it, naming the field.
    pub fn check(self) -> Result<(), String> {
        for (name, limit) in [("account", self.account), ("endpoint", self.endpoint)] {
            if limit == Some(0) {
                return Err(format!("{name} must be at least 1 a second; leave it out for no limit"));
            }
        }
        Ok(())
    }
}

/// A method and the pattern of a path.
type Endpoint = (String, &'static str);

/// The limits of this run and what is left of them; clones share it.
#[derive(Clone, Debug)]
pub struct Limiter {
    /// What a reset goes back to.
    initial: RateLimits,
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Debug, Default)]
struct Buckets {
    limits: RateLimits,
    account: Option<Bucket>,
    endpoints: HashMap<Endpoint, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// The bucket as it is `now`, and at first full.
    fn filled(bucket: Option<Bucket>, limit: u32, now: Instant) -> Bucket {
        let most = f64::from(limit);
        let tokens = bucket.map_or(most, |bucket| {
            let since = now.saturating_duration_since(bucket.at).as_secs_f64();
            (bucket.tokens + since * most).min(most)
        });
        Bucket { tokens, at: now }
    }
}

impl Limiter {
    pub fn new(limits: RateLimits) -> Limiter {
        let buckets = Buckets { limits, ..Buckets::default() };
        Limiter { initial: limits, buckets: Arc::new(Mutex::new(buckets)) }
    }

    pub fn limits(&self) -> RateLimits {
        self.lock().limits
    }

    /// Other limits from now on, with full buckets.
    pub fn set(&self, limits: RateLimits) {
        *self.lock() = Buckets { limits, ..Buckets::default() };
    }

    /// The limits of the start.
    pub fn reset(&self) {
        self.set(self.initial);
    }

    /// Counts a request at `now`, of an endpoint that is only looked for if endpoints have a limit, or refuses it with Stripe's 429. A refused one counts for nothing.
    pub fn admit(
        &self,
        method: &str,
        path: impl FnOnce() -> Option<&'static str>,
        now: Instant,
    ) -> Result<(), ApiError> {
        let mut buckets = self.lock();
        let wanted = buckets.limits.endpoint.and_then(|limit| Some((limit, (method.to_owned(), path()?))));
        let of_endpoint = wanted.map(|(limit, endpoint)| {
            let bucket = Bucket::filled(buckets.endpoints.get(&endpoint).copied(), limit, now);
            (endpoint, bucket)
        });
        let of_account = buckets.limits.account.map(|limit| Bucket::filled(buckets.account, limit, now));
        if of_endpoint.as_ref().is_some_and(|(_, bucket)| bucket.tokens < 1.0) {
            return Err(rate_limited("endpoint-rate"));
        }
        if of_account.is_some_and(|bucket| bucket.tokens < 1.0) {
            return Err(rate_limited("global-rate"));
        }
        let less = |bucket: Bucket| Bucket { tokens: bucket.tokens - 1.0, ..bucket };
        if let Some((endpoint, bucket)) = of_endpoint {
            buckets.endpoints.insert(endpoint, less(bucket));
        }
        buckets.account = of_account.map(less);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Limiter, RateLimits};

    const LIST: Option<&str> = Some("/v1/customers");

    #[test]
    fn a_second_holds_so_many_and_no_more() {
        let limiter = Limiter::new(RateLimits { account: None, endpoint: Some(10) });
        let begin = Instant::now();
        let admitted = |after: u64| {
            let now = begin + Duration::from_millis(after);
            (0..100).filter(|_| limiter.admit("GET", || LIST, now).is_ok()).count()
        };
        assert_eq!([admitted(0), admitted(99), admitted(500), admitted(5000)], [10, 0, 5, 10]);
    }

    #[test]
    fn endpoints_have_a_bucket_each_and_share_the_accounts() {
        let limiter = Limiter::new(RateLimits { account: Some(3), endpoint: Some(2) });
        let now = Instant::now();
        let ask = |method: &str, path| limiter.admit(method, || path, now).is_ok();
        assert_eq!([ask("GET", LIST), ask("GET", LIST), ask("GET", LIST)], [true, true, false]);
        assert_eq!([ask("POST", LIST), ask("GET", Some("/v1/prices"))], [true, false]);
        limiter.set(RateLimits::default());
        assert!((0..1000).all(|_| ask("GET", LIST)));
        limiter.reset();
        assert_eq!(
            [ask("GET", None), ask("GET", None), ask("GET", None), ask("GET", None)],
            [true, true, true, false]
        );
    }
}
