//! Stripe as the verbs see it. Each method is one call of Stripe's API, or the pages of one list.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{InvoiceLists, SubscriptionChanges};
use crate::error::StripeError;
use crate::event::Event;
use crate::fold::{ListedItem, ListedSubscription};
use crate::id::{
    AccountId, CheckoutSessionId, CustomerId, LookupKey, PlanId, PriceId, ProductId, SubscriptionId, UserId,
};
use crate::money::Currency;
use crate::plan::{Interval, PlanPrice};
use crate::policy::TrialTerms;

/// A page of one of Stripe's lists, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end of the list.
    pub after: Option<String>,
    /// When Stripe answered, by its own clock; Unix seconds.
    pub stripe_time: Option<i64>,
}

/// A listed subscription that says too little, or what cannot be. Its customer's value may not be
/// written from a list that lacks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSubscription {
    pub id: Option<SubscriptionId>,
    pub customer: Option<CustomerId>,
    pub reason: String,
}

/// A customer, as far as one is looked at. A deleted one is `None` wherever it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    pub id: CustomerId,
    /// `metadata.userId`.
    pub user: Option<UserId>,
    pub email: Option<String>,
    /// `metadata.trial` is `used`: their user has had the one trial.
    pub trial_used: bool,
    /// Unix seconds.
    pub created: i64,
}

/// A Checkout Session's status (https://docs.stripe.com/api/checkout/sessions/object).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckoutStatus {
    Open,
    Complete,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStatus {
    Paid,
    Unpaid,
    NoPaymentRequired,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutSession {
    pub id: CheckoutSessionId,
    pub status: CheckoutStatus,
    pub payment_status: PaymentStatus,
    /// Only while it is open.
    pub url: Option<String>,
    pub subscription: Option<SubscriptionId>,
    /// `metadata.userId` and `metadata.plan`, parsed; `None` where either is missing or malformed.
    pub metadata: Option<CheckoutMetadata>,
    /// Unix seconds.
    pub created: i64,
}

/// What every session of ours carries, and every reader checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutMetadata {
    pub user: UserId,
    pub plan: PlanId,
}

impl CheckoutMetadata {
    #[must_use]
    pub fn parse(metadata: &BTreeMap<String, String>) -> Option<Self> {
        let user = UserId::parse(metadata.get("userId")?.as_str()).ok()?;
        let plan = PlanId::parse(metadata.get("plan")?.as_str()).ok()?;
        Some(Self { user, plan })
    }

    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("userId".to_owned(), self.user.to_string()),
            ("plan".to_owned(), self.plan.to_string()),
        ])
    }
}

/// A session to open, in subscription mode. Two equal ones under one idempotency key are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCheckout {
    pub customer: CustomerId,
    pub price: PriceId,
    pub metadata: CheckoutMetadata,
    /// The attempt's: the subscription carries it as `metadata.checkout`.
    pub token: String,
    pub trial: Option<TrialTerms>,
    pub success_url: String,
    pub cancel_url: String,
    /// Unix seconds; between 30 minutes and 24 hours from now.
    pub expires_at: i64,
    pub idempotency_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub name: String,
    pub description: Option<String>,
    pub active: bool,
    /// `metadata.plan`.
    pub plan: Option<PlanId>,
    /// Unix seconds.
    pub created: i64,
}

/// What `plans push` writes of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductFields {
    pub name: String,
    pub description: String,
    pub plan: PlanId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub id: PriceId,
    pub product: ProductId,
    pub lookup_key: Option<LookupKey>,
    pub active: bool,
    pub amount: Option<i64>,
    pub currency: Currency,
    pub interval: Option<Interval>,
}

impl Price {
    /// Whether it charges what plans.toml says, under its lookup key.
    #[must_use]
    pub fn is_for(&self, listed: &PlanPrice) -> bool {
        self.lookup_key.as_ref() == Some(&listed.lookup_key)
            && self.amount == Some(listed.amount)
            && self.currency == listed.currency
            && self.interval == Some(listed.interval)
    }
}

