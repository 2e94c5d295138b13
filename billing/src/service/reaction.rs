//! What follows a written value. A reaction asks Stripe to change something, never writes a value, is
//! safe to repeat, and is done again until it has succeeded. It may not be part of a sync.

use super::checkout::LONGEST_SESSION;
use super::{Billing, Synced, within};
use crate::error::Error;
use crate::id::CustomerId;

/// Whether the value that was reacted to is still what Stripe would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reacted {
    Nothing,
    /// Something was changed at Stripe: another sync is due.
    Changed,
}

impl Billing {
    /// Who waits for the value is not to wait for this for long.
    pub(super) async fn react(&self, customer: &CustomerId, synced: &Synced) -> Result<Reacted, Error> {
        within(self.settings.reaction, async {
            // None of them keeps another from its turn.
            let closed = self.close_checkouts(customer, synced).await;
            let noted = self.note_trials(customer, synced).await;
            let judged = self.judge_trials(customer, synced).await;
            let paid = self.retry_payment(customer, synced).await;
            closed.and(noted)?;
            Ok(if judged? == Reacted::Changed { Reacted::Changed } else { paid? })
        })
        .await
    }

    /// A reaction: a live subscription closes every checkout that is still open, so that nobody pays
    /// twice. Once a subscription, and again until it has succeeded; one that is older than any
    /// session can be has none left.
    async fn close_checkouts(&self, customer: &CustomerId, synced: &Synced) -> Result<(), Error> {
        let shown = synced.fetched.subscription.as_ref().or(synced.snapshot.subscription.as_ref());
        let Some(live) = shown.filter(|it| it.status.is_live()) else { return Ok(()) };
        let attempt = self.store.checkout_attempt(customer).await?;
        let young = self.now() - live.created < LONGEST_SESSION;
        let closed = || self.store.checkouts_closed_for(customer);
        if attempt.is_none() && (!young || closed().await?.as_ref() == Some(&live.subscription_id)) {
            return Ok(());
        }
        // Bought by the attempt that we know: opening it has closed all others, and a purchase
        // costs no further request.
        if attempt.is_none() || attempt.as_ref().map(|it| &it.token) != synced.checkout.as_ref() {
            let sessions = self.stripe.checkouts(customer).await?;
            self.expire_open(&sessions, None).await?;
        }
        if let Some(attempt) = attempt {
            self.store.swap_checkout_attempt(customer, Some(&attempt), None).await?;
        }
        Ok(self.store.set_checkouts_closed_for(customer, &live.subscription_id).await?)
    }
}
