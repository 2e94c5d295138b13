//! `{stripe:customer:<id>}:invoices`: a hash of the pages of invoices that somebody has looked at, by
//! the invoice that each comes after. Gone after a while; a page that can't be read counts as missing.

use async_trait::async_trait;

use super::{RedisStore, to_json, unavailable};
use crate::error::StoreError;
use crate::id::{CustomerId, InvoiceId};
use crate::ports::{InvoiceCopies, InvoicePage};

/// As long as an outage may last in which somebody still wants to see them.
const SECONDS: i64 = 7 * 24 * 60 * 60;

fn key(customer: &CustomerId) -> String {
    format!("{{stripe:customer:{customer}}}:invoices")
}

fn field(after: Option<&InvoiceId>) -> &str {
    after.map_or("first", InvoiceId::as_str)
}

#[async_trait]
impl InvoiceCopies for RedisStore {
    async fn invoice_copy(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
    ) -> Result<Option<InvoicePage>, StoreError> {
        let mut ask = redis::cmd("HGET");
        ask.arg(key(customer)).arg(field(after));
        let text: Option<String> = ask.query_async(&mut self.redis.clone()).await.map_err(unavailable)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn keep_invoice_copy(
        &self,
        customer: &CustomerId,
        after: Option<&InvoiceId>,
        page: &InvoicePage,
    ) -> Result<(), StoreError> {
        let key = key(customer);
        let mut pipe = redis::pipe();
        pipe.hset(&key, field(after), to_json(&key, page)?).ignore().expire(&key, SECONDS).ignore();
        self.ask(&pipe).await
    }
}
