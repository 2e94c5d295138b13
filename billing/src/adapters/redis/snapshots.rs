//! `stripe:customer:<id>` and the tickets that guard it. docs/sync.md says why two scripts suffice.

use async_trait::async_trait;
use redis::AsyncCommands;

use super::{RedisStore, news, to_json, unavailable};
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{Snapshots, Ticket, Written, random_token};
use crate::subscription::Snapshot;

/// KEYS: seq, tickets. ARGV: token, ticket's life in seconds. Returns seq.
/// The counter never expires while anyone may hold a ticket of it: both live equally long.
pub(super) const BEGIN: &str = r"
local seq = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], seq, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return seq
";

/// KEYS: value, tickets. ARGV: token, value, the channel on which a write is told. 1 where it was written.
pub(super) const WRITE: &str = r"
local seq = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not seq then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', seq)
redis.pcall('PUBLISH', ARGV[3], KEYS[1])
return 1
";

/// Far longer than any fetch may take; a ticket that outlived it is refused, which is safe.
const TICKET_SECONDS: u64 = 24 * 60 * 60;

/// Before the customer's id.
pub(super) const VALUE: &str = "stripe:customer:";

fn value_key(customer: &CustomerId) -> String {
    format!("{VALUE}{customer}")
}

fn tickets_key(customer: &CustomerId) -> String {
    format!("{{stripe:customer:{customer}}}:tickets")
}

/// Takes a ticket with this token. One that is there already moves up.
pub(super) async fn begin(store: &RedisStore, customer: &CustomerId, token: &str) -> Result<u64, StoreError> {
    store
        .scripts
        .begin
        .key(format!("{{stripe:customer:{customer}}}:seq"))
        .key(tickets_key(customer))
        .arg(token)
        .arg(TICKET_SECONDS)
        .invoke_async(&mut store.redis.clone())
        .await
        .map_err(unavailable)
}

/// Whether a ticket with this token is there, and not torn up.
pub(super) async fn has_ticket(
    store: &RedisStore,
    customer: &CustomerId,
    token: &str,
) -> Result<bool, StoreError> {
    let seq: Option<f64> =
        store.redis.clone().zscore(tickets_key(customer), token).await.map_err(unavailable)?;
    Ok(seq.is_some())
}

#[async_trait]
impl Snapshots for RedisStore {
    async fn begin(&self, customer: &CustomerId) -> Result<Ticket, StoreError> {
        let token = random_token();
        let seq = begin(self, customer, &token).await?;
        Ok(Ticket { seq, token })
    }

    async fn write(
        &self,
        customer: &CustomerId,
        ticket: &Ticket,
        value: &Snapshot,
    ) -> Result<Written, StoreError> {
        let key = value_key(customer);
        let json = to_json(&key, value)?;
        let mut redis = self.redis.clone();
        let accepted: bool = self
            .scripts
            .write
            .key(&key)
            .key(tickets_key(customer))
            .arg(&ticket.token)
            .arg(json)
            .arg(news::CHANNEL)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)?;
        Ok(if accepted { Written::Accepted } else { Written::Refused })
    }

    async fn snapshot(&self, customer: &CustomerId) -> Result<Option<Snapshot>, StoreError> {
        self.json(&value_key(customer)).await
    }

    async fn snapshot_json(&self, customer: &CustomerId) -> Result<Option<String>, StoreError> {
        self.text(&value_key(customer)).await
    }
}