/// A price to create; it takes the lookup key from whichever price has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPrice {
    pub product: ProductId,
    pub lookup_key: LookupKey,
    pub amount: i64,
    pub currency: Currency,
    pub interval: Interval,
    pub idempotency_key: String,
}

/// All of a customer's subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub subscriptions: Vec<ListedSubscription>,
    /// Stripe's clock when it answered first, Unix seconds.
    pub stripe_time: Option<i64>,
}

#[async_trait]
pub trait Stripe: SubscriptionChanges + InvoiceLists + Send + Sync {
    /// How far Stripe's clock is ahead of ours, as its newest answer says; milliseconds, 0 where they
    /// agree within a few seconds or nothing was asked yet.
    fn ahead(&self) -> i64;

    async fn account(&self) -> Result<AccountId, StripeError>;

    /// All of a customer's subscriptions, in every status, with cards and newest invoice: one
    /// request for up to a hundred. An unknown or deleted customer has none. One that can't be read
    /// fails the call.
    async fn subscriptions(&self, customer: &CustomerId) -> Result<Listing, StripeError>;
    /// A hundred of everybody's subscriptions, in every status, each with its customer.
    async fn all_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Page<Result<ListedSubscription, UnreadableSubscription>>, StripeError>;

    /// A hundred of the events since then (Unix seconds, inclusive), of these types. What can't be
    /// read is left out, with a warning. `Refused` where there are more than twenty types.
    async fn events(
        &self,
        since: i64,
        kinds: &[&str],
        after: Option<&str>,
    ) -> Result<Page<Event>, StripeError>;

    /// Creates a customer with `metadata.userId` and nothing else.
    async fn create_customer(&self, user: &UserId, idempotency_key: &str) -> Result<CustomerId, StripeError>;
    /// `None` where it is deleted or was never there.
    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StripeError>;
    async fn set_email(&self, customer: &CustomerId, email: &str) -> Result<(), StripeError>;
    /// Sets `metadata.trial` to `used`.
    async fn note_trial(&self, customer: &CustomerId) -> Result<(), StripeError>;
    /// By `metadata['userId']`, oldest first. Lags behind writes by a minute or so.
    async fn search_customers(&self, user: &UserId) -> Result<Vec<Customer>, StripeError>;
    /// The newest hundred with this e-mail in whatever case. Exactly these letters are found at once; for
    /// others Stripe has only its search, which lags by a minute or so and is missing in some regions.
    async fn customers_with_email(&self, email: &str) -> Result<Vec<Customer>, StripeError>;
    /// A hundred customers.
    async fn all_customers(&self, after: Option<&str>) -> Result<Page<Customer>, StripeError>;

    async fn open_checkout(&self, checkout: &NewCheckout) -> Result<CheckoutSession, StripeError>;
    /// The customer's sessions in subscription mode among the newest hundred, newest first.
    async fn checkouts(&self, customer: &CustomerId) -> Result<Vec<CheckoutSession>, StripeError>;
    /// Ends an open session. `Refused` where it is open no more.
    async fn expire_checkout(&self, id: &CheckoutSessionId) -> Result<(), StripeError>;

    /// Every product, archived ones included.
    async fn products(&self) -> Result<Vec<Product>, StripeError>;
    async fn create_product(
        &self,
        fields: &ProductFields,
        idempotency_key: &str,
    ) -> Result<ProductId, StripeError>;
    /// Sets the fields, and makes the product active.
    async fn update_product(&self, id: &ProductId, fields: &ProductFields) -> Result<(), StripeError>;
    /// A price as an item of one that has not begun; `None` where there is no such price.
    async fn price(&self, id: &PriceId) -> Result<Option<ListedItem>, StripeError>;
    async fn prices(&self, lookup_keys: &[LookupKey]) -> Result<Vec<Price>, StripeError>;
    async fn create_price(&self, price: &NewPrice) -> Result<PriceId, StripeError>;
    async fn activate_price(&self, id: &PriceId) -> Result<(), StripeError>;
}
