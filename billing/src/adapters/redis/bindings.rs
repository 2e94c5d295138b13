//! `stripe:user:<id>`, the attempts to create a customer, and `stripe:account`.

use async_trait::async_trait;

use super::{RedisStore, from_json, news, to_json, unreadable};
use crate::error::StoreError;
use crate::id::{CustomerId, UserId};
use crate::ports::{Account, Bindings, CustomerAttempt};

const ACCOUNT: &str = "stripe:account";
/// Before the user's id.
pub(super) const BINDING: &str = "stripe:user:";

fn binding_key(user: &UserId) -> String {
    format!("{BINDING}{user}")
}

fn attempt_key(user: &UserId) -> String {
    format!("stripe:attempt:{user}")
}

#[async_trait]
impl Bindings for RedisStore {
    async fn customer_of(&self, user: &UserId) -> Result<Option<CustomerId>, StoreError> {
        let key = binding_key(user);
        let text = self.text(&key).await?;
        text.map(|text| CustomerId::parse(text).map_err(|error| unreadable(&key, error))).transpose()
    }

    async fn bind(
        &self,
        user: &UserId,
        customer: &CustomerId,
        expected: Option<&CustomerId>,
    ) -> Result<CustomerId, StoreError> {
        let key = binding_key(user);
        let expected = expected.map_or("", CustomerId::as_str);
        let bound = self.swap_and_tell(&key, expected, customer.as_str(), news::CHANNEL).await?;
        let bound = bound.ok_or_else(|| unreadable(&key, "a binding vanished while it was set"))?;
        CustomerId::parse(bound).map_err(|error| unreadable(&key, error))
    }

    async fn customer_attempt(
        &self,
        user: &UserId,
        proposed: &CustomerAttempt,
    ) -> Result<CustomerAttempt, StoreError> {
        let key = attempt_key(user);
        match self.swap(&key, "", &to_json(&key, proposed)?).await? {
            Some(running) => match from_json(&key, &running) {
                Ok(running) => Ok(running),
                // Another release's, or damage: as good as nothing.
                Err(_) => {
                    self.swap(&key, &running, &to_json(&key, proposed)?).await?;
                    Ok(proposed.clone())
                }
            },
            None => Ok(proposed.clone()),
        }
    }

    async fn replace_customer_attempt(
        &self,
        user: &UserId,
        current: &CustomerAttempt,
        next: &CustomerAttempt,
    ) -> Result<(), StoreError> {
        let key = attempt_key(user);
        self.swap(&key, &to_json(&key, current)?, &to_json(&key, next)?).await?;
        Ok(())
    }

    async fn account(&self) -> Result<Option<Account>, StoreError> {
        self.json(ACCOUNT).await
    }

    async fn claim_account(&self, account: &Account) -> Result<Account, StoreError> {
        let recorded = self.swap(ACCOUNT, "", &to_json(ACCOUNT, account)?).await?;
        recorded.map_or_else(|| Ok(account.clone()), |text| from_json(ACCOUNT, &text))
    }
}
