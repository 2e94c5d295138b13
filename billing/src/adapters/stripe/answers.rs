//! Stripe's answers, as few fields as we need, everything optional that may ever be missing.
//! Shapes: https://docs.stripe.com/api, version 2026-09-30.endive; older ones read too.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::id::{
    CheckoutSessionId, CustomerId, InvalidId, LookupKey, PlanId, PriceId, ProductId, SubscriptionId, UserId,
};
use crate::money::Currency;
use crate::plan::Interval;
use crate::ports;
use crate::subscription::{LatestInvoice, ListedItem, ListedSubscription, PaymentMethod, Status};

#[derive(Deserialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

#[derive(Deserialize)]
pub(super) struct Id {
    pub id: String,
}

/// A reference: an id, or the object where it was expanded. A deleted one is still an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference<T> {
    Id(String),
    Object(T),
}

impl<T> Reference<T> {
    fn object(&self) -> Option<&T> {
        match self {
            Reference::Id(_) => None,
            Reference::Object(object) => Some(object),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Subscription {
    pub id: SubscriptionId,
    status: Status,
    #[serde(default)]
    created: i64,
    customer: Option<Reference<Customer>>,
    items: Option<List<Item>>,
    #[serde(default)]
    cancel_at_period_end: bool,
    cancel_at: Option<i64>,
    canceled_at: Option<i64>,
    ended_at: Option<i64>,
    trial_end: Option<i64>,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
    default_payment_method: Option<Reference<Method>>,
    latest_invoice: Option<Reference<Invoice>>,
}

#[derive(Deserialize)]
struct Item {
    price: Option<Price>,
    quantity: Option<u64>,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
}

#[derive(Deserialize)]
struct Method {
    #[serde(rename = "type")]
    kind: Option<String>,
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    brand: Option<String>,
    last4: Option<String>,
}

#[derive(Deserialize)]
struct Invoice {
    status: Option<String>,
    hosted_invoice_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    id: Option<CustomerId>,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    created: i64,
    email: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    invoice_settings: Option<InvoiceSettings>,
}

#[derive(Deserialize)]
struct InvoiceSettings {
    default_payment_method: Option<Reference<Method>>,
}

impl Customer {
    pub fn into_domain(self) -> Option<ports::Customer> {
        let id = self.id.clone().filter(|_| !self.deleted)?;
        Some(ports::Customer { id, user: self.user(), email: self.email, created: self.created })
    }

    fn user(&self) -> Option<UserId> {
        UserId::parse(self.metadata.as_ref()?.get("userId")?.as_str()).ok()
    }
}

fn method(reference: Option<&Reference<Method>>) -> Option<PaymentMethod> {
    let method = reference?.object()?;
    Some(match &method.card {
        Some(card) => PaymentMethod { brand: card.brand.clone(), last4: card.last4.clone() },
        None => PaymentMethod { brand: method.kind.clone(), last4: None },
    })
}

impl Subscription {
    pub fn into_domain(self) -> ListedSubscription {
        let customer = self.customer.as_ref().and_then(Reference::object);
        let customers_own =
            customer.and_then(|it| it.invoice_settings.as_ref()?.default_payment_method.as_ref());
        let payment_method = method(self.default_payment_method.as_ref()).or_else(|| method(customers_own));
        let period = (self.current_period_start, self.current_period_end);
        let invoice = self.latest_invoice.as_ref().and_then(Reference::object);
        ListedSubscription {
            user: customer.and_then(Customer::user),
            customer: match &self.customer {
                Some(Reference::Id(id)) => CustomerId::parse(id.as_str()).ok(),
                Some(Reference::Object(customer)) => customer.id.clone(),
                None => None,
            },
            payment_method,
            latest_invoice: invoice.map(|invoice| LatestInvoice {
                status: invoice.status.clone(),
                url: invoice.hosted_invoice_url.clone(),
            }),
            items: self
                .items
                .into_iter()
                .flat_map(|list| list.data)
                .filter_map(|item| item.into_domain(period))
                .collect(),
            id: self.id,
            status: self.status,
            created: self.created,
            cancel_at_period_end: self.cancel_at_period_end,
            cancel_at: self.cancel_at,
            canceled_at: self.canceled_at,
            ended_at: self.ended_at,
            trial_end: self.trial_end,
        }
    }
}

impl Item {
    fn into_domain(self, period: (Option<i64>, Option<i64>)) -> Option<ListedItem> {
        let price = self.price?;
        Some(ListedItem {
            product: price.product_id(),
            amount: price.unit_amount,
            currency: price.currency.as_deref().and_then(|text| Currency::parse(text).ok()),
            interval: price.recurring.as_ref().and_then(|it| it.interval.clone()),
            interval_count: price.recurring.as_ref().and_then(|it| it.interval_count),
            price: price.id,
            quantity: self.quantity,
            current_period_start: self.current_period_start.or(period.0),
            current_period_end: self.current_period_end.or(period.1),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Price {
    pub id: PriceId,
    product: Option<Reference<Value>>,
    lookup_key: Option<String>,
    #[serde(default)]
    active: bool,
    unit_amount: Option<i64>,
    currency: Option<String>,
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    interval: Option<String>,
    interval_count: Option<u32>,
}

impl Price {
    fn product_id(&self) -> Option<ProductId> {
        let id = match self.product.as_ref()? {
            Reference::Id(id) => id.as_str(),
            Reference::Object(product) => product["id"].as_str()?,
        };
        ProductId::parse(id).ok()
    }

    /// `None` for a price that is not one of ours: without a product or a currency.
    pub fn into_domain(self) -> Option<ports::Price> {
        let recurring = self.recurring.as_ref();
        let interval =
            recurring.filter(|it| it.interval_count.unwrap_or(1) == 1).and_then(|it| it.interval.as_deref());
        Some(ports::Price {
            product: self.product_id()?,
            currency: Currency::parse(self.currency.as_deref()?).ok()?,
            interval: interval.and_then(Interval::parse),
            lookup_key: self.lookup_key.and_then(|key| LookupKey::parse(key).ok()),
            active: self.active,
            amount: self.unit_amount,
            id: self.id,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Product {
    pub id: ProductId,
    #[serde(default)]
    name: String,
    description: Option<String>,
    #[serde(default)]
    active: bool,
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    created: i64,
}

impl Product {
    /// One that can't be read is none of ours, and must not hide the others.
    pub fn read(value: Value) -> Option<ports::Product> {
        match serde_json::from_value::<Self>(value) {
            Ok(product) => Some(product.into_domain()),
            Err(error) => {
                tracing::warn!(%error, "a product of Stripe's can't be read");
                None
            }
        }
    }

    fn into_domain(self) -> ports::Product {
        let plan = self.metadata.as_ref().and_then(|metadata| metadata.get("plan"));
        ports::Product {
            plan: plan.and_then(|plan| PlanId::parse(plan.as_str()).ok()),
            id: self.id,
            name: self.name,
            description: self.description,
            active: self.active,
            created: self.created,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct CheckoutSession {
    pub id: CheckoutSessionId,
    status: Option<String>,
    payment_status: Option<String>,
    url: Option<String>,
    subscription: Option<Reference<Id>>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    created: i64,
}

impl CheckoutSession {
    pub fn into_domain(self) -> ports::CheckoutSession {
        let subscription = self.subscription.as_ref().map(|reference| match reference {
            Reference::Id(id) => id.as_str(),
            Reference::Object(object) => object.id.as_str(),
        });
        ports::CheckoutSession {
            status: match self.status.as_deref() {
                Some("complete") => ports::CheckoutStatus::Complete,
                Some("open") => ports::CheckoutStatus::Open,
                _ => ports::CheckoutStatus::Expired,
            },
            payment_status: match self.payment_status.as_deref() {
                Some("paid") => ports::PaymentStatus::Paid,
                Some("no_payment_required") => ports::PaymentStatus::NoPaymentRequired,
                _ => ports::PaymentStatus::Unpaid,
            },
            subscription: subscription.and_then(|id| SubscriptionId::parse(id).ok()),
            metadata: self.metadata.as_ref().and_then(ports::CheckoutMetadata::parse),
            url: self.url,
            created: self.created,
            id: self.id,
        }
    }
}

/// An id of Stripe's answer that is no id.
pub(super) fn invalid(error: &InvalidId) -> crate::error::StripeError {
    crate::error::StripeError::new(crate::error::StripeErrorKind::Unreadable, error.to_string())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
