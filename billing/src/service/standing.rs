//! What a page that is open follows: whose value it shows, which version of it, and the news that there may
//! be another. Reads the store, and never asks Stripe: whoever waits here waits for somebody else's sync.

use futures::stream::BoxStream;

use super::Billing;
use crate::error::StoreError;
use crate::id::{CustomerId, UserId};
use crate::ports::News;
use crate::subscription::Snapshot;

/// What is stored of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub customer: Option<CustomerId>,
    /// As of `Snapshot::version`; who has nothing has the version of nothing.
    pub version: String,
}

impl Billing {
    /// How a user stands now.
    ///
    /// # Errors
    /// `StoreError`.
    pub async fn standing_of(&self, user: &UserId) -> Result<Standing, StoreError> {
        let customer = self.store.customer_of(user).await?;
        let snapshot = match &customer {
            Some(customer) => self.readable(customer).await?,
            None => None,
        };
        let version = snapshot.unwrap_or(Snapshot::none(0)).version();
        Ok(Standing { customer, version })
    }

    /// Whose standing may have changed, by any process. Begins with `News::Any`.
    #[must_use]
    pub fn news(&self) -> BoxStream<'static, News> {
        self.store.news()
    }
}
