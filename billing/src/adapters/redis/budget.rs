//! `{stripe:budget}:…`: the calls to Stripe that all processes share, as token buckets of the
//! account and of each endpoint. One script (budget.lua); docs/sync.md says how they behave.

use std::time::Duration;

use async_trait::async_trait;
use redis::AsyncCommands;

use super::{RedisStore, unavailable};
use crate::clock::millis;
use crate::error::StoreError;
use crate::ports::{AccountMode, Budget, Leave, Limit, Priority, Slowdown};

pub(super) const BUDGET: &str = include_str!("budget.lua");

const NAMES: &str = "{stripe:budget}:names";
const ACCOUNT: &str = "all";

/// How fast Stripe may be asked, in calls a second (https://docs.stripe.com/rate-limits).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetSettings {
    pub account_rate: f64,
    pub endpoint_rate: f64,
    /// For endpoints that end in `/search`.
    pub search_rate: f64,
    /// The share of each bucket that is kept for people who wait.
    pub reserve: f64,
    /// How many seconds' worth of calls may be made at once.
    pub burst_secs: f64,
    /// How far ahead somebody who waits may book.
    pub ahead: Duration,
    /// How long it takes until the full rate is allowed again after Stripe has refused.
    pub recover: Duration,
}

impl BudgetSettings {
    /// Stripe's default limits.
    #[must_use]
    pub fn of(mode: AccountMode) -> Self {
        let account_rate = match mode {
            AccountMode::Live => 100.0,
            AccountMode::Test => 25.0,
        };
        Self {
            account_rate,
            endpoint_rate: 25.0,
            search_rate: 20.0,
            reserve: 0.2,
            burst_secs: 1.0,
            ahead: Duration::from_secs(5),
            recover: Duration::from_secs(30),
        }
    }

    fn rate_of(&self, endpoint: &str) -> f64 {
        if endpoint.ends_with("/search") { self.search_rate } else { self.endpoint_rate }
    }
}

fn key(name: &str) -> String {
    format!("{{stripe:budget}}:{name}")
}

#[async_trait]
impl Budget for RedisStore {
    async fn take(&self, endpoint: &str, priority: Priority) -> Result<Leave, StoreError> {
        let settings = &self.budget;
        let (granted, wait): (bool, i64) = self
            .scripts
            .budget
            .key(NAMES)
            .key(key(ACCOUNT))
            .key(key(endpoint))
            .key(key(&format!("people:{ACCOUNT}")))
            .key(key(&format!("people:{endpoint}")))
            .arg("take")
            .arg(endpoint)
            .arg(settings.account_rate)
            .arg(settings.rate_of(endpoint))
            .arg(settings.burst_secs)
            .arg(settings.reserve)
            .arg(millis(settings.ahead))
            .arg(millis(settings.recover))
            .arg(i32::from(priority == Priority::Waiting))
            .invoke_async(&mut self.redis.clone())
            .await
            .map_err(unavailable)?;
        let wait = Duration::from_millis(wait.unsigned_abs());
        Ok(if granted { Leave::After(wait) } else { Leave::AskAgain(wait) })
    }

    async fn slow_down(&self, endpoint: &str, why: Slowdown, wait: Duration) -> Result<(), StoreError> {
        let settings = &self.budget;
        let _: (i64, i64) = self
            .scripts
            .budget
            .key(NAMES)
            .key(key(ACCOUNT))
            .key(key(endpoint))
            .arg("slow")
            .arg(endpoint)
            .arg(settings.account_rate)
            .arg(settings.rate_of(endpoint))
            .arg(settings.burst_secs)
            .arg(millis(settings.recover))
            .arg(millis(wait))
            .arg(i32::from(why == Slowdown::Account))
            .invoke_async(&mut self.redis.clone())
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    async fn limits(&self) -> Result<Vec<Limit>, StoreError> {
        let mut redis = self.redis.clone();
        let names: Vec<String> = redis.zrange(NAMES, 0, -1).await.map_err(unavailable)?;
        let (seconds, micros): (i64, i64) =
            redis::cmd("TIME").query_async(&mut redis).await.map_err(unavailable)?;
        let now = seconds * 1000 + micros / 1000;
        let mut limits = Vec::new();
        for name in std::iter::once(ACCOUNT.to_owned()).chain(names) {
            let fields = ["r", "t", "at", "f", "fa", "p"];
            let raw: Vec<Option<f64>> = redis.hmget(key(&name), &fields).await.map_err(unavailable)?;
            if let [Some(rate), tokens, at, factor, since, paused] = raw[..] {
                let bucket = Bucket { rate, tokens, at, factor, since, paused };
                limits.push(self.limit(name, bucket, now));
            }
        }
        Ok(limits)
    }
}

/// A limit as it is stored.
struct Bucket {
    rate: f64,
    tokens: Option<f64>,
    at: Option<f64>,
    factor: Option<f64>,
    since: Option<f64>,
    paused: Option<f64>,
}

impl RedisStore {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "milliseconds of today")]
    fn limit(&self, name: String, bucket: Bucket, now: i64) -> Limit {
        let passed = |since: Option<f64>| since.map_or(0.0, |since| (now as f64 - since).max(0.0));
        let recovered = passed(bucket.since) / (millis(self.budget.recover).max(1) as f64);
        let current_rate = bucket.rate * (bucket.factor.unwrap_or(1.0) + recovered).min(1.0);
        let most = (current_rate * self.budget.burst_secs).max(1.0);
        let tokens = bucket.tokens.unwrap_or(most) + passed(bucket.at) / 1000.0 * current_rate;
        let paused_until = bucket.paused.map(|until| until as i64).filter(|until| *until > now);
        Limit { name, rate: bucket.rate, current_rate, available: tokens.min(most), paused_until }
    }
}
