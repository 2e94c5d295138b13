//! Limits on attempts, counted in Redis so that they hold over all machines. An attempt is counted
//! before it is made: guesses in parallel can't slip through. Keys hold neither an e-mail nor an
//! address, only a keyed hash of it.

use std::sync::LazyLock;
use std::time::Duration;

use hmac::{Hmac, Mac};
use redis::{RedisResult, Script};
use sha2::Sha256;
use unsplit_billing::adapters::redis::RedisConnection;
use unsplit_billing::clock::millis;

use super::{ClientAddress, Email};
use crate::server::session::{ask, ask_script};

/// So many attempts in so long a time, counted from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub attempts: u32,
    pub window: Duration,
}

#[derive(Debug, Clone)]
pub struct AttemptLimits {
    /// Wrong passwords for one e-mail, whether it has an account or not. A success resets it.
    pub log_ins_per_account: Limit,
    /// Log-ins from one address, right or wrong.
    pub log_ins_per_address: Limit,
    pub sign_ups_per_address: Limit,
}

const QUARTER: Duration = Duration::from_secs(15 * 60);

impl Default for AttemptLimits {
    fn default() -> Self {
        Self {
            log_ins_per_account: Limit { attempts: 10, window: QUARTER },
            log_ins_per_address: Limit { attempts: 100, window: QUARTER },
            sign_ups_per_address: Limit { attempts: 30, window: QUARTER },
        }
    }
}

impl AttemptLimits {
    /// For a machine where everybody has one address: a developer's, or a test's. The limit per
    /// account stays.
    #[must_use]
    pub fn for_development() -> Self {
        let plenty = Limit { attempts: 100_000, window: QUARTER };
        Self { log_ins_per_address: plenty, sign_ups_per_address: plenty, ..Self::default() }
    }
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Granted,
    /// Until then the answer is no, whatever is tried.
    Refused {
        again_in: Duration,
    },
}

/// What is counted; the names stand in Redis.
#[derive(Clone, Copy)]
pub(super) enum Counted<'a> {
    LogInsOf(&'a Email),
    LogInsFrom(ClientAddress),
    SignUpsFrom(ClientAddress),
}

/// One key, so that it runs on any cluster. A key without an end (a restore from a copy can make
/// one) gets one. A refused attempt does not make the wait longer.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local n = redis.call('INCR', KEYS[1]) \
         local left = redis.call('PTTL', KEYS[1]) \
         if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end \
         return {n, left}",
    )
});

pub(super) struct Attempts {
    redis: RedisConnection,
    secret: Vec<u8>,
    limits: AttemptLimits,
}

impl Attempts {
    pub fn new(redis: RedisConnection, secret: &[u8], limits: AttemptLimits) -> Self {
        Self { redis, secret: secret.to_vec(), limits }
    }

    /// Counts one attempt, and says whether it may be made.
    pub async fn reserve(&self, counted: Counted<'_>) -> RedisResult<Turn> {
        let limit = self.limit(counted);
        let mut script = COUNT.key(self.key(counted));
        let script = script.arg(millis(limit.window));
        let (count, left): (u64, u64) = ask_script(&self.redis, script).await?;
        if count <= u64::from(limit.attempts) {
            return Ok(Turn::Granted);
        }
        tracing::warn!(counted = counted.name(), count, "an attempt over the limit was refused");
        Ok(Turn::Refused { again_in: Duration::from_millis(left) })
    }

    pub async fn reset(&self, counted: Counted<'_>) -> RedisResult<()> {
        ask(&self.redis, redis::cmd("DEL").arg(self.key(counted))).await
    }

    fn limit(&self, counted: Counted<'_>) -> Limit {
        match counted {
            Counted::LogInsOf(_) => self.limits.log_ins_per_account,
            Counted::LogInsFrom(_) => self.limits.log_ins_per_address,
            Counted::SignUpsFrom(_) => self.limits.sign_ups_per_address,
        }
    }

    fn key(&self, counted: Counted<'_>) -> String {
        let whom = match counted {
            Counted::LogInsOf(email) => email.as_str().to_owned(),
            Counted::LogInsFrom(address) | Counted::SignUpsFrom(address) => address.limited_as(),
        };
        format!("unsplit:limit:{}:{}", counted.name(), keyed_hash(&self.secret, &whom))
    }
}

impl Counted<'_> {
    fn name(self) -> &'static str {
        match self {
            Counted::LogInsOf(_) => "log-in:account",
            Counted::LogInsFrom(_) => "log-in:address",
            Counted::SignUpsFrom(_) => "sign-up:address",
        }
    }
}

/// 128 bits in hex of HMAC-SHA-256.
fn keyed_hash(secret: &[u8], text: &str) -> String {
    // HMAC takes a key of any length: `new_from_slice` can't fail for it.
    let mac =
        Hmac::<Sha256>::new_from_slice(secret).map(|mac| mac.chain_update(text).finalize().into_bytes());
    mac.map(|bytes| hex::encode(bytes.get(..16).unwrap_or_default())).unwrap_or_default()
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
