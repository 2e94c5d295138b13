//! One customer a user, created and bound before any checkout. docs/sync.md tells each step's
//! reason; ARCHITECTURE names the cases.

use super::Billing;
use super::trials::Noted;
use crate::error::{Error, StripeErrorKind};
use crate::id::{CustomerId, UserId};
use crate::ports::CustomerAttempt;

/// How many customers with a buyer's e-mail are looked at.
const MOST_ASKED: usize = 10;

/// Who buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    pub user: UserId,
    pub email: String,
}

impl Billing {
    /// The user's customer, made if there is none, with the user's current e-mail.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer. Trying again makes no second customer.
    pub async fn ensure_customer(&self, buyer: &Buyer) -> Result<CustomerId, Error> {
        let Some(bound) = self.store.customer_of(&buyer.user).await? else {
            let customer = self.create_and_bind(buyer, None).await?;
            self.set_email(&customer, &buyer.email).await?;
            self.level_trial(&buyer.user, &customer, Noted::Nothing).await?;
            return Ok(customer);
        };
        match self.stripe.customer(&bound).await? {
            Some(customer) => {
                self.level_trial(&buyer.user, &bound, Noted::from(&customer)).await?;
                if customer.email.as_deref() != Some(&buyer.email) {
                    self.set_email(&bound, &buyer.email).await?;
                }
                Ok(bound)
            }
            None => self.replace_customer(buyer, &bound).await,
        }
    }

    /// Puts a new customer in the place of one that was deleted at Stripe.
    pub(super) async fn replace_customer(
        &self,
        buyer: &Buyer,
        deleted: &CustomerId,
    ) -> Result<CustomerId, Error> {
        tracing::warn!(%deleted, "the user's customer was deleted at Stripe and is replaced");
        let customer = self.create_and_bind(buyer, Some(deleted)).await?;
        self.set_email(&customer, &buyer.email).await?;
        self.level_trial(&buyer.user, &customer, Noted::Nothing).await?;
        Ok(customer)
    }

    /// The customer of a user whose binding may be lost, by Stripe's search.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer.
    pub async fn find_customer(&self, user: &UserId) -> Result<Option<CustomerId>, Error> {
        if let Some(bound) = self.store.customer_of(user).await? {
            return Ok(Some(bound));
        }
        if self.strangers.knows(user) {
            return Ok(None);
        }
        let Some(found) = self.patiently(self.search(user, None)).await? else {
            self.strangers.remember(user);
            return Ok(None);
        };
        Ok(Some(self.store.bind(user, &found, None).await?))
    }

    async fn create_and_bind(
        &self,
        buyer: &Buyer,
        deleted: Option<&CustomerId>,
    ) -> Result<CustomerId, Error> {
        let (_place, turn) = self.buyers.join(&buyer.user);
        let _turn = turn.lock_owned().await;
        // Whoever clicked a moment before has done it: each would search, and Stripe allows few searches.
        if let Some(bound) = self.store.customer_of(&buyer.user).await?
            && Some(&bound) != deleted
        {
            return Ok(bound);
        }
        let attempt = self.running_attempt(&buyer.user, deleted).await?;
        let found = self.search(&buyer.user, deleted).await?;
        let customer = match found {
            Some(customer) => customer,
            None => {
                if deleted.is_none() {
                    self.refuse_orphan(buyer).await?;
                }
                self.create(&buyer.user, &attempt).await?
            }
        };
        let bound = self.store.bind(&buyer.user, &customer, deleted).await?;
        if bound != customer {
            tracing::info!(%customer, %bound, "another request has bound the user's customer");
        }
        Ok(bound)
    }

    async fn running_attempt(
        &self,
        user: &UserId,
        deleted: Option<&CustomerId>,
    ) -> Result<CustomerAttempt, Error> {
        let first = CustomerAttempt { number: 1, started_at: self.clock.now().0, replaces: deleted.cloned() };
        let running = self.store.customer_attempt(user, &first).await?;
        if running.replaces.as_ref() == deleted {
            return Ok(running);
        }
        self.store.replace_customer_attempt(user, &running, &first).await?;
        let running = self.store.customer_attempt(user, &first).await?;
        // Somebody else's, about another customer: to go on under it could make a second one.
        if running.replaces.as_ref() == deleted { Ok(running) } else { Err(Error::Busy) }
    }

