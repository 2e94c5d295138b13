//! The port `Stripe` over the transport: one method, one call.

use std::collections::HashMap;

use async_trait::async_trait;
use futures::future::try_join;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionPaymentMethodCollection,
    CreateCheckoutSessionSubscriptionData, CreateCheckoutSessionSubscriptionDataTrialSettings,
    CreateCheckoutSessionSubscriptionDataTrialSettingsEndBehavior,
    CreateCheckoutSessionSubscriptionDataTrialSettingsEndBehaviorMissingPaymentMethod as MissingPaymentMethod,
    ExpireCheckoutSession, ListCheckoutSession,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_core::customer::{CreateCustomer, ListCustomer, RetrieveCustomer, SearchCustomer, UpdateCustomer};
use stripe_product::price::{
    CreatePrice, CreatePriceRecurring, CreatePriceRecurringInterval, ListPrice, RetrievePrice, UpdatePrice,
};
use stripe_product::product::{CreateProduct, ListProduct, UpdateProduct};
use stripe_shared::CheckoutSessionMode;

use super::answers::{self, List, invalid};
use super::transport::Transport;
use crate::error::{StripeError, StripeErrorKind};
use crate::event::Event;
use crate::fold::{ListedItem, ListedSubscription};
use crate::id::{AccountId, CheckoutSessionId, CustomerId, LookupKey, PriceId, ProductId, UserId};
use crate::plan::{Interval, TrialCard};
use crate::policy::{TrialTerms, TrialWithoutCard};
use crate::ports::{
    CheckoutSession, Customer, Listing, NewCheckout, NewPrice, Page, Price, Product, ProductFields, Stripe,
    UnreadableSubscription,
};

/// Stripe's own limit of a list's page.
pub(super) const PAGE: i64 = 100;
/// Stripe takes at most ten lookup keys a call.
const LOOKUP_KEYS: usize = 10;

/// Stripe, or an emulator of it.
#[derive(Debug, Clone)]
pub struct StripeClient {
    pub(super) transport: Transport,
}

impl StripeClient {
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self { transport }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        request: impl StripeRequest,
    ) -> Result<T, StripeError> {
        self.transport.call(request.build(), None).await
    }
}

fn product_metadata(fields: &ProductFields) -> HashMap<String, String> {
    HashMap::from([("plan".to_owned(), fields.plan.to_string())])
}

/// The trial's days, and its end where there is no card. Says whether it begins with one.
fn subscribe_to_trial(data: &mut CreateCheckoutSessionSubscriptionData, terms: TrialTerms) -> TrialCard {
    let end = match terms.without_card {
        TrialWithoutCard::Cancel => MissingPaymentMethod::Cancel,
        TrialWithoutCard::Pause => MissingPaymentMethod::Pause,
    };
    let end = CreateCheckoutSessionSubscriptionDataTrialSettingsEndBehavior::new(end);
    data.trial_period_days = Some(terms.days);
    data.trial_settings = Some(CreateCheckoutSessionSubscriptionDataTrialSettings::new(end));
    terms.card
}

#[async_trait]
impl Stripe for StripeClient {
    fn ahead(&self) -> i64 {
        self.transport.time.ahead()
    }

    async fn account(&self) -> Result<AccountId, StripeError> {
        let account: answers::Id =
            self.transport.call(RequestBuilder::new(StripeMethod::Get, "/account"), None).await?;
        AccountId::parse(account.id).map_err(|error| invalid(&error))
    }

    async fn subscriptions(&self, customer: &CustomerId) -> Result<Listing, StripeError> {
        self.subscriptions_of(customer).await
    }

    async fn all_subscriptions(
        &self,
        after: Option<&str>,
    ) -> Result<Page<Result<ListedSubscription, UnreadableSubscription>>, StripeError> {
        self.subscription_page(after).await
    }

    async fn events(
        &self,
        since: i64,
        kinds: &[&str],
        after: Option<&str>,
    ) -> Result<Page<Event>, StripeError> {
        self.event_page(since, kinds, after).await
    }

