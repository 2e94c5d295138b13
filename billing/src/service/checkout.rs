//! Opening a Checkout Session: one a customer at a time, and none for who has a subscription or
//! has just paid for one. Stripe is asked each time; the store only says which session is ours.

use std::time::Duration;

use super::customer::Buyer;
use super::{Billing, Synced};
use crate::error::{Error, StripeErrorKind};
use crate::id::{CheckoutSessionId, CustomerId};
use crate::plan::Interval;
use crate::policy::TrialTerms;
use crate::ports::{
    CheckoutAttempt, CheckoutMetadata, CheckoutSession, CheckoutStatus, NewCheckout, random_token,
};
use crate::subscription::Status;

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
    /// A purchase is complete or waits for its payment: a second one would be charged too.
    OnItsWay,
}

/// How often two requests of one user may overtake each other before one gives up.
const ROUNDS: usize = 8;

/// Stripe opens no session that would expire within half an hour.
const SHORTEST: Duration = Duration::from_secs(40 * 60);

impl Billing {
    /// The customer, then a session of theirs: the one that is open, or a new one.
    ///
    /// # Errors
    /// `Error::NoSuchPrice` for a plan that is not sold, `Error::NotPushed` where Stripe lacks the
    /// price; else Stripe or the store does not answer in time, and nobody is sent to pay.
    pub async fn start_checkout(&self, buyer: &Buyer, choice: &CheckoutChoice) -> Result<Checkout, Error> {
        self.patiently(self.try_checkout(buyer, choice)).await
    }

    async fn try_checkout(&self, buyer: &Buyer, choice: &CheckoutChoice) -> Result<Checkout, Error> {
        self.ensure_account().await?;
        let wanted = self.wanted(buyer, choice).await?;
        let customer = self.ensure_customer(buyer).await?;
        match self.checkout_for(&customer, &wanted).await {
            // Deleted between the two calls.
            Err(Error::Stripe(error)) if error.is_missing_customer() => {
                let customer = self.replace_customer(buyer, &customer).await?;
                self.checkout_for(&customer, &wanted).await
            }
            Err(Error::Stripe(error)) if error.is_missing() || error.kind == StripeErrorKind::Refused => {
                // The price that we remember may be gone.
                self.book.clear();
                Err(error.into())
            }
            answer => answer,
        }
    }

    /// The choice as an attempt without token, expiry and session.
    async fn wanted(&self, buyer: &Buyer, choice: &CheckoutChoice) -> Result<CheckoutAttempt, Error> {
        let (plan, price) = self.sold(choice)?;
        Ok(CheckoutAttempt {
            token: String::new(),
            user: buyer.user.clone(),
            plan: plan.id.clone(),
            interval: choice.interval,
            price: self.price_id(&plan.id, &price).await?,
            trial: self.catalog.trial_of(&plan),
            expires_at: 0,
            session: None,
        })
    }

    async fn checkout_for(&self, customer: &CustomerId, wanted: &CheckoutAttempt) -> Result<Checkout, Error> {
        for _ in 0..ROUNDS {
            // Read before Stripe is asked: a session that it names is in the list that follows.
            let stored = self.store.checkout_attempt(customer).await?;
            let synced = self.sync_now(customer).await?;
            if synced.is_live() {
                return Ok(Checkout::AlreadySubscribed);
            }
            let sessions = self.stripe.checkouts(customer).await?;
            let pending = sessions.iter().any(|session| synced.is_pending(session, self.now()));
            if pending || synced.can_be_paid() {
                return Ok(Checkout::OnItsWay);
            }
            let trial = self.trial_for(customer, wanted, &synced).await?;
            let wanted = CheckoutAttempt { trial, ..wanted.clone() };
            if let Some(url) = self.one_round(customer, stored.as_ref(), &wanted, &sessions).await? {
                return Ok(Checkout::Open { url });
            }
        }
        Err(Error::Busy)
    }

    /// A trial is for people who have had no subscription, and no trial with another customer either.
    async fn trial_for(
        &self,
        customer: &CustomerId,
        wanted: &CheckoutAttempt,
        synced: &Synced,
    ) -> Result<Option<TrialTerms>, Error> {
        let Some(terms) = wanted.trial.filter(|_| synced.had_none()) else { return Ok(None) };
        Ok(self.reserve_trial(&wanted.user, customer).await?.then_some(terms))
    }

    /// The URL of the session that is open, if this round has come that far.
    async fn one_round(
        &self,
        customer: &CustomerId,
        stored: Option<&CheckoutAttempt>,
        wanted: &CheckoutAttempt,
        sessions: &[CheckoutSession],
    ) -> Result<Option<String>, Error> {
        let Some(attempt) = stored.filter(|attempt| self.is_usable(attempt, wanted)) else {
            self.begin_attempt(customer, stored, wanted, sessions).await?;
            return Ok(None);
        };
        let session = match &attempt.session {
            Some(id) => sessions.iter().find(|session| session.id == *id).cloned(),
            None => self.open_session(customer, attempt).await?,
        };
        let open = session.filter(|session| session.status == CheckoutStatus::Open);
        if let Some(url) = open.as_ref().and_then(|session| session.url.clone()) {
            // One that can't be ended may just have been paid: the next round asks.
            let alone = self.expire_open(sessions, open.as_ref().map(|session| &session.id)).await?;
            return Ok(Some(url).filter(|_| alone));
        }
        if attempt.session.is_some() {
            self.begin_attempt(customer, Some(attempt), wanted, sessions).await?;
        }
        Ok(None)
    }

