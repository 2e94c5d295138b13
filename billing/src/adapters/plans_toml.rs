//! Reads plans.toml. May not know Stripe: amounts stay what people wrote until the currency has
//! said how many decimals they have.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::access::AccessPolicy;
use crate::id::{LookupKey, PlanId};
use crate::money::{Currency, MoneyError};
use crate::plan::{Catalog, CatalogError, Interval, Plan, PlanPrice, TrialCard};
use crate::policy::{Policy, Proration, ReusedCard, TrialWithoutCard};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    currency: String,
    #[serde(default)]
    policy: FilePolicy,
    #[serde(rename = "plan", default)]
    plans: Vec<FilePlan>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FilePolicy {
    proration: Proration,
    past_due_grace_days: Option<u32>,
    trial_without_card: TrialWithoutCard,
    reused_card: ReusedCard,
}

impl FilePolicy {
    fn read(self) -> Policy {
        const DAY: i64 = 24 * 60 * 60;
        let grace =
            self.past_due_grace_days.map(|days| AccessPolicy { past_due_grace_secs: i64::from(days) * DAY });
        Policy {
            proration: self.proration,
            trial_without_card: self.trial_without_card,
            reused_card: self.reused_card,
            access: grace.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePlan {
    id: PlanId,
    name: String,
    #[serde(default)]
    tagline: String,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    recommended: bool,
    trial_days: Option<u32>,
    #[serde(default)]
    trial_card: TrialCard,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    month: Option<FilePrice>,
    year: Option<FilePrice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePrice {
    lookup_key: LookupKey,
    amount: String,
    currency: Option<String>,
}

/// Why plans.toml cannot be used. Each says which plan or field, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PlansError {
    #[error("plans.toml: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("plans.toml: {0}")]
    Catalog(#[from] CatalogError),
    #[error("plans.toml: {0}")]
    Currency(MoneyError),
    #[error("plans.toml: plan {plan}, price {lookup_key}: {reason}")]
    Price { plan: PlanId, lookup_key: LookupKey, reason: MoneyError },
}

/// # Errors
/// `PlansError`, which names the plan and the field.
pub fn parse(text: &str) -> Result<Catalog, PlansError> {
    let file: File = toml::from_str(text)?;
    let currency = Currency::parse(&file.currency).map_err(PlansError::Currency)?;
    let plans = file.plans.into_iter().map(|plan| read_plan(plan, &currency)).collect::<Result<_, _>>()?;
    Ok(Catalog::new(plans)?.with_policy(file.policy.read()))
}

fn read_plan(plan: FilePlan, currency: &Currency) -> Result<Plan, PlansError> {
    let mut prices = Vec::new();
    for (interval, price) in [(Interval::Month, plan.month), (Interval::Year, plan.year)] {
        let Some(price) = price else { continue };
        let (lookup_key, id) = (price.lookup_key.clone(), plan.id.clone());
        let read = read_price(price, interval, currency).map_err(|reason| PlansError::Price {
            plan: id,
            lookup_key,
            reason,
        })?;
        prices.push(read);
    }
    Ok(Plan {
        id: plan.id,
        name: plan.name,
        tagline: plan.tagline,
        features: plan.features,
        recommended: plan.recommended,
        trial_days: plan.trial_days.filter(|days| *days > 0),
        trial_card: plan.trial_card,
        limits: plan.limits,
        prices,
    })
}

fn read_price(price: FilePrice, interval: Interval, currency: &Currency) -> Result<PlanPrice, MoneyError> {
    let currency = price.currency.map_or_else(|| Ok(currency.clone()), |text| Currency::parse(&text))?;
    let amount = currency.minor_units(&price.amount)?;
    Ok(PlanPrice { lookup_key: price.lookup_key, interval, amount, currency })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = r#"
        currency = "usd"
        [[plan]]
        id = "free"
        name = "Free"
        [[plan]]
        id = "pro"
        name = "Pro"
        month = { lookup_key = "pro_monthly", amount = "12" }
        year = { lookup_key = "pro_yearly", amount = "120.50" }
        [[plan]]
        id = "tokyo"
        name = "Tokyo"
        month = { lookup_key = "tokyo_monthly", amount = "1200", currency = "JPY" }
    "#;

    #[test]
    fn amounts_are_read_by_their_currency() {
        let catalog = parse(GOOD).unwrap();
        let price = |plan: &str, interval| catalog.plan_named(plan).unwrap().price(interval).unwrap();
        assert_eq!(price("pro", Interval::Year).amount, 12050);
        assert_eq!(price("tokyo", Interval::Month).amount, 1200);
        assert_eq!(price("tokyo", Interval::Month).currency.as_str(), "jpy");
        assert!(catalog.plan_named("free").unwrap().prices.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (GOOD.replace("\"1200\"", "\"12.5\""), "tokyo_monthly"),
            (GOOD.replace("pro_yearly", "pro_monthly"), "pro_monthly is there twice"),
            (GOOD.replace("\"usd\"", "\"dollar\""), "dollar"),
            (GOOD.replace("id = \"pro\"", "id = \"free\""), "plan free is there twice"),
            (GOOD.replace("name = \"Pro\"", "nam = \"Pro\""), "nam"),
            (GOOD.replace("\"12\"", "\"0\""), "price of 0"),
            ("currency = \"usd\"".to_owned(), "no plan"),
        ];
        for (text, expected) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
