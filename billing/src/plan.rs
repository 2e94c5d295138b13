//! What is sold: plans and their prices, as plans.toml lists them.
//! May not know how the file is read (`adapters::plans_toml`) nor Stripe's ids of prices.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::id::{LookupKey, PlanId, ProductId};
use crate::money::Currency;
use crate::policy::{Policy, TrialTerms};

/// How often a price is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Interval {
    #[default]
    Month,
    Year,
}

impl Interval {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Interval::Month => "month",
            Interval::Year => "year",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "month" => Some(Interval::Month),
            "year" => Some(Interval::Year),
            _ => None,
        }
    }
}

/// One price of a plan. `amount` is in the currency's minor unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanPrice {
    pub lookup_key: LookupKey,
    pub interval: Interval,
    pub amount: i64,
    pub currency: Currency,
}

/// Whether a trial begins with a card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialCard {
    #[default]
    Required,
    Optional,
}

/// One plan. A plan without prices is free: nobody needs a subscription for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    pub name: String,
    pub tagline: String,
    pub features: Vec<String>,
    pub recommended: bool,
    pub trial_days: Option<u32>,
    pub trial_card: TrialCard,
    pub limits: BTreeMap<String, u64>,
    pub prices: Vec<PlanPrice>,
}

impl Plan {
    #[must_use]
    pub fn price(&self, interval: Interval) -> Option<&PlanPrice> {
        self.prices.iter().find(|price| price.interval == interval)
    }
}

/// Why a list of plans cannot be sold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    #[error("there is no plan: add a [[plan]]")]
    Empty,
    #[error("plan {0} is there twice: give one of them another id")]
    DuplicatePlan(PlanId),
    #[error("lookup key {0} is there twice: each price needs its own")]
    DuplicateLookupKey(LookupKey),
    #[error("plan {0} has two prices a {1}: keep one")]
    DuplicateInterval(PlanId, &'static str),
    #[error("plan {0}: a price of 0 is not sold; leave the prices out to make the plan free")]
    ZeroPrice(PlanId),
    #[error("no plan has a price, so nothing can be sold")]
    NothingToSell,
}

/// The plans, least first: the order of plans.toml says which of two gives more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    plans: Vec<Plan>,
    policy: Policy,
}

impl Catalog {
    /// # Errors
    /// `CatalogError`, which names the plan or key that is wrong.
    pub fn new(plans: Vec<Plan>) -> Result<Self, CatalogError> {
        let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
        for plan in &plans {
            if !ids.insert(&plan.id) {
                return Err(CatalogError::DuplicatePlan(plan.id.clone()));
            }
            let mut intervals = HashSet::new();
            for price in &plan.prices {
                if !keys.insert(&price.lookup_key) {
                    return Err(CatalogError::DuplicateLookupKey(price.lookup_key.clone()));
                }
                if !intervals.insert(price.interval) {
                    return Err(CatalogError::DuplicateInterval(plan.id.clone(), price.interval.as_str()));
                }
                if price.amount <= 0 {
                    return Err(CatalogError::ZeroPrice(plan.id.clone()));
                }
            }
        }
        if plans.is_empty() {
            return Err(CatalogError::Empty);
        }
        if keys.is_empty() {
            return Err(CatalogError::NothingToSell);
        }
        Ok(Self { plans, policy: Policy::default() })
    }

    /// These plans under another policy than the default one.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The trial that a plan begins with, for who can have one.
    #[must_use]
    pub fn trial_of(&self, plan: &Plan) -> Option<TrialTerms> {
        let (card, without_card) = (plan.trial_card, self.policy.trial_without_card);
        plan.trial_days.map(|days| TrialTerms { days, card, without_card })
    }

    /// Whether any plan has a price of this interval.
    #[must_use]
    pub fn sells_by(&self, interval: Interval) -> bool {
        self.plans.iter().any(|plan| plan.price(interval).is_some())
    }

    /// Whether any plan begins with a trial.
    #[must_use]
    pub fn has_trials(&self) -> bool {
        self.plans.iter().any(|plan| plan.trial_days.is_some())
    }

    #[must_use]
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    #[must_use]
    pub fn plan(&self, id: &PlanId) -> Option<&Plan> {
        self.plans.iter().find(|plan| &plan.id == id)
    }

    /// The plan of a text that came from outside.
    #[must_use]
    pub fn plan_named(&self, text: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id.as_str() == text)
    }

    /// Where a plan stands: the higher, the more it gives.
    #[must_use]
    pub fn rank(&self, id: &PlanId) -> Option<usize> {
        self.plans.iter().position(|plan| &plan.id == id)
    }
}

/// Which plan a product at Stripe stands for, by the product's metadata `plan`.
#[derive(Debug, Clone, Default)]
pub struct PlanDirectory {
    plans: HashMap<ProductId, (PlanId, usize)>,
}

impl PlanDirectory {
    /// Products whose plan is not in the catalog are left out: they give no access.
    #[must_use]
    pub fn new(catalog: &Catalog, products: impl IntoIterator<Item = (ProductId, PlanId)>) -> Self {
        let known = |(product, plan): (ProductId, PlanId)| {
            let rank = catalog.rank(&plan)?;
            Some((product, (plan, rank)))
        };
        Self { plans: products.into_iter().filter_map(known).collect() }
    }

    /// The plan of a product and its rank.
    #[must_use]
    pub fn plan_of(&self, product: &ProductId) -> Option<(&PlanId, usize)> {
        self.plans.get(product).map(|(plan, rank)| (plan, *rank))
    }
}
