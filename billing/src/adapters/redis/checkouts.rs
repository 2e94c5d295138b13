//! `stripe:checkout:<customer>`: the one checkout that a customer has open, and
//! `stripe:closed:<customer>`: for which subscription all others were closed.

use async_trait::async_trait;

use super::{RedisStore, unavailable};
use crate::error::StoreError;
use crate::id::{CheckoutSessionId, CustomerId, SubscriptionId};
use crate::ports::{CheckoutAttempt, Checkouts};

/// Both keys outlive any session of Stripe's, and nothing else.
const SECONDS: u64 = 25 * 60 * 60;

/// KEYS: the attempt. ARGV: token and session of the current one or '', the next one or '', its
/// life in seconds. Returns what is stored afterwards. What another release has written is told
/// by its token, and what can't be read is as good as nothing.
pub(super) const SWAP_CHECKOUT: &str = r"
local stored = redis.call('GET', KEYS[1])
local read, attempt = pcall(cjson.decode, stored or '')
local token, session = '', ''
if read and type(attempt) == 'table' and type(attempt.token) == 'string' then
  token = attempt.token
  if type(attempt.session) == 'string' then session = attempt.session end
end
if token ~= ARGV[1] or session ~= ARGV[2] then return stored or '' end
if ARGV[3] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[3], 'EX', ARGV[4]) end
return ARGV[3]
";

fn checkout_key(customer: &CustomerId) -> String {
    format!("stripe:checkout:{customer}")
}

fn closed_key(customer: &CustomerId) -> String {
    format!("stripe:closed:{customer}")
}

fn readable(customer: &CustomerId, text: &str) -> Option<CheckoutAttempt> {
    let attempt = serde_json::from_str(text);
    if let Err(error) = &attempt {
        tracing::warn!(%customer, %error, "a stored checkout can't be read and is replaced");
    }
    attempt.ok()
}

#[async_trait]
impl Checkouts for RedisStore {
    async fn checkout_attempt(&self, customer: &CustomerId) -> Result<Option<CheckoutAttempt>, StoreError> {
        let text = self.text(&checkout_key(customer)).await?;
        Ok(text.and_then(|text| readable(customer, &text)))
    }

    async fn swap_checkout_attempt(
        &self,
        customer: &CustomerId,
        current: Option<&CheckoutAttempt>,
        next: Option<&CheckoutAttempt>,
    ) -> Result<Option<CheckoutAttempt>, StoreError> {
        let key = checkout_key(customer);
        let session = current.and_then(|attempt| attempt.session.as_ref());
        let mut redis = self.redis.clone();
        let stored: String = self
            .scripts
            .swap_checkout
            .key(&key)
            .arg(current.map_or("", |attempt| attempt.token.as_str()))
            .arg(session.map_or("", CheckoutSessionId::as_str))
            .arg(next.map_or(Ok(String::new()), |attempt| super::to_json(&key, attempt))?)
            .arg(SECONDS)
            .invoke_async(&mut redis)
            .await
            .map_err(unavailable)?;
        Ok(if stored.is_empty() { None } else { readable(customer, &stored) })
    }

    async fn checkouts_closed_for(
        &self,
        customer: &CustomerId,
    ) -> Result<Option<SubscriptionId>, StoreError> {
        let text = self.text(&closed_key(customer)).await?;
        Ok(text.and_then(|text| SubscriptionId::parse(text).ok()))
    }

    async fn set_checkouts_closed_for(
        &self,
        customer: &CustomerId,
        subscription: &SubscriptionId,
    ) -> Result<(), StoreError> {
        let mut redis = self.redis.clone();
        let mut set = redis::cmd("SET");
        set.arg(closed_key(customer)).arg(subscription.as_str()).arg("EX").arg(SECONDS);
        set.query_async(&mut redis).await.map_err(unavailable)
    }
}
