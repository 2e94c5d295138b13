//! What a buyer who comes back from Stripe is told. Only Stripe's word counts: an empty list of
//! subscriptions alone never means that nothing was charged.

use super::Billing;
use crate::access::{Access, access};
use crate::clock::UnixMillis;
use crate::error::Error;
use crate::id::CustomerId;
use crate::ports::{CheckoutSession, CheckoutStatus, Due, Mark, PaymentStatus};
use crate::subscription::{Snapshot, Status, Subscription};

/// The end of a purchase, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Active or trialing, and it gives access.
    Subscribed(Box<Subscription>),
    /// The subscription is there and its payment is not: a failed renewal, a 3DS challenge.
    NeedsPayment(Box<Subscription>),
    /// The subscription is there, and something else keeps it from giving access.
    NoAccess(Box<Subscription>),
    /// The checkout is complete, and Stripe has not said yet what came of it.
    Processing { payment: PaymentStatus },
    /// What the newest checkout bought has ended since.
    Ended,
    /// No checkout was completed, or its payment failed.
    NotPaid,
    /// Stripe or the store does not answer; the sync stays due.
    Unreachable,
}

impl Billing {
    /// Syncs eagerly and says how the purchase stands. Waits for no webhook, and not for ever.
    pub async fn purchase_outcome(&self, customer: &CustomerId) -> Outcome {
        let error = match self.patiently(self.try_outcome(customer)).await {
            Ok(outcome) => return outcome,
            Err(error) => error,
        };
        tracing::warn!(%customer, %error, "the outcome of a purchase is not known yet");
        // The wait may have been cut off before it could say so itself.
        if let Err(error) = self.mark_now(customer).await {
            tracing::warn!(%customer, %error, "the customer could not be marked");
        }
        Outcome::Unreachable
    }

    async fn try_outcome(&self, customer: &CustomerId) -> Result<Outcome, Error> {
        if let Some(outcome) = self.known_outcome(customer).await? {
            return Ok(outcome);
        }
        let synced = self.sync_now(customer).await?;
        if let Some(outcome) = self.subscribed(&synced.snapshot) {
            return Ok(outcome);
        }
        let shown = synced.snapshot.subscription.as_ref();
        let sessions = self.stripe.checkouts(customer).await?;
        if let Some(session) = sessions.iter().find(|session| synced.is_pending(session, self.now())) {
            let mark = Mark::of(customer.clone(), Due::By(self.clock.now()));
            self.mark(&Mark { expects: session.subscription.clone(), ..mark }).await?;
            return Ok(Outcome::Processing { payment: session.payment_status });
        }
        Ok(settled(shown, &sessions))
    }

    /// A webhook was faster, a moment ago. The mark stays due, so that a sync follows.
    async fn known_outcome(&self, customer: &CustomerId) -> Result<Option<Outcome>, Error> {
        let Some(snapshot) = self.readable(customer).await? else { return Ok(None) };
        let (now, fetched) = (self.stripe_now(), UnixMillis::from_secs(snapshot.synced_at));
        // What is from the future is from a clock that is wrong.
        if fetched > now {
            return Ok(None);
        }
        let age = fetched.until(now);
        let Some(outcome) = self.subscribed(&snapshot).filter(|_| age < self.settings.fresh) else {
            return Ok(None);
        };
        self.mark_now(customer).await?;
        Ok(Some(outcome))
    }

    fn subscribed(&self, snapshot: &Snapshot) -> Option<Outcome> {
        let granted = matches!(access(snapshot, self.access_policy(), self.now()), Access::Granted { .. });
        let shown = snapshot.subscription.as_ref().filter(|_| granted);
        let paid = shown.filter(|it| matches!(it.status, Status::Active | Status::Trialing));
        paid.map(|it| Outcome::Subscribed(Box::new(it.clone())))
    }
}

/// Where nothing is under way.
fn settled(shown: Option<&Subscription>, sessions: &[CheckoutSession]) -> Outcome {
    let completed = sessions.first().is_some_and(|newest| newest.status == CheckoutStatus::Complete);
    let Some(shown) = shown else { return if completed { Outcome::Ended } else { Outcome::NotPaid } };
    match shown.status {
        Status::PastDue | Status::Unpaid | Status::Incomplete => {
            Outcome::NeedsPayment(Box::new(shown.clone()))
        }
        Status::Active | Status::Trialing | Status::Paused | Status::Unknown(_) => {
            Outcome::NoAccess(Box::new(shown.clone()))
        }
        Status::Canceled if completed => Outcome::Ended,
        Status::Canceled | Status::IncompleteExpired => Outcome::NotPaid,
    }
}
