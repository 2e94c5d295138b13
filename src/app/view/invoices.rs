//! The page of invoices, as plain data.

use serde::{Deserialize, Serialize};

use super::{Link, NoticeView, Pill};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicesView {
    /// What Stripe's silence means for this page.
    pub notice: Option<NoticeView>,
    /// Label and value of the next invoice: its day, its lines, what it comes to.
    pub upcoming: Vec<(String, String)>,
    pub rows: Vec<InvoiceRow>,
    pub newer: Option<Link>,
    pub older: Option<Link>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceRow {
    pub date: String,
    pub what_for: String,
    pub amount: String,
    pub status: Pill,
    pub number: Option<String>,
    /// Stripe's page: pays it while it is open, shows the receipt once it is paid.
    pub page: Option<Link>,
    pub pdf: Option<String>,
}
