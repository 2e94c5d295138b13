//! A customer's invoices, as Stripe lists them. A copy serves while nothing has changed, for a minute,
//! and while Stripe does not answer, which is then said.

use super::Billing;
use crate::error::{Error, StripeErrorKind};
use crate::id::{CustomerId, InvoiceId, UserId};
use crate::ports::InvoicePage;
use crate::subscription::Snapshot;

/// How many are on a page.
const PAGE: u8 = 12;
/// Seconds. What no webhook tells of, as a refund of an old one, is seen after this.
const COPY_LIFE: i64 = 60;

/// What there is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoices {
    pub page: InvoicePage,
    /// Stripe does not answer: this is how it was at `page.fetched_at`.
    pub outdated: bool,
}

impl Billing {
    /// A page of a user's invoices, with the upcoming one on the first. `None` for who never was a
    /// customer. An `after` that is none of theirs gives the first page.
    ///
    /// # Errors
    /// `Error` where Stripe does not answer and there is no copy, or the store does not.
    pub async fn invoices_of(
        &self,
        user: &UserId,
        after: Option<&InvoiceId>,
    ) -> Result<Option<Invoices>, Error> {
        let Some(customer) = self.customer_of(user).await? else { return Ok(None) };
        let snapshot = self.readable(&customer).await?;
        let copy = self.store.invoice_copy(&customer, after).await?;
        let synced = snapshot.as_ref().map_or(0, |snapshot| snapshot.synced_at);
        // A sync may have brought a new invoice; the copy must be younger than it.
        let fresh = |page: &InvoicePage| {
            page.fetched_at > synced && (0..COPY_LIFE).contains(&(self.now() - page.fetched_at))
        };
        if let Some(page) = copy.as_ref().filter(|page| fresh(page)) {
            return Ok(Some(Invoices { page: page.clone(), outdated: false }));
        }
        let fetched = self.patiently(self.fetch_invoices(&customer, after, snapshot.as_ref())).await;
        match (fetched, copy) {
            (Ok(page), _) => Ok(Some(Invoices { page, outdated: false })),
            (Err(Error::Stripe(error)), Some(page)) if error.is_outage() => {
                tracing::warn!(%customer, %error, "invoices are shown from a copy");
                Ok(Some(Invoices { page, outdated: true }))
            }
            (Err(error), _) => Err(error),
        }
    }

    async fn fetch_invoices(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
        snapshot: Option<&Snapshot>,
    ) -> Result<InvoicePage, Error> {
        self.ensure_account().await?;
        let mut page = match self.stripe.invoices(customer, after, PAGE).await {
            Err(error) if after.is_some() && is_about_after(error.kind) => {
                self.stripe.invoices(customer, None, PAGE).await?
            }
            answer => answer?,
        };
        let live = snapshot.and_then(|it| it.subscription.as_ref()).filter(|it| it.status.is_live());
        if let Some(live) = live.filter(|_| after.is_none()) {
            page.upcoming = self.stripe.upcoming_invoice(&live.subscription_id).await?;
        }
        if page.fetched_at == 0 {
            page.fetched_at = self.now();
        }
        self.store.keep_invoice_copy(customer, after, &page).await?;
        Ok(page)
    }
}

fn is_about_after(kind: StripeErrorKind) -> bool {
    matches!(kind, StripeErrorKind::Missing | StripeErrorKind::Refused)
}
