//! Products and prices.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Reference;
use crate::id::{LookupKey, PlanId, PriceId, ProductId};
use crate::money::Currency;
use crate::plan::Interval;
use crate::ports;

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Price {
    pub id: PriceId,
    product: Option<Reference<Value>>,
    lookup_key: Option<String>,
    #[serde(default)]
    active: bool,
    pub(super) unit_amount: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) recurring: Option<Recurring>,
}

#[derive(Deserialize)]
pub(super) struct Recurring {
    pub interval: Option<String>,
    pub interval_count: Option<u32>,
}

impl Price {
    pub(super) fn product_id(&self) -> Option<ProductId> {
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
pub(in crate::adapters::stripe) struct Product {
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
