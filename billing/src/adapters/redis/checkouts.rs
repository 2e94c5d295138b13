//! `stripe:checkout:<customer>`: the one checkout that a customer has open.

use async_trait::async_trait;

use super::{RedisStore, from_json, to_json};
use crate::error::StoreError;
use crate::id::CustomerId;
use crate::ports::{CheckoutAttempt, Checkouts};

fn checkout_key(customer: &CustomerId) -> String {
    format!("stripe:checkout:{customer}")
}

#[async_trait]
impl Checkouts for RedisStore {
    async fn checkout_attempt(&self, customer: &CustomerId) -> Result<Option<CheckoutAttempt>, StoreError> {
        let key = checkout_key(customer);
        self.text(&key).await?.map(|text| from_json(&key, &text)).transpose()
    }

    async fn swap_checkout_attempt(
        &self,
        customer: &CustomerId,
        current: Option<&CheckoutAttempt>,
        next: Option<&CheckoutAttempt>,
    ) -> Result<Option<CheckoutAttempt>, StoreError> {
        let key = checkout_key(customer);
        let json =
            |attempt: Option<&CheckoutAttempt>| attempt.map_or(Ok(String::new()), |it| to_json(&key, it));
        let stored = self.swap(&key, &json(current)?, &json(next)?).await?;
        stored.map(|text| from_json(&key, &text)).transpose()
    }
}
