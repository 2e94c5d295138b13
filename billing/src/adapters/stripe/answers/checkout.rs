//! Checkout Sessions.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Id, Reference};
use crate::id::{CheckoutSessionId, SubscriptionId};
use crate::ports;

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct CheckoutSession {
    pub id: CheckoutSessionId,
    mode: Option<String>,
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
    /// Not one of an app's own one-off payments.
    pub fn is_for_subscription(&self) -> bool {
        self.mode.as_deref().is_none_or(|mode| mode == "subscription")
    }

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
