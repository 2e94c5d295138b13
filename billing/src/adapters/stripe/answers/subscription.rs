//! Subscriptions with what is expanded in them: customer, cards, the newest invoice.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{List, Price, Reference};
use crate::fold::{ListedItem, ListedSubscription};
use crate::id::{CustomerId, SubscriptionId, UserId};
use crate::money::Currency;
use crate::ports;
use crate::subscription::{LatestInvoice, PaymentMethod, Status};

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Subscription {
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
pub(in crate::adapters::stripe) struct Customer {
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
