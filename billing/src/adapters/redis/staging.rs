//! What a rebuild keeps: `stripe:rebuild` its progress and the run whose it is,
//! `stripe:rebuild:<tickets>:page:<n>` a page of customers, `stripe:rebuild:<token>:customer:<id>` a
//! hash and `…:user:<id>` a set of what was listed, `…:strangers` a set of whom no page may have. All but
//! the progress expire by themselves.

use async_trait::async_trait;
use futures::future::try_join_all;
use redis::AsyncCommands;

use super::{RedisStore, from_json, snapshots, to_json, unavailable, unreadable};
use crate::error::StoreError;
use crate::fold::ListedSubscription;
use crate::id::{CustomerId, UserId};
use crate::ports::{RebuildProgress, StagedCustomer, Staging, Ticket};

const PROGRESS: &str = "stripe:rebuild";
/// Longer than the tickets live; one that was given up does not fill Redis for long.
const SECONDS: i64 = 2 * 24 * 3600;
/// As many as Stripe lists on a page.
const PAGE: isize = 100;

/// KEYS: the progress. ARGV: run. Returns what was saved last; an empty text for what another
/// release keeps there.
pub(super) const ADOPT_REBUILD: &str = r"
local kind = redis.call('TYPE', KEYS[1]).ok
local foreign = kind ~= 'hash' and kind ~= 'none'
if foreign then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'run', ARGV[1])
return foreign and '' or redis.call('HGET', KEYS[1], 'progress')
";

/// KEYS: the progress. ARGV: run, progress. 1 where it was saved.
pub(super) const SAVE_REBUILD: &str = r"
if redis.pcall('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'progress', ARGV[2])
return 1
";

/// KEYS: the progress. ARGV: run. 0 where it is another run's.
pub(super) const END_REBUILD: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 then return 1 end
if redis.pcall('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
";

fn page_key(tickets: &str, page: u64) -> String {
    format!("stripe:rebuild:{tickets}:page:{page}")
}

fn customer_key(token: &str, customer: &CustomerId) -> String {
    format!("stripe:rebuild:{token}:customer:{customer}")
}

fn user_key(token: &str, user: &UserId) -> String {
    format!("stripe:rebuild:{token}:user:{user}")
}

fn strangers_key(token: &str) -> String {
    format!("stripe:rebuild:{token}:strangers")
}

fn customers(key: &str, ids: Vec<String>) -> Result<Vec<CustomerId>, StoreError> {
    ids.into_iter().map(|id| CustomerId::parse(id).map_err(|error| unreadable(key, error))).collect()
}

impl RedisStore {
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.redis.clone().del(key).await.map_err(unavailable)
    }
}

#[async_trait]
impl Staging for RedisStore {
    async fn adopt_rebuild(&self, run: &str) -> Result<Option<RebuildProgress>, StoreError> {
        let mut adopt = self.scripts.adopt_rebuild.key(PROGRESS);
        adopt.arg(run);
        let saved: Option<String> = adopt.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)?;
        saved.map(|json| from_json(PROGRESS, &json)).transpose()
    }

    async fn save_rebuild(&self, run: &str, progress: &RebuildProgress) -> Result<bool, StoreError> {
        let mut save = self.scripts.save_rebuild.key(PROGRESS);
        save.arg(run).arg(to_json(PROGRESS, progress)?);
        save.invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn end_rebuild(&self, run: &str) -> Result<bool, StoreError> {
        let mut end = self.scripts.end_rebuild.key(PROGRESS);
        end.arg(run).invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn begin_as(&self, customer: &CustomerId, token: &str) -> Result<Ticket, StoreError> {
        let seq = snapshots::begin(self, customer, token).await?;
        Ok(Ticket { seq, token: token.to_owned() })
    }

    async fn save_page(
        &self,
        tickets: &str,
        page: u64,
        customers: &[StagedCustomer],
    ) -> Result<(), StoreError> {
        let key = page_key(tickets, page);
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(to_json(&key, &customers)?).arg("EX").arg(SECONDS);
        set.query_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn page(&self, tickets: &str, page: u64) -> Result<Option<Vec<StagedCustomer>>, StoreError> {
        self.json(&page_key(tickets, page)).await
    }

    async fn drop_page(&self, tickets: &str, page: u64) -> Result<(), StoreError> {
        self.delete(&page_key(tickets, page)).await
    }

    async fn stage(
        &self,
        token: &str,
        customer: &CustomerId,
        listed: &[ListedSubscription],
    ) -> Result<(), StoreError> {
        let key = customer_key(token, customer);
        let mut pipe = redis::pipe();
        for subscription in listed {
            let json = to_json(&key, subscription)?;
            pipe.hset(&key, subscription.id.as_str(), json).ignore();
        }
        self.ask(pipe.expire(&key, SECONDS).ignore()).await
    }

    async fn staged(
        &self,
        token: &str,
        customer: &CustomerId,
    ) -> Result<Vec<ListedSubscription>, StoreError> {
        let key = customer_key(token, customer);
        let kept: Vec<String> = self.redis.clone().hvals(&key).await.map_err(unavailable)?;
        kept.iter().map(|json| from_json(&key, json)).collect()
    }

    async fn unstage(&self, token: &str, customer: &CustomerId) -> Result<(), StoreError> {
        self.delete(&customer_key(token, customer)).await
    }

    async fn stage_strangers(
        &self,
        token: &str,
        tickets: &str,
        customers: &[CustomerId],
    ) -> Result<(), StoreError> {
        // Each has a slot of their own, so that no pipeline of a cluster takes them together.
        let known = try_join_all(customers.iter().map(|customer| async move {
            snapshots::has_ticket(self, customer, tickets).await.map(|known| (customer, known))
        }))
        .await?;
        let strangers: Vec<_> =
            known.iter().filter(|(_, known)| !known).map(|(customer, _)| customer.as_str()).collect();
        if strangers.is_empty() {
            return Ok(());
        }
        let key = strangers_key(token);
        let mut pipe = redis::pipe();
        pipe.sadd(&key, strangers).ignore();
        self.ask(pipe.expire(&key, SECONDS).ignore()).await
    }

    async fn staged_strangers(&self, token: &str) -> Result<Vec<CustomerId>, StoreError> {
        let key = strangers_key(token);
        let some = self.redis.clone().srandmember_multiple(&key, PAGE).await;
        customers(&key, some.map_err(unavailable)?)
    }

    async fn unstage_strangers(&self, token: &str, customers: &[CustomerId]) -> Result<(), StoreError> {
        if customers.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = customers.iter().map(CustomerId::as_str).collect();
        self.redis.clone().srem(strangers_key(token), ids).await.map_err(unavailable)
    }

    async fn stage_user(&self, token: &str, user: &UserId, customer: &CustomerId) -> Result<(), StoreError> {
        let key = user_key(token, user);
        let mut pipe = redis::pipe();
        pipe.sadd(&key, customer.as_str()).ignore();
        self.ask(pipe.expire(&key, SECONDS).ignore()).await
    }

    async fn staged_user(&self, token: &str, user: &UserId) -> Result<Vec<CustomerId>, StoreError> {
        let key = user_key(token, user);
        let kept: Vec<String> = self.redis.clone().smembers(&key).await.map_err(unavailable)?;
        customers(&key, kept)
    }

    async fn unstage_user(&self, token: &str, user: &UserId) -> Result<(), StoreError> {
        self.delete(&user_key(token, user)).await
    }
}
