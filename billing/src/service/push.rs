//! `plans push`: makes Stripe's products and prices what plans.toml says. Repeating it changes
//! nothing; nothing is ever deleted, so that who bought at an old price keeps the plan.

use std::fmt;

use super::Billing;
use crate::error::Error;
use crate::id::ProductId;
use crate::plan::{Plan, PlanPrice};
use crate::ports::{NewPrice, Price, Product, ProductFields};

/// What a push did with one product or price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// Such as `product Pro` or `price pro_monthly`.
    pub what: String,
    pub id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Created,
    Updated,
    /// A new price has taken the lookup key from an old one.
    Moved,
    Unchanged,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Moved => "repriced",
            ChangeKind::Unchanged => "unchanged",
        };
        write!(f, "{word:<10} {} ({})", self.what, self.id)
    }
}

impl Billing {
    /// # Errors
    /// `Error::Stripe`; what was done until then stays, and a second push goes on from there.
    pub async fn push_plans(&self) -> Result<Vec<Change>, Error> {
        let products = self.stripe.products().await?;
        let mut changes = Vec::new();
        for plan in self.catalog.plans().iter().filter(|plan| !plan.prices.is_empty()) {
            let product = self.push_product(plan, &products, &mut changes).await?;
            let keys: Vec<_> = plan.prices.iter().map(|price| price.lookup_key.clone()).collect();
            let prices = self.stripe.prices(&keys).await?;
            for price in &plan.prices {
                changes.push(self.push_price(price, &product, &prices).await?);
            }
        }
        self.book.clear();
        Ok(changes)
    }

    async fn push_product(
        &self,
        plan: &Plan,
        products: &[Product],
        changes: &mut Vec<Change>,
    ) -> Result<ProductId, Error> {
        let fields = ProductFields {
            name: plan.name.clone(),
            description: plan.tagline.clone(),
            plan: plan.id.clone(),
        };
        let ours = products.iter().filter(|product| product.plan.as_ref() == Some(&plan.id));
        // An active one, the oldest first: a second product of the plan is somebody's accident.
        let existing = ours.min_by_key(|product| (!product.active, product.created, product.id.clone()));
        let (kind, id) = match existing {
            None => {
                let key = format!("unsplit-product-{}-{}", plan.id, self.clock.now().0);
                (ChangeKind::Created, self.stripe.create_product(&fields, &key).await?)
            }
            Some(product) if is_current(product, &fields) => (ChangeKind::Unchanged, product.id.clone()),
            Some(product) => {
                self.stripe.update_product(&product.id, &fields).await?;
                (ChangeKind::Updated, product.id.clone())
            }
        };
        changes.push(Change { kind, what: format!("product {}", plan.name), id: id.to_string() });
        Ok(id)
    }

    async fn push_price(
        &self,
        wanted: &PlanPrice,
        product: &ProductId,
        prices: &[Price],
    ) -> Result<Change, Error> {
        let existing = prices.iter().find(|price| price.lookup_key.as_ref() == Some(&wanted.lookup_key));
        let what = format!("price {}", wanted.lookup_key);
        if let Some(price) = existing.filter(|price| price.product == *product && price.is_for(wanted)) {
            let kind = if price.active { ChangeKind::Unchanged } else { ChangeKind::Updated };
            if !price.active {
                self.stripe.activate_price(&price.id).await?;
            }
            return Ok(Change { kind, what, id: price.id.to_string() });
        }
        let new = NewPrice {
            product: product.clone(),
            lookup_key: wanted.lookup_key.clone(),
            amount: wanted.amount,
            currency: wanted.currency.clone(),
            interval: wanted.interval,
            // Not only of what it is: Stripe would give a stored failure again for a day.
            idempotency_key: format!("unsplit-price-{}-{}", wanted.lookup_key, self.clock.now().0),
        };
        let id = self.stripe.create_price(&new).await?;
        let kind = if existing.is_some() { ChangeKind::Moved } else { ChangeKind::Created };
        Ok(Change { kind, what, id: id.to_string() })
    }
}

fn is_current(product: &Product, fields: &ProductFields) -> bool {
    product.active
        && product.name == fields.name
        && product.description.as_deref().unwrap_or("") == fields.description
}
