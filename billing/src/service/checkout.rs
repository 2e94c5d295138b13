//! Opening a Checkout Session: one a customer at a time, and none for who has a subscription.

use std::time::Duration;

use rand::Rng;

use super::Billing;
use super::customer::Buyer;
use crate::clock::UnixMillis;
use crate::error::{Error, StripeError, StripeErrorKind};
use crate::id::CustomerId;
use crate::plan::Interval;
use crate::ports::{CheckoutAttempt, CheckoutMetadata, CheckoutSession, CheckoutStatus, NewCheckout};
use crate::subscription::Snapshot;

/// What a buyer chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutChoice {
    pub plan: String,
    pub interval: Interval,
}

/// Where a buyer goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkout {
    /// Stripe's page.
    Open { url: String },
    /// Stripe says that there is a live subscription.
    AlreadySubscribed,
}

/// How often two requests of one user may overtake each other before one gives up.
const ROUNDS: usize = 6;

impl Billing {
    /// The customer, then a session of theirs: the one that is open, or a new one.
    ///
    /// # Errors
    /// `Error::NoSuchPrice` for a plan that is not sold, `Error::NotPushed` where Stripe lacks the
    /// price; else Stripe or the store does not answer, and no session was opened in vain.
    pub async fn start_checkout(&self, buyer: &Buyer, choice: &CheckoutChoice) -> Result<Checkout, Error> {
        let plan = self.catalog.plan_named(&choice.plan);
        let price = plan.and_then(|plan| Some((plan, plan.price(choice.interval)?)));
        let (plan, price) = price.ok_or_else(|| Error::NoSuchPrice {
            plan: choice.plan.chars().take(40).collect(),
            interval: choice.interval.as_str(),
        })?;
        let price = self.price_id(&price.lookup_key).await?;
        let wanted = CheckoutAttempt {
            token: String::new(),
            user: buyer.user.clone(),
            plan: plan.id.clone(),
            interval: choice.interval,
            price,
            trial_days: plan.trial_days,
            expires_at: 0,
            session: None,
        };
        let customer = self.ensure_customer(buyer).await?;
        match self.checkout_for(&customer, &wanted).await {
            Err(Error::Stripe(error)) if is_deleted_customer(&error) => {
                let customer = self.replace_customer(buyer, &customer).await?;
                self.checkout_for(&customer, &wanted).await
            }
            Err(Error::Stripe(error)) if error.is_missing() => {
                // The price that we remember is gone.
                self.book.clear();
                Err(error.into())
            }
            answer => answer,
        }
    }

    async fn checkout_for(&self, customer: &CustomerId, wanted: &CheckoutAttempt) -> Result<Checkout, Error> {
        for _ in 0..ROUNDS {
            if self.is_live_at_stripe(customer).await? {
                return Ok(Checkout::AlreadySubscribed);
            }
            let stored = self.store.checkout_attempt(customer).await?;
            let attempt = match stored {
                Some(attempt) if self.is_too_old_to_open(&attempt) => {
                    self.begin_attempt(customer, Some(&attempt), wanted).await?;
                    continue;
                }
                Some(attempt) => attempt,
                None => {
                    self.begin_attempt(customer, None, wanted).await?;
                    continue;
                }
            };
            let session = self.session_of(customer, &attempt).await?;
            let url = session.url.clone().filter(|_| session.status == CheckoutStatus::Open);
            match url {
                Some(url) if is_same_choice(&attempt, wanted) => return Ok(Checkout::Open { url }),
                Some(_) => self.expire(&session).await?,
                None => {}
            }
            // What is stored is spent. Where it was completed in this moment, the next round's
            // question to Stripe sees the subscription.
            let spent = CheckoutAttempt { session: Some(session.id.clone()), ..attempt.clone() };
            self.begin_attempt(customer, Some(&spent), wanted).await?;
        }
        Err(Error::Busy)
    }

    /// Stripe is asked, not the cache: a stale one would sell a second subscription.
    async fn is_live_at_stripe(&self, customer: &CustomerId) -> Result<bool, Error> {
        let synced = self.sync_now(customer).await?;
        Ok(synced.snapshot.subscription.is_some_and(|it| it.status.is_live()))
    }