    /// A lost binding, an attempt that died, a failure after the effect: each may have left a
    /// customer behind, and Stripe's search is the only one who knows it. What is younger than
    /// the search's lag, the idempotency key finds.
    async fn search(&self, user: &UserId, deleted: Option<&CustomerId>) -> Result<Option<CustomerId>, Error> {
        let mut found = match self.stripe.search_customers(user).await {
            // Search does not exist in every region: https://docs.stripe.com/search
            Err(error) if error.kind == StripeErrorKind::Refused => {
                tracing::warn!(%error, "customers can't be searched: a customer whose binding is lost won't be found");
                return Ok(None);
            }
            answer => answer?,
        };
        found.retain(|customer| Some(&customer.id) != deleted);
        if found.len() > 1 {
            tracing::warn!(%user, customers = found.len(), "Stripe has several customers with this metadata.userId");
        }
        let Some(oldest) = found.first() else {
            return Ok(None);
        };
        if found.iter().any(|customer| customer.trial_used) {
            self.store.use_trial(user).await?;
        }
        // Whichever is live decides; the oldest where none is.
        for customer in &found {
            let synced = Box::pin(self.sync(&customer.id)).await?;
            if synced.snapshot.subscription.is_some_and(|it| it.status.is_live()) {
                return Ok(Some(customer.id.clone()));
            }
        }
        Ok(Some(oldest.id.clone()))
    }

    /// A customer with this e-mail who is not this user, and pays for one of our plans: an account
    /// was lost, or its e-mail is used by somebody else. A new customer would be charged twice, and a
    /// customer is never given to whoever types its e-mail.
    async fn refuse_orphan(&self, buyer: &Buyer) -> Result<(), Error> {
        let customers = self.stripe.customers_with_email(&buyer.email).await?;
        for (number, customer) in customers.iter().enumerate() {
            // What is stored is enough, and so many that they can't be asked in time are for a person.
            let stored = self.readable(&customer.id).await?;
            let value = match stored {
                Some(stored) => Some(stored),
                None if number >= MOST_ASKED => None,
                None => Some(Box::pin(self.sync(&customer.id)).await?.fetched),
            };
            let live =
                value.as_ref().and_then(|it| it.subscription.as_ref()).filter(|it| it.status.is_live());
            if value.is_none() || live.is_some_and(|it| it.plan.is_some()) {
                tracing::warn!(user = %buyer.user, customer = %customer.id, "another customer with this e-mail has a subscription: nothing is sold");
                return Err(Error::EmailHasSubscription);
            }
        }
        Ok(())
    }

    /// The idempotency key is made from user and attempt alone, so that all who try at the same
    /// time, and whoever tries again after a lost binding, create one customer.
    async fn create(&self, user: &UserId, attempt: &CustomerAttempt) -> Result<CustomerId, Error> {
        let place = attempt.replaces.as_ref().map_or("first", CustomerId::as_str);
        let key = format!("unsplit-customer-{user}-{place}-{}", attempt.number);
        match self.stripe.create_customer(user, &key).await {
            Err(error) if error.kind == StripeErrorKind::Failed => {
                // Stripe keeps the failure under this key: the next try needs another.
                let next = CustomerAttempt { number: attempt.number + 1, ..attempt.clone() };
                self.store.replace_customer_attempt(user, attempt, &next).await?;
                Err(error.into())
            }
            answer => Ok(answer?),
        }
    }

    /// Not part of creating: a changed parameter would break the idempotency key. An e-mail that
    /// Stripe does not take is no reason not to sell: checkout asks for one.
    async fn set_email(&self, customer: &CustomerId, email: &str) -> Result<(), Error> {
        match self.stripe.set_email(customer, email).await {
            Err(error) if matches!(error.kind, StripeErrorKind::Refused | StripeErrorKind::Missing) => {
                tracing::warn!(%customer, %error, "the e-mail was not taken");
                Ok(())
            }
            answer => Ok(answer?),
        }
    }
}
