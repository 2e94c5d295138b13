//! What the page that confirms a change says: Stripe's preview in words. May not reckon money itself.

use unsplit_billing::plan::{Catalog, Plan};
use unsplit_billing::ports::InvoicePreview;
use unsplit_billing::service::{ChangePreview, When};
use unsplit_billing::subscription::Status;

use crate::app::format::{format_date, format_money};
use crate::app::view::{ConfirmView, FormView, Wording, priced};

/// `now` in Unix seconds.
#[must_use]
pub fn confirm_view(preview: &ChangePreview, catalog: &Catalog, now: i64) -> ConfirmView {
    let wording = Wording::new(&preview.subscription, catalog, now);
    let present = preview.subscription.plan.as_ref().and_then(|id| catalog.plan(id));
    let only_in = |one: &Plan, other: &Plan| -> Vec<String> {
        one.features.iter().filter(|feature| !other.features.contains(feature)).cloned().collect()
    };
    // A higher plan has all of a lower one, as its features say in a line.
    let higher = |one: &Plan, other: &Plan| catalog.rank(&one.id) > catalog.rank(&other.id);
    let (gains, losses) = match present {
        Some(present) if higher(&preview.plan, present) => (only_in(&preview.plan, present), Vec::new()),
        Some(present) if higher(present, &preview.plan) => (Vec::new(), only_in(present, &preview.plan)),
        _ => (Vec::new(), Vec::new()),
    };
    let total = preview.invoice.as_ref().map_or(0, |invoice| invoice.total);
    let form = FormView::new("/api/change_plan", label(preview))
        .with("plan", preview.plan.id.as_str())
        .with("interval", preview.price.interval.as_str())
        .with("proration_date", preview.proration_date.to_string())
        .with("total", total.to_string());
    ConfirmView {
        title: format!("Change to {}, {}", preview.plan.name, priced(&preview.price)),
        facts: facts(preview, &wording),
        lines: preview.invoice.as_ref().map_or_else(Vec::new, lines),
        gains,
        losses,
        notes: notes(preview, &wording),
        form,
    }
}

fn label(preview: &ChangePreview) -> String {
    let name = &preview.plan.name;
    match (&preview.invoice, preview.when) {
        (_, When::PeriodEnd(end)) => format!("Change to {name} on {}", format_date(end)),
        (Some(invoice), When::Now) if preview.charged_now && invoice.amount_due > 0 => {
            format!("Pay {} and change to {name}", format_money(invoice.amount_due, &invoice.currency))
        }
        _ => format!("Change to {name}"),
    }
}

fn facts(preview: &ChangePreview, wording: &Wording) -> Vec<(String, String)> {
    let starts = match preview.when {
        When::Now => "At once".to_owned(),
        When::PeriodEnd(end) => format!("{}, when your period ends", format_date(end)),
    };
    let today = match &preview.invoice {
        Some(invoice) if preview.charged_now => format_money(invoice.amount_due, &invoice.currency),
        _ => format_money(0, &preview.price.currency),
    };
    let next = match (&preview.next, preview.when) {
        (Some(next), _) if preview.charged_now || preview.invoice.is_none() => {
            let at = preview.subscription.current_period_end;
            let on = at.map_or_else(String::new, |at| format!(" {}", wording.on(at)));
            format!("{}{on}", format_money(next.amount_due, &next.currency))
        }
        (None, When::PeriodEnd(end)) => {
            format!("{} {}", format_money(preview.price.amount, &preview.price.currency), wording.on(end))
        }
        _ => match (preview.subscription.status == Status::Trialing, wording.next_charge_at()) {
            (true, Some(at)) => {
                let amount = format_money(preview.price.amount, &preview.price.currency);
                format!("{amount} {}, when your trial ends", wording.on(at))
            }
            _ => priced(&preview.price),
        },
    };
    let rows = [
        ("Now", Some(wording.title())),
        ("Starts", Some(starts)),
        ("You pay today", Some(today)),
        ("Next payment", Some(next)),
        ("Card", wording.card()),
    ];
    rows.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?))).collect()
}

/// The lines of an invoice that is not made, and what they come to: label and value.
pub(super) fn lines(invoice: &InvoicePreview) -> Vec<(String, String)> {
    let money = |amount| format_money(amount, &invoice.currency);
    let each = invoice.lines.iter().map(|line| (line.description.clone(), money(line.amount)));
    let discount = (invoice.discount != 0).then(|| ("Discount".to_owned(), money(-invoice.discount)));
    let tax = (invoice.tax != 0).then(|| ("Tax".to_owned(), money(invoice.tax)));
    let credit = invoice.amount_due - invoice.total;
    // What is left over is kept for later invoices, which a note says.
    let credit = (credit != 0 && invoice.total > 0).then(|| ("From your credit".to_owned(), money(credit)));
    let total = Some(("Total".to_owned(), money(invoice.amount_due)));
    each.chain([discount, tax, credit, total].into_iter().flatten()).collect()
}

fn notes(preview: &ChangePreview, wording: &Wording) -> Vec<String> {
    let dropped = preview
        .drops
        .as_ref()
        .map(|change| format!("Your planned change to {} is dropped.", wording.plan_of(&change.terms)));
    let credit = preview.invoice.as_ref().filter(|invoice| invoice.total < 0).map(|invoice| {
        let left = format_money(-invoice.total, &invoice.currency);
        format!("{left} of what you have paid is left over and counts towards your next payments.")
    });
    let later = (preview.invoice.is_some() && !preview.charged_now)
        .then(|| "This is added to your next invoice.".to_owned());
    let unpaid = preview
        .charged_now
        .then(|| format!("If the payment doesn't go through, {} goes on as it is.", wording.name));
    [dropped, credit, later, unpaid].into_iter().flatten().collect()
}
