//! Stripe's long lists, a page a call. An element that can't be read hides no other one, and no list
//! ends before Stripe says so. May not decide what a caller does about what is missing.

use serde_json::Value;
use stripe_billing::subscription::{ListSubscription, ListSubscriptionStatus};
use stripe_client_core::StripeRequest;
use stripe_core::customer::{ListCustomer, SearchCustomer};
use stripe_core::event::ListEvent;
use stripe_types::RangeQueryTs;

use super::answers::{self, List};
use super::client::{PAGE, StripeClient};
use crate::error::{StripeError, StripeErrorKind};
use crate::event::{self, Event};
use crate::fold::ListedSubscription;
use crate::id::CustomerId;
use crate::ports::{Customer, Listing, Page, UnreadableSubscription};

/// Stripe's own limit of the types that one call may ask for.
const EVENT_TYPES: usize = 20;

/// What a snapshot needs beyond the list itself; Stripe expands at most four levels deep. A deleted
/// customer has no settings left to expand, and Stripe refuses the whole page: then it is asked for
/// less, as that must not stop a sync for ever.
const EXPANDED: [&[&str]; 3] = [
    &[
        "data.default_payment_method",
        "data.latest_invoice",
        "data.customer.invoice_settings.default_payment_method",
        "data.schedule",
        "data.discounts.source.coupon",
    ],
    &["data.default_payment_method", "data.latest_invoice", "data.customer", "data.schedule"],
    &["data.default_payment_method", "data.latest_invoice", "data.schedule"],
];

impl StripeClient {
    async fn page(&self, request: impl StripeRequest) -> Result<Page<Value>, StripeError> {
        let request = request.build();
        let path = request.path.clone();
        let (list, stripe_time): (List<Value>, _) = self.transport.ask(request, None).await?;
        let last = list.data.last().and_then(|last| last["id"].as_str()).map(str::to_owned);
        if list.has_more && last.is_none() {
            let message = format!("{path} has more, and its last element has no id to go on from");
            return Err(StripeError::new(StripeErrorKind::Unreadable, message));
        }
        Ok(Page { items: list.data, after: last.filter(|_| list.has_more), stripe_time })
    }

    /// A page of subscriptions in every status, with as much expanded as Stripe grants.
    async fn raw_subscriptions(
        &self,
        customer: Option<&CustomerId>,
        after: Option<&str>,
    ) -> Result<Page<Value>, StripeError> {
        let mut wanted = EXPANDED.into_iter().peekable();
        loop {
            let paths = wanted.next().unwrap_or_default();
            let mut request = ListSubscription::new()
                .status(ListSubscriptionStatus::All)
                .limit(PAGE)
                .expand(paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
            if let Some(customer) = customer {
                request = request.customer(customer.as_str());
            }
            if let Some(after) = after {
                request = request.starting_after(after);
            }
            match self.page(request).await {
                Err(error) if is_about_expanding(&error) && wanted.peek().is_some() => {}
                answer => return answer,
            }
        }
    }

    pub(super) async fn subscriptions_of(&self, customer: &CustomerId) -> Result<Listing, StripeError> {
        let mut listing = Listing::default();
        let mut after: Option<String> = None;
        loop {
            let page = match self.raw_subscriptions(Some(customer), after.as_deref()).await {
                Err(error) if after.is_none() && error.is_missing_customer() => return Ok(listing),
                answer => answer?,
            };
            for value in page.items {
                listing.subscriptions.push(one_of_a_customers(value)?);
            }
            listing.stripe_time = listing.stripe_time.or(page.stripe_time);
            after = page.after;
            if after.is_none() {
                return Ok(listing);
            }
        }
    }

    pub(super) async fn subscription_page(
        &self,
        after: Option<&str>,
    ) -> Result<Page<Result<ListedSubscription, UnreadableSubscription>>, StripeError> {
        let page = self.raw_subscriptions(None, after).await?;
        let items = page.items.into_iter().map(answers::Subscription::read).collect();
        Ok(Page { items, after: page.after, stripe_time: page.stripe_time })
    }

    pub(super) async fn event_page(
        &self,
        since: i64,
        kinds: &[&str],
        after: Option<&str>,
    ) -> Result<Page<Event>, StripeError> {
        if kinds.len() > EVENT_TYPES {
            let message =
                format!("{} types of events in one call, and Stripe takes {EVENT_TYPES}", kinds.len());
            return Err(StripeError::new(StripeErrorKind::Refused, message));
        }
        let kinds: Vec<_> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let mut request = ListEvent::new().created(RangeQueryTs::gte(since)).types(kinds).limit(PAGE);
        if let Some(after) = after {
            request = request.starting_after(after);
        }
        let page = self.page(request).await?;
        let items = page.items.iter().filter_map(one_event).collect();
        Ok(Page { items, after: page.after, stripe_time: page.stripe_time })
    }

    /// By e-mail in whatever case, as far as Stripe's search knows them by now.
    pub(super) async fn customers_by_search(&self, email: &str) -> Result<Vec<Customer>, StripeError> {
        let quoted = email.replace('\\', "\\\\").replace('"', "\\\"");
        let request = SearchCustomer::new(format!("email:\"{quoted}\"")).limit(PAGE).build();
        let found: List<Value> = match self.transport.call(request, None).await {
            // Search does not exist in every region: https://docs.stripe.com/search
            Err(error) if error.kind == StripeErrorKind::Refused => {
                tracing::warn!(%error, "customers can't be searched: an e-mail in another case won't be found");
                return Ok(Vec::new());
            }
            answer => answer?,
        };
        let mut customers: Vec<_> = found.data.iter().filter_map(answers::Customer::read).collect();
        // A search may match a part of it.
        let wanted = email.to_lowercase();
        customers.retain(|one| one.email.as_ref().is_some_and(|email| email.to_lowercase() == wanted));
        Ok(customers)
    }

    pub(super) async fn customer_page(
        &self,
        request: ListCustomer,
        after: Option<&str>,
    ) -> Result<Page<Customer>, StripeError> {
        let mut request = request.limit(PAGE);
        if let Some(after) = after {
            request = request.starting_after(after);
        }
        let page = self.page(request).await?;
        let items = page.items.iter().filter_map(answers::Customer::read).collect();
        Ok(Page { items, after: page.after, stripe_time: page.stripe_time })
    }
}

fn is_about_expanding(error: &StripeError) -> bool {
    error.kind == StripeErrorKind::Refused && error.message.contains("expand")
}

/// One that can't be read may be the one that is paid for: a value from the others alone would take
/// the customer's access away. So it fails the sync, which stays due and says why.
fn one_of_a_customers(value: Value) -> Result<ListedSubscription, StripeError> {
    let id = value["id"].as_str().unwrap_or("without an id").to_owned();
    match serde_json::from_value::<answers::Subscription>(value) {
        Ok(read) => Ok(read.into_domain()),
        Err(error) => {
            let reason = answers::without_emails(&error.to_string());
            let message = format!("the subscription {id} can't be read: {reason}");
            Err(StripeError::new(StripeErrorKind::Unreadable, message))
        }
    }
}

fn one_event(value: &Value) -> Option<Event> {
    match event::from_json(value) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!(id = value["id"].as_str(), %error, "an event of Stripe's list can't be read");
            None
        }
    }
}
