//! Customers: alone, in a list, and expanded in their subscriptions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Reference;
use super::subscription::Method;
use crate::id::{CustomerId, UserId};
use crate::ports;

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Customer {
    pub(super) id: Option<CustomerId>,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    created: i64,
    email: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    invoice_settings: Option<InvoiceSettings>,
}

/// `metadata.trial` of a customer whose user has had the one trial.
pub(in crate::adapters::stripe) const USED: &str = "used";

#[derive(Deserialize)]
struct InvoiceSettings {
    default_payment_method: Option<Reference<Method>>,
}

impl Customer {
    /// One of a list. Only its id must be there: whatever else can't be read counts as missing.
    pub fn read(value: &Value) -> Option<ports::Customer> {
        let Some(id) = value["id"].as_str().and_then(|id| CustomerId::parse(id).ok()) else {
            tracing::warn!("a customer of Stripe's has no valid id");
            return None;
        };
        let user = value["metadata"]["userId"].as_str().and_then(|user| UserId::parse(user).ok());
        let email = value["email"].as_str().map(str::to_owned);
        let (trial_used, created) =
            (value["metadata"]["trial"] == USED, value["created"].as_i64().unwrap_or(0));
        let customer = ports::Customer { id, user, email, trial_used, created };
        Some(customer).filter(|_| value["deleted"] != true)
    }

    pub fn into_domain(self) -> Option<ports::Customer> {
        let id = self.id.clone().filter(|_| !self.deleted)?;
        let (user, trial_used) = (self.user(), self.trial_used());
        Some(ports::Customer { id, user, trial_used, email: self.email, created: self.created })
    }

    /// What pays for a subscription without a card of its own.
    pub(super) fn card(&self) -> Option<&Reference<Method>> {
        self.invoice_settings.as_ref()?.default_payment_method.as_ref()
    }

    /// There is a card, and only its id was sent. A deleted customer has none.
    pub(super) fn hides_a_card(&self) -> bool {
        matches!(self.card(), Some(Reference::Id(_)))
    }

    pub(super) fn trial_used(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.get("trial").is_some_and(|it| it == USED))
    }

    pub(super) fn user(&self) -> Option<UserId> {
        UserId::parse(self.metadata.as_ref()?.get("userId")?.as_str()).ok()
    }
}
