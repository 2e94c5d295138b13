//! Invoices: what Stripe lists of a customer's, and the store's short-lived copy of that.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::InvoicePreview;
use crate::error::{StoreError, StripeError};
use crate::id::{CustomerId, InvoiceId, SubscriptionId};
use crate::money::Currency;

/// An invoice in a list (https://docs.stripe.com/api/invoices/object). Amounts in the currency's
/// minor unit, times in Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    pub id: InvoiceId,
    /// `None` for a draft.
    pub number: Option<String>,
    pub created: i64,
    /// `draft`, `open`, `paid`, `uncollectible` or `void`.
    pub status: Option<String>,
    /// What its first line says.
    pub what_for: Option<String>,
    pub total: i64,
    pub amount_remaining: i64,
    pub currency: Option<Currency>,
    pub hosted_url: Option<String>,
    pub pdf_url: Option<String>,
}

/// One page of a customer's invoices, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoicePage {
    pub invoices: Vec<Invoice>,
    /// What the next page comes after; `None` at the end.
    pub next: Option<InvoiceId>,
    /// The next regular invoice, where one is known to come. On the first page only.
    pub upcoming: Option<InvoicePreview>,
    /// When it was asked for, Unix seconds by Stripe's clock.
    pub fetched_at: i64,
}

#[async_trait]
pub trait InvoiceLists: Send + Sync {
    /// So many of a customer's invoices, newest first, drafts included, after one of them.
    async fn invoices(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
        limit: u8,
    ) -> Result<InvoicePage, StripeError>;
    /// The next invoice of a subscription as it stands; `None` where none will come.
    async fn upcoming_invoice(
        &self,
        subscription: &SubscriptionId,
    ) -> Result<Option<InvoicePreview>, StripeError>;
}

/// Copies of what Stripe has answered, for when it does not. Never the truth of anything.
#[async_trait]
pub trait InvoiceCopies: Send + Sync {
    async fn invoice_copy(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
    ) -> Result<Option<InvoicePage>, StoreError>;
    async fn keep_invoice_copy(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
        page: &InvoicePage,
    ) -> Result<(), StoreError>;
}