    async fn customers_with_email(&self, email: &str) -> Result<Vec<Customer>, StripeError> {
        // Somebody waits to buy: both at the same time.
        let listed = self.customer_page(ListCustomer::new().email(email), None);
        let (listed, others) = try_join(listed, self.customers_by_search(email)).await?;
        let mut found = listed.items;
        for other in others {
            if found.iter().all(|one| one.id != other.id) {
                found.push(other);
            }
        }
        Ok(found)
    }

    async fn all_customers(&self, after: Option<&str>) -> Result<Page<Customer>, StripeError> {
        self.customer_page(ListCustomer::new(), after).await
    }

    async fn create_customer(&self, user: &UserId, idempotency_key: &str) -> Result<CustomerId, StripeError> {
        let metadata = HashMap::from([("userId".to_owned(), user.to_string())]);
        let request = CreateCustomer::new().metadata(metadata).build();
        let customer: answers::Id = self.transport.call(request, Some(idempotency_key)).await?;
        CustomerId::parse(customer.id).map_err(|error| invalid(&error))
    }

    async fn customer(&self, id: &CustomerId) -> Result<Option<Customer>, StripeError> {
        match self.ask::<answers::Customer>(RetrieveCustomer::new(id.as_str())).await {
            Err(error) if error.is_missing() => Ok(None),
            answer => Ok(answer?.into_domain()),
        }
    }

    async fn set_email(&self, customer: &CustomerId, email: &str) -> Result<(), StripeError> {
        let _: answers::Id = self.ask(UpdateCustomer::new(customer.as_str()).email(email)).await?;
        Ok(())
    }

    async fn note_trial(&self, customer: &CustomerId) -> Result<(), StripeError> {
        let metadata = HashMap::from([("trial".to_owned(), answers::USED.to_owned())]);
        let _: answers::Id = self.ask(UpdateCustomer::new(customer.as_str()).metadata(metadata)).await?;
        Ok(())
    }

    async fn search_customers(&self, user: &UserId) -> Result<Vec<Customer>, StripeError> {
        let query = format!("metadata['userId']:'{user}'");
        let found: List<answers::Customer> = self.ask(SearchCustomer::new(query).limit(PAGE)).await?;
        let mut customers: Vec<_> =
            found.data.into_iter().filter_map(answers::Customer::into_domain).collect();
        // A search may match part of a value; only the whole one is ours.
        customers.retain(|customer| customer.user.as_ref() == Some(user));
        customers.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(customers)
    }

    async fn open_checkout(&self, checkout: &NewCheckout) -> Result<CheckoutSession, StripeError> {
        let metadata: HashMap<_, _> = checkout.metadata.to_map().into_iter().collect();
        let mut line = CreateCheckoutSessionLineItems::new();
        line.price = Some(checkout.price.to_string());
        line.quantity = Some(1);
        let mut subscription = CreateCheckoutSessionSubscriptionData::new();
        // So that a sync can tell which checkout it came from, without asking for sessions.
        let bought_by = ("checkout".to_owned(), checkout.token.clone());
        subscription.metadata = Some(metadata.clone().into_iter().chain([bought_by]).collect());
        let trial = checkout.trial.map(|terms| subscribe_to_trial(&mut subscription, terms));
        let mut request = CreateCheckoutSession::new()
            .mode(CheckoutSessionMode::Subscription)
            .customer(checkout.customer.as_str())
            .line_items(vec![line])
            .subscription_data(subscription)
            .metadata(metadata)
            .allow_promotion_codes(true)
            .success_url(checkout.success_url.as_str())
            .cancel_url(checkout.cancel_url.as_str())
            .expires_at(checkout.expires_at);
        if trial == Some(TrialCard::Optional) {
            request =
                request.payment_method_collection(CreateCheckoutSessionPaymentMethodCollection::IfRequired);
        }
        let answer: Result<answers::CheckoutSession, _> =
            self.transport.call(request.build(), Some(&checkout.idempotency_key)).await;
        Ok(answer?.into_domain())
    }

