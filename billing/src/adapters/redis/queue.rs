//! The queue of due customers: `{stripe:due:<shard>}:…`.
//!
//! `due` orders customers by when they are due, `leased` by when their lease runs out; a customer
//! is in one of them. `entries` holds, as JSON, generation `g`, lease `l`, attempts `a`, last
//! error `e`, and what a sync must not use up: `later`, until when the last `Due::From` mark lies
//! ahead, and `x`, the subscriptions that events have named and no fetch has contained yet, with
//! since when (milliseconds). `quiet:<customer>` says until when it was synced recently.

use async_trait::async_trait;
use rand::Rng;

use super::{RedisStore, to_json, unavailable, unreadable};
use crate::clock::{UnixMillis, millis};
use crate::error::StoreError;
use crate::id::{CustomerId, SubscriptionId};
use crate::ports::{Claim, Done, Due, Mark, Queue, Received};

/// KEYS: due, leased, entries, counter, quiet. ARGV: customer, at, now, expects, by or from.
pub(super) const MARK: &str = r"
local customer, at, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local raw = redis.call('HGET', KEYS[3], customer)
local entry = raw and cjson.decode(raw) or {}
entry.g = redis.call('INCR', KEYS[4])
if ARGV[4] ~= '' then
  entry.x = entry.x or {}
  entry.x[ARGV[4]] = entry.x[ARGV[4]] or now
end
if ARGV[5] == 'from' and at > now then entry.later = math.max(entry.later or 0, at) end
if not redis.call('ZSCORE', KEYS[2], customer) then
  local due = tonumber(redis.call('ZSCORE', KEYS[1], customer) or nil)
  local backing_off = due and (entry.a or 0) > 0
  if not backing_off then
    at = math.max(at, tonumber(redis.call('GET', KEYS[5]) or '0'))
    if not due or at < due then redis.call('ZADD', KEYS[1], at, customer) end
  end
end
redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
return entry.g
";

/// KEYS: due, leased, entries. ARGV: now, most, lease's end, token.
pub(super) const CLAIM: &str = r"
local now, most = ARGV[1], tonumber(ARGV[2])
local customers = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
local crashed = #customers
if #customers < most then
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, most - #customers)
  for _, customer in ipairs(due) do table.insert(customers, customer) end
end
local claims = {}
for i, customer in ipairs(customers) do
  local raw = redis.call('HGET', KEYS[3], customer)
  local entry = raw and cjson.decode(raw) or {g = 0}
  entry.l = ARGV[4] .. ':' .. i
  if i <= crashed then entry.a = (entry.a or 0) + 1 end
  if entry.later and entry.later <= tonumber(now) then entry.later = nil end
  redis.call('ZREM', KEYS[1], customer)
  redis.call('ZADD', KEYS[2], ARGV[3], customer)
  redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
  table.insert(claims, {customer, entry.g, entry.l, entry.a or 0})
end
return claims
";

/// KEYS: due, leased, entries, quiet. ARGV: customer, generation, lease or '', next or '', now,
/// quiet, the ids that were listed as JSON, how long one may be missing.
pub(super) const DONE: &str = r"
local customer, now, quiet = ARGV[1], tonumber(ARGV[5]), tonumber(ARGV[6])
local raw = redis.call('HGET', KEYS[3], customer)
if not raw then
  if ARGV[3] == '' and ARGV[4] ~= '' then
    redis.call('HSET', KEYS[3], customer, cjson.encode({g = tonumber(ARGV[2])}))
    redis.call('ZADD', KEYS[1], ARGV[4], customer)
  end
  return 0
end
local entry = cjson.decode(raw)
if (entry.l or '') ~= ARGV[3] then return 0 end
local marked_since = entry.g ~= tonumber(ARGV[2])
if marked_since and ARGV[3] == '' then return 0 end
if quiet > 0 then redis.call('SET', KEYS[4], now + quiet, 'PX', quiet) end
local due = tonumber(ARGV[4])
if marked_since then due = now + quiet end
if entry.later then due = math.min(due or entry.later, math.max(entry.later, now)) end
local missing = nil
if entry.x then
  local listed = {}
  for _, id in ipairs(cjson.decode(ARGV[7])) do listed[id] = true end
  for id, since in pairs(entry.x) do
    if not listed[id] and now - since < tonumber(ARGV[8]) then
      missing = missing or {}
      missing[id] = since
      local again = now + math.max(quiet, 2 * (now - since))
      due = math.min(due or again, again)
    end
  end
end
redis.call('ZREM', KEYS[2], customer)
if not due then
  redis.call('ZREM', KEYS[1], customer)
  redis.call('HDEL', KEYS[3], customer)
  return 1
end
redis.call('HSET', KEYS[3], customer, cjson.encode({g = entry.g, later = entry.later, x = missing}))
redis.call('ZADD', KEYS[1], due, customer)
return 1
";

