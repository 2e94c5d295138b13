//! The second half of a rebuild: folds and writes the values, binds the users, and tidies up. It
//! asks Stripe nothing but the products.

use futures::future::try_join_all;

use super::{Conflict, Halt, Rebuild, count, kept};
use crate::access::{Access, access};
use crate::error::{Error, StoreError};
use crate::fold::{ListedSubscription, fold};
use crate::id::{CustomerId, UserId};
use crate::ports::{Cursor, Due, Mark, RebuildStep, StagedConflict, StagedCustomer, Ticket, Written};
use crate::subscription::Snapshot;

/// What became of one customer's value.
enum Wrote {
    Changed,
    Unchanged,
    Marked,
}

impl Rebuild<'_> {
    pub(super) async fn values(&mut self, page: u64) -> Result<RebuildStep, Halt> {
        // A worker of this process would; but nobody says that there is one.
        if self.billing.book.take_stale() {
            self.billing.refresh_products().await;
        }
        let (store, token) = (&self.billing.store, &self.progress.token);
        let customers = self.page(page).await?;
        let listed = customers.iter().map(|it| async { kept(store.staged(token, &it.id).await) });
        let listed = try_join_all(listed).await?;
        // After the last read, and before the first write: what was read was all that was kept.
        self.ensure_same_history().await?;
        let (this, tickets) = (&*self, self.tickets_of(page)?);
        let each = customers.iter().zip(&listed);
        let wrote = each.map(|(it, listed)| this.value(&it.id, tickets, listed));
        let wrote = try_join_all(wrote).await?;
        let each = customers.iter().zip(&listed);
        try_join_all(each.map(|(it, listed)| self.billing.restore_trials(it, listed))).await?;
        let counts = &mut self.progress.counts;
        for wrote in wrote {
            match wrote {
                Wrote::Changed => counts.changed += 1,
                Wrote::Unchanged => counts.unchanged += 1,
                Wrote::Marked => counts.marked += 1,
            }
        }
        // Whoever is on a page is no stranger, also without a ticket.
        let ids: Vec<_> = customers.into_iter().map(|it| it.id).collect();
        self.billing.store.unstage_strangers(&self.progress.token, &ids).await?;
        let next = page + 1;
        let more = next < self.progress.pages;
        Ok(if more { RebuildStep::Values { page: next } } else { RebuildStep::Strangers })
    }

    /// Deleted customers, whose subscriptions Stripe lists for ever, and such that were made while we
    /// listed: without a ticket from before the list nothing may be written.
    pub(super) async fn strangers(&mut self) -> Result<RebuildStep, Halt> {
        let (billing, token) = (self.billing, &self.progress.token);
        let some = kept(billing.store.staged_strangers(token).await)?;
        if some.is_empty() {
            return Ok(RebuildStep::Bindings { page: 0 });
        }
        try_join_all(some.iter().map(|customer| async move {
            billing.mark_now(customer).await?;
            billing.store.unstage(token, customer).await
        }))
        .await?;
        // Last, so that a crash before it costs a second mark and not the only one.
        billing.store.unstage_strangers(token, &some).await?;
        self.progress.counts.marked += count(some.len());
        self.progress.counts.strangers += count(some.len());
        Ok(RebuildStep::Strangers)
    }

    /// A page as it was kept.
    async fn page(&self, page: u64) -> Result<Vec<StagedCustomer>, Halt> {
        if page >= self.progress.pages {
            // Stripe has no customers.
            return Ok(Vec::new());
        }
        let customers = kept(self.billing.store.page(self.tickets_of(page)?, page).await)?;
        customers.ok_or_else(|| Halt::Lost(format!("page {page} of its customers is gone")))
    }

    async fn value(
        &self,
        customer: &CustomerId,
        tickets: &str,
        listed: &[ListedSubscription],
    ) -> Result<Wrote, Error> {
        let billing = self.billing;
        let mut described = listed.to_vec();
        billing.describe_phases(&mut described).await?;
        let plans = billing.plan_directory(&described).await?;
        let fetched = fold(&described, &plans, self.progress.listed_since);
        let before = billing.readable(customer).await?;
        // A ticket is found by its token.
        let ticket = Ticket { seq: 0, token: tickets.to_owned() };
        let known = before.as_ref().is_none_or(|before| has_all_of(listed, before));
        let whole = known && !self.progress.unreadable.contains(customer);
        if !whole || billing.store.write(customer, &ticket, &fetched).await? == Written::Refused {
            billing.mark_now(customer).await?;
            return Ok(Wrote::Marked);
        }
        if let Some(next) = fetched.next_change(billing.now()) {
            let due = Due::By(billing.by_our_clock(next));
            billing.store.mark(&Mark::of(customer.clone(), due)).await?;
        }
        let same = before.is_some_and(|before| before.subscription == fetched.subscription);
        Ok(if same { Wrote::Unchanged } else { Wrote::Changed })
    }

    pub(super) async fn bindings(&mut self, page: u64) -> Result<RebuildStep, Halt> {
        for customer in &self.page(page).await? {
            let Some(user) = &customer.user else { continue };
            self.binding(user, customer).await?;
        }
        let next = page + 1;
        let more = next < self.progress.pages;
        Ok(if more { RebuildStep::Bindings { page: next } } else { RebuildStep::Cleanup { page: 0 } })
    }

    /// Binds a user who has no customer to the one that gives most. A binding that is there is never
    /// changed: several customers are for a person to sort out.
    async fn binding(&mut self, user: &UserId, customer: &StagedCustomer) -> Result<(), Halt> {
        let (billing, token) = (self.billing, &self.progress.token);
        let named = kept(billing.store.staged_user(token, user).await)?;
        if !named.contains(&customer.id) {
            return Err(Halt::Lost(format!("the customers of {user} are gone")));
        }
        let mut customers = Vec::new();
        for id in named {
            let stored = billing.readable(&id).await?;
            customers.push((id, stored));
        }
        customers.sort_by_cached_key(|(id, stored)| {
            std::cmp::Reverse((self.standing(stored.as_ref()), id.clone()))
        });
        let Some((best, _)) = customers.first() else { return Ok(()) };
        // Each user once, however many customers they have, and whatever changes meanwhile.
        if customers.iter().map(|(id, _)| id).min() != Some(&customer.id) {
            return Ok(());
        }
        let before = billing.store.customer_of(user).await?;
        let bound = match before {
            Some(bound) => bound,
            None => billing.store.bind(user, best, None).await?,
        };
        self.progress.counts.bound += 1;
        if customers.len() > 1 || bound != *best {
            self.progress.counts.conflicts += 1;
            tracing::warn!(%user, %bound, customers = customers.len(), "a user has several customers at Stripe");
            let customers = customers.into_iter().map(|(customer, _)| customer).collect();
            self.progress.conflicts.push(StagedConflict { user: user.clone(), bound, customers });
        }
        Ok(())
    }

    /// What was found, with what is stored now.
    pub(super) async fn conflicts(&self) -> Result<Vec<Conflict>, Error> {
        let mut conflicts = Vec::new();
        for found in &self.progress.conflicts {
            let mut customers = Vec::new();
            for customer in &found.customers {
                customers.push((customer.clone(), self.billing.readable(customer).await?));
            }
            conflicts.push(Conflict { user: found.user.clone(), bound: found.bound.clone(), customers });
        }
        Ok(conflicts)
    }

    /// The more a customer gives, the higher; the newest of equals.
    fn standing(&self, stored: Option<&Snapshot>) -> (bool, bool, Option<usize>, i64) {
        let Some(stored) = stored else { return (false, false, None, 0) };
        let granted = access(stored, self.billing.access_policy(), self.billing.now());
        let rank = |access: &Access| access.plan().and_then(|plan| self.billing.catalog.rank(plan));
        let live = stored.subscription.as_ref().is_some_and(|it| it.status.is_live());
        let created = stored.subscription.as_ref().map_or(0, |it| it.created);
        (granted.plan().is_some(), live, rank(&granted), created)
    }

    pub(super) async fn cleanup(&mut self, page: u64) -> Result<Option<RebuildStep>, Halt> {
        let (store, token) = (&self.billing.store, &self.progress.token);
        let tickets = self.tickets_of(page)?;
        let customers = match store.page(tickets, page).await {
            // Nobody needs it any more, and it expires.
            Err(StoreError::Unreadable { .. }) => Vec::new(),
            // `None` was dropped already.
            found => found?.unwrap_or_default(),
        };
        try_join_all(customers.iter().map(|it| async move {
            store.unstage(token, &it.id).await?;
            match &it.user {
                Some(user) => store.unstage_user(token, user).await,
                None => Ok(()),
            }
        }))
        .await?;
        store.drop_page(tickets, page).await?;
        let next = page + 1;
        Ok((next < self.progress.pages).then_some(RebuildStep::Cleanup { page: next }))
    }

    /// From here on reconciliation knows all that came before.
    pub(super) async fn end(&self) -> Result<(), Halt> {
        let store = &self.billing.store;
        // The values that were written last may be lost too.
        self.ensure_same_history().await?;
        // A late run must not move the cursor.
        self.save().await?;
        let drift = store.cursor().await?.map_or(0, |cursor| cursor.drift);
        let cursor =
            Cursor { events_until: self.progress.began, rebuild_due: None, drift, passes: Vec::new() };
        store.save_cursor(&cursor).await?;
        if !store.end_rebuild(&self.run).await? {
            return Err(Error::RebuildRuns.into());
        }
        Ok(())
    }
}

/// Whether every subscription that the value names was listed: Stripe lists them in any status, and
/// forgets none, so that one which is missing was lost by us.
fn has_all_of(listed: &[ListedSubscription], value: &Snapshot) -> bool {
    value.subscription.as_ref().is_none_or(|named| {
        let others = named.others.iter().map(|other| &other.subscription_id);
        others.chain([&named.subscription_id]).all(|id| listed.iter().any(|it| it.id == *id))
    })
}
