//! Subscriptions with what is expanded in them: customer, cards, the newest invoice.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::customer::Customer;
use super::pending::{Discounted, Pause, Schedule, Waiting, schedule};
use super::{List, Price, Reference, without_emails};
use crate::fold::{ListedItem, ListedSubscription};
use crate::id::{CardHash, CustomerId, InvoiceId, PaymentMethodId, SubscriptionId, SubscriptionItemId};
use crate::money::Currency;
use crate::ports::UnreadableSubscription;
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
    metadata: Option<BTreeMap<String, String>>,
    schedule: Option<Reference<Schedule>>,
    pending_update: Option<Waiting>,
    #[serde(default)]
    discounts: Vec<Reference<Discounted>>,
    pause_collection: Option<Pause>,
}

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Item {
    id: Option<SubscriptionItemId>,
    price: Option<Price>,
    quantity: Option<u64>,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Method {
    id: Option<PaymentMethodId>,
    #[serde(rename = "type")]
    kind: Option<String>,
    card: Option<Card>,
}

#[derive(Deserialize)]
struct Card {
    brand: Option<String>,
    last4: Option<String>,
    fingerprint: Option<String>,
}

impl Card {
    /// A plain hash, and no keyed one: a fingerprint is no card number but a random word that Stripe
    /// has made up for it and for this account, which nobody can guess or look up. A key would have to
    /// be kept for ever, as with a new one every card would be new. The prefix keeps the hash apart
    /// from those that others make of the same word.
    fn hash(&self) -> Option<CardHash> {
        let hash = Sha256::digest(format!("unsplit-card:{}", self.fingerprint.as_ref()?));
        CardHash::parse(hex::encode(hash)).ok()
    }
}

/// `metadata.trial` of a subscription whose trial was ended because of its card.
pub(in crate::adapters::stripe) const REFUSED: &str = "refused";

#[derive(Deserialize)]
struct Invoice {
    id: Option<InvoiceId>,
    status: Option<String>,
    hosted_invoice_url: Option<String>,
    amount_remaining: Option<i64>,
    next_payment_attempt: Option<i64>,
}

fn method(reference: Option<&Reference<Method>>) -> Option<PaymentMethod> {
    let method = reference?.object()?;
    let id = method.id.clone();
    Some(match &method.card {
        Some(card) => PaymentMethod { brand: card.brand.clone(), last4: card.last4.clone(), id },
        None => PaymentMethod { brand: method.kind.clone(), last4: None, id },
    })
}

impl Subscription {
    /// One of everybody's. It is complete, or it says why not.
    pub fn read(value: Value) -> Result<ListedSubscription, UnreadableSubscription> {
        let id = value["id"].as_str().and_then(|id| SubscriptionId::parse(id).ok());
        let customer = value["customer"].as_str().or_else(|| value["customer"]["id"].as_str());
        let customer = customer.and_then(|id| CustomerId::parse(id).ok());
        let read = serde_json::from_value::<Self>(value).map_err(|error| without_emails(&error.to_string()));
        let reason = match read {
            Ok(_) if customer.is_none() => "it names no customer".to_owned(),
            Ok(read) if read.hides_a_card() => {
                "its customer's card can't be listed beside a deleted customer: \
                 list this customer's subscriptions alone"
                    .to_owned()
            }
            Ok(read) => return Ok(read.into_domain()),
            Err(reason) => reason,
        };
        Err(UnreadableSubscription { id, customer, reason })
    }

    /// It is paid by the customer's card, and that was not expanded.
    fn hides_a_card(&self) -> bool {
        if self.default_payment_method.is_some() {
            return false;
        }
        self.customer.as_ref().and_then(Reference::object).is_none_or(Customer::hides_a_card)
    }

    pub fn into_domain(self) -> ListedSubscription {
        let customer = self.customer.as_ref().and_then(Reference::object);
        let customers_own = customer.and_then(Customer::card);
        let payment_method = method(self.default_payment_method.as_ref()).or_else(|| method(customers_own));
        let charged = self.default_payment_method.as_ref().or(customers_own).and_then(Reference::object);
        let said = |name: &str| self.metadata.as_ref().and_then(|metadata| metadata.get(name)).cloned();
        let (checkout, trial_refused) = (said("checkout"), said("trial").is_some_and(|it| it == REFUSED));
        let period = (self.current_period_start, self.current_period_end);
        let invoice = self.latest_invoice.as_ref().and_then(Reference::object);
        ListedSubscription {
            user: customer.and_then(Customer::user),
            customer: match &self.customer {
                Some(Reference::Id(id)) => CustomerId::parse(id.as_str()).ok(),
                Some(Reference::Object(customer)) => customer.id.clone(),
                None => None,
            },
            card: charged.and_then(|method| method.card.as_ref()?.hash()),
            default_card: customers_own.and_then(|card| match card {
                Reference::Id(id) => PaymentMethodId::parse(id.as_str()).ok(),
                Reference::Object(method) => method.id.clone(),
            }),
            trial_noted: customer.is_some_and(Customer::trial_used),
            trial_refused,
            checkout,
            payment_method,
            latest_invoice: invoice.map(|invoice| LatestInvoice {
                status: invoice.status.clone(),
                url: invoice.hosted_invoice_url.clone(),
                id: invoice.id.clone(),
                amount_remaining: invoice.amount_remaining,
                next_payment_attempt: invoice.next_payment_attempt,
            }),
            schedule: self.schedule.as_ref().and_then(schedule),
            pending_update: self.pending_update.and_then(|update| update.into_domain(period)),
            discounts: self.discounts.iter().filter_map(|it| it.object()?.to_domain()).collect(),
            pause_collection: self.pause_collection.map(Pause::into_domain),
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
    pub fn of(price: Price) -> Self {
        Self {
            id: None,
            price: Some(price),
            quantity: None,
            current_period_start: None,
            current_period_end: None,
        }
    }

    pub fn into_domain(self, period: (Option<i64>, Option<i64>)) -> Option<ListedItem> {
        let price = self.price?;
        Some(ListedItem {
            id: self.id,
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
