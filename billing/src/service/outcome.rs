//! What a buyer who comes back from Stripe is told. Only Stripe's word counts: an empty list of
//! subscriptions alone never means that nothing was charged.

use super::Billing;
use crate::error::Error;
use crate::id::{CustomerId, PlanId, SubscriptionId};
use crate::ports::{CheckoutSession, CheckoutStatus, PaymentStatus};
use crate::subscription::{Snapshot, Status, Subscription};

/// The end of a purchase, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Active or trialing.
    Subscribed(Box<Subscription>),
    /// The subscription is there and waits for the buyer: a failed first payment, a 3DS challenge.
    NeedsPayment(Box<Subscription>),
    /// The checkout is complete, and its subscription is not listed yet.
    Processing { plan: Option<PlanId>, payment: PaymentStatus },
    /// No checkout was completed.
    NotPaid,
    /// Stripe or the store does not answer; the sync stays due.
    Unreachable,
}

impl Billing {
    /// Syncs eagerly and says how the purchase stands. Waits for no webhook.
    pub async fn purchase_outcome(&self, customer: &CustomerId) -> Outcome {
        match self.try_outcome(customer).await {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::warn!(%customer, %error, "the outcome of a purchase is not known yet");
                Outcome::Unreachable
            }
        }
    }

    async fn try_outcome(&self, customer: &CustomerId) -> Result<Outcome, Error> {
        let synced = self.sync_now(customer).await?;
        if let Some(outcome) = by_subscription(&synced.snapshot) {
            return Ok(outcome);
        }
        let sessions = self.stripe.checkouts(customer).await?;
        let unlisted = sessions.iter().find(|session| is_on_its_way(session, &synced.listed));
        Ok(unlisted.map_or(Outcome::NotPaid, |session| Outcome::Processing {
            plan: session.metadata.as_ref().map(|metadata| metadata.plan.clone()),
            payment: session.payment_status,
        }))
    }
}

fn by_subscription(snapshot: &Snapshot) -> Option<Outcome> {
    let subscription = snapshot.subscription.as_ref()?;
    match &subscription.status {
        Status::Active | Status::Trialing => Some(Outcome::Subscribed(Box::new(subscription.clone()))),
        Status::Incomplete | Status::PastDue | Status::Unpaid | Status::Paused => {
            Some(Outcome::NeedsPayment(Box::new(subscription.clone())))
        }
        // It is listed, so Stripe has it; what it means, we can't say.
        Status::Unknown(_) => {
            Some(Outcome::Processing { plan: subscription.plan.clone(), payment: PaymentStatus::Unpaid })
        }
        Status::IncompleteExpired | Status::Canceled => None,
    }
}

/// A completed session whose subscription Stripe does not list yet. One that is listed has been
/// judged by its status, and one without a subscription is ours only if its metadata says so.
fn is_on_its_way(session: &CheckoutSession, listed: &[SubscriptionId]) -> bool {
    session.status == CheckoutStatus::Complete
        && match &session.subscription {
            Some(subscription) => !listed.contains(subscription),
            None => session.metadata.is_some(),
        }
}
