//! What Stripe knows of the plans: which product is which plan, which price is sold under which
//! lookup key. Remembered in memory for a while, and asked again for what is unknown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Billing, CheckoutChoice};
use crate::clock::UnixMillis;
use crate::error::{Error, StripeError};
use crate::fold::{ListedItem, ListedSubscription};
use crate::id::{LookupKey, PlanId, PriceId, ProductId};
use crate::plan::{Plan, PlanDirectory, PlanPrice};

/// An unknown product is looked up again after this long at the earliest, so that a product of
/// someone else's does not cost a request for each sync.
const UNKNOWN_PRODUCT_PAUSE: Duration = Duration::from_secs(30);

/// The memory.
pub struct PlanBook {
    life: Duration,
    directory: Mutex<Option<(UnixMillis, Arc<PlanDirectory>)>>,
    prices: Mutex<HashMap<LookupKey, (UnixMillis, PriceId)>>,
    /// What each price is that a schedule names: a price never changes.
    scheduled: Mutex<HashMap<PriceId, ListedItem>>,
    /// The directory was used and is older than `life`.
    stale: AtomicBool,
    /// One reads at a time.
    reading: tokio::sync::Mutex<()>,
}

impl PlanBook {
    /// Stale from the beginning, so that a worker reads the products before the first sync needs them.
    #[must_use]
    pub fn new(life: Duration) -> Self {
        let stale = AtomicBool::new(true);
        Self {
            life,
            directory: Mutex::new(None),
            prices: Mutex::new(HashMap::new()),
            scheduled: Mutex::new(HashMap::new()),
            stale,
            reading: tokio::sync::Mutex::new(()),
        }
    }

    /// Whether somebody should read the products again; says so once.
    pub(super) fn take_stale(&self) -> bool {
        self.stale.swap(false, Ordering::Relaxed)
    }

    fn directory(&self) -> Option<(UnixMillis, Arc<PlanDirectory>)> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets everything, as after a push.
    pub fn clear(&self) {
        *self.directory.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.prices.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Billing {
    /// The directory that is good enough for these subscriptions. One that knows all their products
    /// is, even if it is old: a sync is one request, and a worker reads the products beside it.
    pub(super) async fn plan_directory(
        &self,
        listed: &[ListedSubscription],
    ) -> Result<Arc<PlanDirectory>, StripeError> {
        let now = self.clock.now();
        if let Some((read_at, directory)) = self.book.directory() {
            let unknown = listed
                .iter()
                .flat_map(ListedSubscription::all_items)
                .filter_map(|item| item.product.as_ref())
                .any(|product| directory.plan_of(product).is_none());
            if now >= read_at.plus(self.book.life) {
                self.book.stale.store(true, Ordering::Relaxed);
            }
            if !unknown || now < read_at.plus(UNKNOWN_PRODUCT_PAUSE) {
                return Ok(directory);
            }
        } else if listed.is_empty() {
            return Ok(Arc::default());
        }
        self.read_since(now).await
    }

    /// Adds what the prices are that schedules name. Each is asked for once in a process' life.
    pub(super) async fn describe_phases(&self, listed: &mut [ListedSubscription]) -> Result<(), StripeError> {
        let schedules = listed.iter_mut().filter_map(|subscription| subscription.schedule.as_mut());
        for item in schedules.filter_map(|schedule| schedule.next.as_mut()).flat_map(|phase| &mut phase.items)
        {
            let Some(known) = self.scheduled_price(&item.price).await? else { continue };
            *item = ListedItem { quantity: item.quantity, ..known };
        }
        Ok(())
    }

    async fn scheduled_price(&self, id: &PriceId) -> Result<Option<ListedItem>, StripeError> {
        let remembered =
            |book: &PlanBook| book.scheduled.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        if let Some(known) = remembered(&self.book) {
            return Ok(Some(known));
        }
        let read = self.stripe.price(id).await?;
        if let Some(item) = &read {
            let mut known = self.book.scheduled.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(id.clone(), item.clone());
        }
        Ok(read)
    }

    /// A directory that was read at `now` or later.
    async fn read_since(&self, now: UnixMillis) -> Result<Arc<PlanDirectory>, StripeError> {
        let turn = self.book.reading.lock().await;
        // Somebody may have read them while we waited for our turn.
        if let Some((_, directory)) = self.book.directory().filter(|(read_at, _)| *read_at >= now) {
            return Ok(directory);
        }
        let read = self.read_products().await;
        drop(turn);
        read
    }

    /// Whether who buys a price of this product gets this plan. It is asked of Stripe anew before it
    /// is denied.
    async fn stands_for(&self, product: &ProductId, plan: &PlanId) -> Result<bool, StripeError> {
        let gives = |directory: &PlanDirectory| directory.plan_of(product).is_some_and(|(it, _)| it == plan);
        let now = self.clock.now();
        let known = self.book.directory().filter(|(read_at, _)| now < read_at.plus(self.book.life));
        if known.is_some_and(|(_, directory)| gives(&directory)) {
            return Ok(true);
        }
        Ok(gives(&*self.read_since(now).await?))
    }

    /// Reads the products beside a sync, so that it need not wait for them.
    pub(super) async fn refresh_products(&self) {
        if let Err(error) = self.read_products().await {
            tracing::warn!(%error, "the products were not read: a sync that needs them will");
        }
    }

    /// Reads the products and remembers which plan each is.
    pub(super) async fn read_products(&self) -> Result<Arc<PlanDirectory>, StripeError> {
        let now = self.clock.now();
        let products = self.stripe.products().await?;
        let plans = products.into_iter().filter_map(|product| Some((product.id, product.plan?)));
        let directory = Arc::new(PlanDirectory::new(&self.catalog, plans));
        let mut known = self.book.directory.lock().unwrap_or_else(PoisonError::into_inner);
        // A slow answer must not replace a newer one.
        if known.as_ref().is_none_or(|(read_at, _)| *read_at <= now) {
            *known = Some((now, directory.clone()));
        }
        Ok(directory)
    }

    /// What somebody chose, if it is sold.
    pub(super) fn sold(&self, choice: &CheckoutChoice) -> Result<(Plan, PlanPrice), Error> {
        let plan = self.catalog.plan_named(&choice.plan);
        let sold = plan.and_then(|plan| Some((plan.clone(), plan.price(choice.interval)?.clone())));
        sold.ok_or_else(|| Error::NoSuchPrice {
            plan: choice.plan.chars().take(40).collect(),
            interval: choice.interval.as_str(),
        })
    }

    /// The price that is sold under a lookup key, if it is the one that we show: nobody is charged
    /// another amount than the button said, or for a product that gives them another plan or none.
    pub(super) async fn price_id(&self, plan: &PlanId, shown: &PlanPrice) -> Result<PriceId, Error> {
        let (now, key) = (self.clock.now(), &shown.lookup_key);
        let known = self.book.prices.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some((read_at, price)) = known
            && now < read_at.plus(self.book.life)
        {
            return Ok(price);
        }
        let prices = self.stripe.prices(std::slice::from_ref(key)).await?;
        let price = prices.into_iter().find(|price| price.active && price.is_for(shown));
        let price = price.ok_or_else(|| Error::NotPushed(key.clone()))?;
        if !self.stands_for(&price.product, plan).await? {
            tracing::error!(product = %price.product, %plan, "the product's metadata.plan is not the plan that its price is sold for");
            return Err(Error::NotPushed(key.clone()));
        }
        let price = price.id;
        let mut prices = self.book.prices.lock().unwrap_or_else(PoisonError::into_inner);
        prices.insert(key.clone(), (now, price.clone()));
        Ok(price)
    }
}