/// KEYS: due, leased, entries. ARGV: customer, lease, error, retry at.
pub(super) const FAILED: &str = r"
local customer = ARGV[1]
local raw = redis.call('HGET', KEYS[3], customer)
if not raw then return 0 end
local entry = cjson.decode(raw)
if entry.l ~= ARGV[2] then return 0 end
entry.l = nil
entry.a = (entry.a or 0) + 1
entry.e = ARGV[3]
redis.call('HSET', KEYS[3], customer, cjson.encode(entry))
redis.call('ZREM', KEYS[2], customer)
redis.call('ZADD', KEYS[1], ARGV[4], customer)
return 1
";

/// How long an event's subscription is waited for, milliseconds. By time and not by tries: any
/// number of eager syncs in between must not use it up.
const AWAITED: i64 = 60_000;

const EVENTS: &str = "stripe:events";
const EVENTS_KEPT: isize = 200;

struct Keys {
    due: &'static str,
    leased: &'static str,
    entries: &'static str,
    counter: &'static str,
}

/// One shard for now; all keys of a customer's entry share its tag.
const KEYS: Keys = Keys {
    due: "{stripe:due:0}:due",
    leased: "{stripe:due:0}:leased",
    entries: "{stripe:due:0}:entries",
    counter: "{stripe:due:0}:generation",
};

fn quiet_key(customer: &CustomerId) -> String {
    format!("{{stripe:due:0}}:quiet:{customer}")
}

type RawClaim = (String, u64, String, u32);

fn read_claim((customer, generation, lease, attempts): RawClaim) -> Result<Claim, StoreError> {
    Ok(Claim {
        customer: CustomerId::parse(customer).map_err(|error| unreadable(KEYS.due, error))?,
        generation,
        lease,
        attempts,
    })
}

#[async_trait]
impl Queue for RedisStore {
    async fn mark(&self, mark: &Mark) -> Result<u64, StoreError> {
        let (at, enough) = match mark.due {
            Due::By(at) => (at, "by"),
            Due::From(at) => (at, "from"),
        };
        let mut redis = self.redis.clone();
        self.scripts
            .mark
            .key(KEYS.due)
            .key(KEYS.leased)
            .key(KEYS.entries)
            .key(KEYS.counter)
            .key(quiet_key(&mark.customer))
            .arg(mark.customer.as_str())
            .arg(at.0)
            .arg(self.clock.now().0)
            .arg(mark.expects.as_ref().map_or("", SubscriptionId::as_str))
            .arg(enough)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)
    }

    async fn claim(&self, most: usize) -> Result<Vec<Claim>, StoreError> {
        let mut redis = self.redis.clone();
        let now = self.clock.now();
        let claims: Vec<RawClaim> = self
            .scripts
            .claim
            .key(KEYS.due)
            .key(KEYS.leased)
            .key(KEYS.entries)
            .arg(now.0)
            .arg(most)
            .arg(now.plus(self.queue.lease).0)
            .arg(format!("{:032x}", rand::rng().random::<u128>()))
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)?;
        claims.into_iter().map(read_claim).collect()
    }

    async fn done(&self, done: &Done) -> Result<(), StoreError> {
        let mut redis = self.redis.clone();
        self.scripts
            .done
            .key(KEYS.due)
            .key(KEYS.leased)
            .key(KEYS.entries)
            .key(quiet_key(&done.customer))
            .arg(done.customer.as_str())
            .arg(done.generation)
            .arg(done.lease.as_deref().unwrap_or(""))
            .arg(done.next.map_or_else(String::new, |next| next.0.to_string()))
            .arg(self.clock.now().0)
            .arg(millis(self.queue.quiet))
            .arg(to_json(KEYS.entries, &done.listed)?)
            .arg(AWAITED)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)
    }

    async fn failed(&self, claim: &Claim, error: &str, retry_at: UnixMillis) -> Result<(), StoreError> {
        let mut redis = self.redis.clone();
        self.scripts
            .failed
            .key(KEYS.due)
            .key(KEYS.leased)
            .key(KEYS.entries)
            .arg(claim.customer.as_str())
            .arg(&claim.lease)
            .arg(error)
            .arg(retry_at.0)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)
    }

    async fn next_due(&self) -> Result<Option<UnixMillis>, StoreError> {
        let mut redis = self.redis.clone();
        let mut pipe = redis::pipe();
        for key in [KEYS.due, KEYS.leased] {
            pipe.cmd("ZRANGE").arg(key).arg(0).arg(0).arg("WITHSCORES");
        }
        let (due, leased): (Vec<(String, f64)>, Vec<(String, f64)>) =
            pipe.query_async(&mut redis).await.map_err(unavailable)?;
        #[expect(clippy::cast_possible_truncation, reason = "scores are milliseconds that we wrote")]
        let next = due.iter().chain(&leased).map(|(_, at)| UnixMillis(*at as i64)).min();
        Ok(next)
    }

    async fn record(&self, received: &Received) -> Result<(), StoreError> {
        let json = to_json(EVENTS, received)?;
        let mut redis = self.redis.clone();
        let mut pipe = redis::pipe();
        pipe.cmd("LPUSH").arg(EVENTS).arg(json).ignore();
        pipe.cmd("LTRIM").arg(EVENTS).arg(0).arg(EVENTS_KEPT - 1).ignore();
        pipe.query_async(&mut redis).await.map_err(unavailable)
    }
}
