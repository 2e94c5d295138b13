//! Stripe's own customer portal: the way there, and what is looked at on the way back.

use super::Billing;
use crate::change::Refusal;
use crate::error::Error;
use crate::id::UserId;
use crate::ports::PortalFlow;
use crate::subscription::Snapshot;

impl Billing {
    /// The URL of a portal session of the user's customer.
    ///
    /// # Errors
    /// `Error::Refused` where they never were a customer; else Stripe or the store does not answer.
    pub async fn open_portal(
        &self,
        user: &UserId,
        return_url: &str,
        flow: &PortalFlow,
    ) -> Result<String, Error> {
        self.patiently(async {
            self.ensure_account().await?;
            let customer = self.customer_of(user).await?.ok_or(Refusal::NoSubscription)?;
            // Whatever is changed there, also by who never comes back.
            self.mark_for(&customer, self.settings.eager_grace).await?;
            Ok(self.stripe.open_portal(&customer, return_url, flow).await?)
        })
        .await
    }

    /// What Stripe says after a visit: anything may have been changed there.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer; the sync stays due.
    pub async fn back_from_portal(&self, user: &UserId) -> Result<Option<Snapshot>, Error> {
        let Some(customer) = self.customer_of(user).await? else { return Ok(None) };
        self.patiently(async { Ok(Some(self.sync_now(&customer).await?.snapshot)) }).await
    }
}