    async fn begin_attempt(
        &self,
        customer: &CustomerId,
        current: Option<&CheckoutAttempt>,
        wanted: &CheckoutAttempt,
    ) -> Result<(), Error> {
        let attempt = CheckoutAttempt {
            token: format!("{:032x}", rand::rng().random::<u128>()),
            expires_at: self.clock.now().plus(self.settings.checkout_lifetime).secs(),
            ..wanted.clone()
        };
        self.store.swap_checkout_attempt(customer, current, Some(&attempt)).await?;
        Ok(())
    }

    /// Stripe opens no session that would expire within half an hour.
    fn is_too_old_to_open(&self, attempt: &CheckoutAttempt) -> bool {
        let soonest = self.clock.now().plus(Duration::from_secs(40 * 60)).secs();
        attempt.session.is_none() && attempt.expires_at < soonest
    }

    /// The attempt's session, opened if nobody has yet: all who try do it under one idempotency
    /// key with equal parameters, so that they open one, also after a crash in between.
    async fn session_of(
        &self,
        customer: &CustomerId,
        attempt: &CheckoutAttempt,
    ) -> Result<CheckoutSession, Error> {
        if let Some(id) = &attempt.session {
            return Ok(self.stripe.checkout(id).await?);
        }
        let checkout = NewCheckout {
            customer: customer.clone(),
            price: attempt.price.clone(),
            metadata: CheckoutMetadata { user: attempt.user.clone(), plan: attempt.plan.clone() },
            trial_days: attempt.trial_days,
            success_url: self.settings.success_url.clone(),
            cancel_url: self.settings.cancel_url.clone(),
            expires_at: attempt.expires_at,
            idempotency_key: format!("unsplit-checkout-{}", attempt.token),
        };
        let opened = match self.stripe.open_checkout(&checkout).await {
            Ok(opened) => opened,
            Err(error) => {
                if error.kind != StripeErrorKind::Unavailable {
                    // Stripe will give this answer again under this key.
                    self.store.swap_checkout_attempt(customer, Some(attempt), None).await?;
                }
                return Err(error.into());
            }
        };
        let known = CheckoutAttempt { session: Some(opened.id.clone()), ..attempt.clone() };
        self.store.swap_checkout_attempt(customer, Some(attempt), Some(&known)).await?;
        // The answer may be a stored one, from before the session was paid or expired.
        if self.clock.now() > UnixMillis::from_secs(opened.created).plus(REPLAYED_AFTER) {
            return Ok(self.stripe.checkout(&opened.id).await?);
        }
        Ok(opened)
    }

    async fn expire(&self, session: &CheckoutSession) -> Result<(), Error> {
        match self.stripe.expire_checkout(&session.id).await {
            // Completed or expired meanwhile: the next round looks again.
            Err(error) if matches!(error.kind, StripeErrorKind::Refused | StripeErrorKind::Missing) => Ok(()),
            answer => Ok(answer?),
        }
    }

    /// Reactions to a written value, never part of the sync itself: a live subscription closes
    /// the checkout that is still open, so that nobody pays twice.
    pub(super) async fn after_sync(&self, customer: &CustomerId, snapshot: &Snapshot) {
        if !snapshot.subscription.as_ref().is_some_and(|it| it.status.is_live()) {
            return;
        }
        if let Err(error) = self.close_checkout(customer).await {
            tracing::warn!(%customer, %error, "an open checkout could not be closed");
        }
    }

    async fn close_checkout(&self, customer: &CustomerId) -> Result<(), Error> {
        let Some(attempt) = self.store.checkout_attempt(customer).await? else {
            return Ok(());
        };
        if let Some(id) = &attempt.session {
            match self.stripe.expire_checkout(id).await {
                Ok(()) => tracing::info!(%customer, session = %id, "an open checkout was closed"),
                Err(error) if matches!(error.kind, StripeErrorKind::Refused | StripeErrorKind::Missing) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.store.swap_checkout_attempt(customer, Some(&attempt), None).await?;
        Ok(())
    }
}

/// A stored answer of a call that was made this long ago may be out of date.
const REPLAYED_AFTER: Duration = Duration::from_secs(30);

fn is_same_choice(attempt: &CheckoutAttempt, wanted: &CheckoutAttempt) -> bool {
    (&attempt.plan, attempt.interval, &attempt.price) == (&wanted.plan, wanted.interval, &wanted.price)
}

fn is_deleted_customer(error: &StripeError) -> bool {
    error.is_missing() && error.param.as_deref() == Some("customer")
}