    async fn checkouts(&self, customer: &CustomerId) -> Result<Vec<CheckoutSession>, StripeError> {
        let request = ListCheckoutSession::new().customer(customer.as_str()).limit(PAGE);
        let page: List<answers::CheckoutSession> = match self.ask(request).await {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            answer => answer?,
        };
        let ours = page.data.into_iter().filter(answers::CheckoutSession::is_for_subscription);
        Ok(ours.map(answers::CheckoutSession::into_domain).collect())
    }

    async fn expire_checkout(&self, id: &CheckoutSessionId) -> Result<(), StripeError> {
        let _: answers::Id = self.ask(ExpireCheckoutSession::new(id.as_str())).await?;
        Ok(())
    }

    async fn products(&self) -> Result<Vec<Product>, StripeError> {
        let mut products: Vec<Product> = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let mut request = ListProduct::new().limit(PAGE);
            if let Some(last) = last {
                request = request.starting_after(last);
            }
            let page: List<serde_json::Value> = self.ask(request).await?;
            last = page.data.last().and_then(|product| product["id"].as_str()).map(str::to_owned);
            products.extend(page.data.into_iter().filter_map(answers::Product::read));
            if !page.has_more || last.is_none() {
                return Ok(products);
            }
        }
    }

    async fn create_product(
        &self,
        fields: &ProductFields,
        idempotency_key: &str,
    ) -> Result<ProductId, StripeError> {
        let mut request = CreateProduct::new(fields.name.as_str()).metadata(product_metadata(fields));
        if !fields.description.is_empty() {
            request = request.description(fields.description.as_str());
        }
        let product: answers::Product = self.transport.call(request.build(), Some(idempotency_key)).await?;
        Ok(product.id)
    }

    async fn update_product(&self, id: &ProductId, fields: &ProductFields) -> Result<(), StripeError> {
        let request = UpdateProduct::new(id.as_str())
            .active(true)
            .name(fields.name.as_str())
            .description(fields.description.as_str())
            .metadata(product_metadata(fields));
        let _: answers::Product = self.ask(request).await?;
        Ok(())
    }

    async fn price(&self, id: &PriceId) -> Result<Option<ListedItem>, StripeError> {
        match self.ask::<answers::Price>(RetrievePrice::new(id.as_str())).await {
            Err(error) if error.is_missing() => Ok(None),
            answer => Ok(answers::Item::of(answer?).into_domain((None, None))),
        }
    }

    async fn prices(&self, lookup_keys: &[LookupKey]) -> Result<Vec<Price>, StripeError> {
        let mut prices = Vec::new();
        for keys in lookup_keys.chunks(LOOKUP_KEYS) {
            let keys: Vec<_> = keys.iter().map(LookupKey::to_string).collect();
            let page: List<answers::Price> = self.ask(ListPrice::new().lookup_keys(keys).limit(PAGE)).await?;
            prices.extend(page.data.into_iter().filter_map(answers::Price::into_domain));
        }
        Ok(prices)
    }

    async fn create_price(&self, price: &NewPrice) -> Result<PriceId, StripeError> {
        let interval = match price.interval {
            Interval::Month => CreatePriceRecurringInterval::Month,
            Interval::Year => CreatePriceRecurringInterval::Year,
        };
        let currency: stripe_types::Currency = price.currency.as_str().parse().map_err(|_| {
            StripeError::new(StripeErrorKind::Refused, format!("Stripe knows no currency {}", price.currency))
        })?;
        let request = CreatePrice::new(currency)
            .product(price.product.as_str())
            .unit_amount(price.amount)
            .recurring(CreatePriceRecurring::new(interval))
            .lookup_key(price.lookup_key.as_str())
            .transfer_lookup_key(true);
        let created: answers::Price =
            self.transport.call(request.build(), Some(&price.idempotency_key)).await?;
        Ok(created.id)
    }

    async fn activate_price(&self, id: &PriceId) -> Result<(), StripeError> {
        let _: answers::Price = self.ask(UpdatePrice::new(id.as_str()).active(true)).await?;
        Ok(())
    }
}
