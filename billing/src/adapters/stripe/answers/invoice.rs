//! Invoices in a list.

use serde::Deserialize;

use super::List;
use crate::id::InvoiceId;
use crate::money::Currency;
use crate::ports;

#[derive(Deserialize)]
pub(in crate::adapters::stripe) struct Invoice {
    id: InvoiceId,
    number: Option<String>,
    #[serde(default)]
    created: i64,
    status: Option<String>,
    #[serde(default)]
    total: i64,
    #[serde(default)]
    amount_remaining: i64,
    currency: Option<String>,
    hosted_invoice_url: Option<String>,
    invoice_pdf: Option<String>,
    lines: Option<List<Line>>,
}

#[derive(Deserialize)]
struct Line {
    description: Option<String>,
}

impl Invoice {
    pub fn into_domain(self) -> ports::Invoice {
        let mut lines = self.lines.into_iter().flat_map(|lines| lines.data);
        ports::Invoice {
            what_for: lines.next().and_then(|line| line.description),
            currency: self.currency.as_deref().and_then(|text| Currency::parse(text).ok()),
            id: self.id,
            number: self.number,
            created: self.created,
            status: self.status,
            total: self.total,
            amount_remaining: self.amount_remaining,
            hosted_url: self.hosted_invoice_url,
            pdf_url: self.invoice_pdf,
        }
    }
}