    /// Whether an attempt is for this choice and can still be opened.
    fn is_usable(&self, attempt: &CheckoutAttempt, wanted: &CheckoutAttempt) -> bool {
        let same = (&attempt.plan, attempt.interval, &attempt.price, attempt.trial)
            == (&wanted.plan, wanted.interval, &wanted.price, wanted.trial);
        let soonest = self.stripe_now().plus(SHORTEST).secs();
        same && (attempt.session.is_some() || attempt.expires_at >= soonest)
    }

    /// Ends the session of `current`, puts a new attempt in its place, and ends what else is open.
    async fn begin_attempt(
        &self,
        customer: &CustomerId,
        current: Option<&CheckoutAttempt>,
        wanted: &CheckoutAttempt,
        sessions: &[CheckoutSession],
    ) -> Result<(), Error> {
        if let Some(replaced) = current.and_then(|attempt| attempt.session.as_ref()) {
            self.expire(replaced).await?;
        }
        let attempt = CheckoutAttempt {
            token: random_token(),
            expires_at: self.stripe_now().plus(self.settings.checkout_lifetime).secs(),
            ..wanted.clone()
        };
        let stored = self.store.swap_checkout_attempt(customer, current, Some(&attempt)).await?;
        if stored.as_ref() == Some(&attempt) {
            // Nobody was faster, so what was listed before is older than this attempt.
            self.expire_open(sessions, None).await?;
        }
        Ok(())
    }

    /// Opens the attempt's session: all who try do it under one idempotency key with equal
    /// parameters, so that they open one, also after a crash in between. `None` where the attempt
    /// was replaced meanwhile; its session is then closed again.
    async fn open_session(
        &self,
        customer: &CustomerId,
        attempt: &CheckoutAttempt,
    ) -> Result<Option<CheckoutSession>, Error> {
        let checkout = NewCheckout {
            customer: customer.clone(),
            price: attempt.price.clone(),
            metadata: CheckoutMetadata { user: attempt.user.clone(), plan: attempt.plan.clone() },
            token: attempt.token.clone(),
            trial: attempt.trial,
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
        let stored = self.store.swap_checkout_attempt(customer, Some(attempt), Some(&known)).await?;
        // Who has taken the trial over meanwhile has looked for sessions before this one was there.
        let ours = attempt.trial.is_none() || self.reserve_trial(&attempt.user, customer).await?;
        if !ours || stored.as_ref() != Some(&known) {
            self.expire(&opened.id).await?;
            return Ok(None);
        }
        // A stored answer may be from before the session was paid: the next round's list knows.
        let fresh = self.now() - opened.created < FRESH;
        Ok(Some(opened).filter(|_| fresh))
    }

    /// Ends every session of these that is open, but for one. False where Stripe says that one of
    /// them is open no more.
    pub(super) async fn expire_open(
        &self,
        sessions: &[CheckoutSession],
        kept: Option<&CheckoutSessionId>,
    ) -> Result<bool, Error> {
        let mut ended = true;
        let open = sessions.iter().filter(|session| session.status == CheckoutStatus::Open);
        for session in open.filter(|session| Some(&session.id) != kept) {
            ended &= self.expire(&session.id).await?;
        }
        Ok(ended)
    }

    /// False where it was completed or expired meanwhile.
    async fn expire(&self, id: &CheckoutSessionId) -> Result<bool, Error> {
        match self.stripe.expire_checkout(id).await {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind, StripeErrorKind::Refused | StripeErrorKind::Missing) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Seconds. An idempotent answer that is older than this may be out of date.
const FRESH: i64 = 30;

/// Seconds: a day, which is as long as Stripe lets a session live, and an hour for lags and clocks.
pub(super) const LONGEST_SESSION: i64 = 25 * 60 * 60;

impl Synced {
    /// A completed session that Stripe has not settled: its subscription is not listed yet, or
    /// waits for the bank, as a debit does for days. What has not appeared after a day never will.
    pub(super) fn is_pending(&self, session: &CheckoutSession, now: i64) -> bool {
        if session.status != CheckoutStatus::Complete {
            return false;
        }
        let status = session.subscription.as_ref().and_then(|id| self.status_of(id));
        match status {
            Some(status) => *status == Status::Incomplete,
            None => now - session.created < LONGEST_SESSION,
        }
    }

    /// The one that is shown waits for its first payment, and the buyer has a page to pay it.
    fn can_be_paid(&self) -> bool {
        self.fetched.subscription.as_ref().is_some_and(|it| {
            let open = it.latest_invoice.as_ref().filter(|invoice| invoice.is_open());
            it.status == Status::Incomplete && open.is_some_and(|invoice| invoice.url.is_some())
        })
    }

    /// There has never been a subscription; one that was never paid does not count.
    fn had_none(&self) -> bool {
        self.listed.iter().all(|(_, status)| *status == Status::IncompleteExpired)
    }
}
