//! What the page of invoices says: Stripe's list in words.

use unsplit_billing::ports::{Invoice, InvoicePreview};
use unsplit_billing::service::Invoices;

use super::confirm::lines;
use crate::app::flash::Tone;
use crate::app::format::{format_date, format_money, on_day, relative_day};
use crate::app::view::{InvoiceRow, InvoicesView, Link, NoticeView, Pill};

/// `now` in Unix seconds; `further`: this is not the first page.
#[must_use]
pub fn invoices_view(found: Option<&Invoices>, further: bool, now: i64) -> InvoicesView {
    let Some(Invoices { page, outdated }) = found else { return InvoicesView::default() };
    let notice = outdated.then(|| NoticeView {
        tone: Tone::Warn,
        title: "Stripe doesn't answer right now".to_owned(),
        text: format!(
            "This is how your invoices were {}. Newer ones may be missing.",
            on_day(page.fetched_at, now)
        ),
        action: None,
        form: None,
    });
    InvoicesView {
        notice,
        upcoming: page.upcoming.as_ref().map_or_else(Vec::new, |next| upcoming(next, now)),
        rows: page.invoices.iter().map(row).collect(),
        newer: further.then(|| Link::new("Newest invoices", "/account/invoices")),
        older: page
            .next
            .as_ref()
            .map(|next| Link::new("Older invoices", format!("/account/invoices?after={next}"))),
    }
}

fn upcoming(next: &InvoicePreview, now: i64) -> Vec<(String, String)> {
    let day = next.at.map(|at| ("On".to_owned(), relative_day(at, now)));
    day.into_iter().chain(lines(next)).collect()
}

fn row(invoice: &Invoice) -> InvoiceRow {
    let (label, tone) = match invoice.status.as_deref() {
        Some("paid") => ("Paid", Tone::Good),
        Some("open") => ("To be paid", Tone::Warn),
        Some("draft") => ("Being prepared", Tone::Info),
        Some("uncollectible") => ("Not paid", Tone::Bad),
        Some("void") => ("Canceled", Tone::Info),
        _ => ("Being checked", Tone::Info),
    };
    let open = invoice.status.as_deref() == Some("open");
    InvoiceRow {
        date: format_date(invoice.created),
        what_for: invoice.what_for.clone().unwrap_or_else(|| "Invoice".to_owned()),
        amount: invoice
            .currency
            .as_ref()
            .map_or_else(String::new, |currency| format_money(invoice.total, currency)),
        status: Pill { label: label.to_owned(), tone },
        number: invoice.number.clone(),
        page: invoice.hosted_url.clone().map(|url| Link::new(if open { "Pay" } else { "View" }, url)),
        pdf: invoice.pdf_url.clone(),
    }
}
