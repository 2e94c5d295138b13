//! What a rebuild keeps: `stripe:rebuild` its progress, `stripe:rebuild:<token>:page:<n>` a page of
//! customers, `stripe:rebuild:<token>:customer:<id>` and `…:user:<id>` hashes of what was listed.
//! All but the progress expire by themselves.

use async_trait::async_trait;
use redis::AsyncCommands;

use super::{RedisStore, from_json, snapshots, to_json, unavailable, unreadable};
use crate::error::StoreError;
use crate::fold::ListedSubscription;
use crate::id::{CustomerId, UserId};
use crate::ports::{RebuildProgress, StagedCustomer, Staging, Ticket};

const PROGRESS: &str = "stripe:rebuild";
/// Longer than any rebuild; one that was given up leaves nothing for ever.
const SECONDS: i64 = 7 * 24 * 3600;

fn page_key(token: &str, page: u64) -> String {
    format!("stripe:rebuild:{token}:page:{page}")
}

fn customer_key(token: &str, customer: &CustomerId) -> String {
    format!("stripe:rebuild:{token}:customer:{customer}")
}

fn user_key(token: &str, user: &UserId) -> String {
    format!("stripe:rebuild:{token}:user:{user}")
}

impl RedisStore {
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.redis.clone().del(key).await.map_err(unavailable)
    }
}

#[async_trait]
impl Staging for RedisStore {
    async fn rebuild_progress(&self) -> Result<Option<RebuildProgress>, StoreError> {
        self.json(PROGRESS).await
    }

    async fn save_rebuild_progress(&self, progress: &RebuildProgress) -> Result<(), StoreError> {
        let json = to_json(PROGRESS, progress)?;
        self.redis.clone().set(PROGRESS, json).await.map_err(unavailable)
    }

    async fn end_rebuild(&self) -> Result<(), StoreError> {
        self.delete(PROGRESS).await
    }

    async fn begin_as(&self, customer: &CustomerId, token: &str) -> Result<Ticket, StoreError> {
        let seq = snapshots::begin(self, customer, token).await?;
        Ok(Ticket { seq, token: token.to_owned() })
    }

    async fn save_page(
        &self,
        token: &str,
        page: u64,
        customers: &[StagedCustomer],
    ) -> Result<(), StoreError> {
        let key = page_key(token, page);
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(to_json(&key, &customers)?).arg("EX").arg(SECONDS);
        set.query_async(&mut self.redis.clone()).await.map_err(unavailable)
    }

    async fn page(&self, token: &str, page: u64) -> Result<Vec<StagedCustomer>, StoreError> {
        Ok(self.json(&page_key(token, page)).await?.unwrap_or_default())
    }

    async fn drop_page(&self, token: &str, page: u64) -> Result<(), StoreError> {
        self.delete(&page_key(token, page)).await
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

    async fn stage_user(&self, token: &str, user: &UserId, customer: &CustomerId) -> Result<(), StoreError> {
        let key = user_key(token, user);
        let mut pipe = redis::pipe();
        pipe.sadd(&key, customer.as_str()).ignore();
        self.ask(pipe.expire(&key, SECONDS).ignore()).await
    }

    async fn staged_user(&self, token: &str, user: &UserId) -> Result<Vec<CustomerId>, StoreError> {
        let key = user_key(token, user);
        let kept: Vec<String> = self.redis.clone().smembers(&key).await.map_err(unavailable)?;
        kept.into_iter().map(|id| CustomerId::parse(id).map_err(|error| unreadable(&key, error))).collect()
    }

    async fn unstage_user(&self, token: &str, user: &UserId) -> Result<(), StoreError> {
        self.delete(&user_key(token, user)).await
    }
}
