//! What a buyer who comes back from Stripe is told. Only Stripe's word counts: an empty list of
//! subscriptions alone never means that nothing was charged.

use super::{Billing, Synced};
use crate::access::{Access, access};
use crate::error::Error;
use crate::id::CustomerId;
use crate::ports::{CheckoutSession, CheckoutStatus, Due, Mark, PaymentStatus};
use crate::subscription::{Status, Subscription};

/// The end of a purchase, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Active or trialing, and it gives access.
    Subscribed(Box<Subscription>),
    /// The subscription is there and waits for the buyer: a failed first payment, a 3DS challenge.
    NeedsPayment(Box<Subscription>),
    /// The checkout is complete, and Stripe has not said yet what came of it.
    Processing { payment: PaymentStatus },
    /// What the newest checkout bought has ended since.
    Ended,
    /// No checkout was completed.
    NotPaid,
    /// Stripe or the store does not answer; the sync stays due.
    Unreachable,
}

impl Billing {
    /// Syncs eagerly and says how the purchase stands. Waits for no webhook, and not for ever.
    pub async fn purchase_outcome(&self, customer: &CustomerId) -> Outcome {
        match self.patiently(self.try_outcome(customer)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%customer, %error, "the outcome of a purchase is not known yet");
                Outcome::Unreachable
            }
        }
    }

    async fn try_outcome(&self, customer: &CustomerId) -> Result<Outcome, Error> {
        let synced = self.sync_now(customer).await?;
        let shown = synced.snapshot.subscription.as_ref();
        let granted =
            matches!(access(&synced.snapshot, self.settings.access, self.now()), Access::Granted { .. });
        if let Some(it) = shown.filter(|it| granted && matches!(it.status, Status::Active | Status::Trialing))
        {
            return Ok(Outcome::Subscribed(Box::new(it.clone())));
        }
        let sessions = self.stripe.checkouts(customer).await?;
        if let Some(session) = sessions.iter().find(|session| synced.is_processing(session)) {
            let due = Due::By(self.clock.now());
            let expects = session.subscription.clone();
            self.mark(&Mark { customer: customer.clone(), due, expects }).await?;
            return Ok(Outcome::Processing { payment: session.payment_status });
        }
        let newest_complete = sessions.first().is_some_and(|it| it.status == CheckoutStatus::Complete);
        Ok(match shown {
            Some(it) if it.status.is_live() || it.status == Status::Incomplete => {
                Outcome::NeedsPayment(Box::new(it.clone()))
            }
            _ if newest_complete => Outcome::Ended,
            _ => Outcome::NotPaid,
        })
    }
}

impl Synced {
    /// Complete, and its subscription is not listed, or listed in a state that will not last: a
    /// bank debit leaves it incomplete for days.
    fn is_processing(&self, session: &CheckoutSession) -> bool {
        let status = session.subscription.as_ref().and_then(|id| self.status_of(id));
        let unsettled = match status {
            Some(Status::Incomplete | Status::Active | Status::Trialing | Status::Unknown(_)) => true,
            Some(_) | None => false,
        };
        self.is_on_its_way(session) || (session.status == CheckoutStatus::Complete && unsettled)
    }
}
