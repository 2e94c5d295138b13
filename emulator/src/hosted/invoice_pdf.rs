//! The PDF behind an invoice's `invoice_pdf`, and the receipt of one that is paid. Both say that they are a test.
//! Reads the invoice and writes paper; what it says is what the invoice was when it was finalised, not what its
//! customer is now. How Stripe's looks is not copied.

mod lines;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::layout;
use super::portal::words;
use crate::billing::money;
use crate::pdf::{Document, MARGIN, Paper, Style};
use crate::server::App;
use crate::state::{Key, Kind, Stamp, StoreError, Tx, number, text};

/// Where the second column begins.
const MIDDLE: f32 = 300.0;
const SELLER: &str = "Stripe emulator";

/// Which of the two is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Invoice,
    Receipt,
}

pub async fn invoice(Shared(app): Shared<App>, Path(id): Path<String>) -> Response {
    answer(&app, id, Form::Invoice).await
}

pub async fn receipt(Shared(app): Shared<App>, Path(id): Path<String>) -> Response {
    answer(&app, id, Form::Receipt).await
}

async fn answer(app: &App, id: String, form: Form) -> Response {
    let looked = app.state.transact(Stamp::default(), move |tx: &mut Tx| {
        let invoice = tx.copy(Kind::Invoice, &id).filter(|it| is_there(it, form));
        Ok::<_, StoreError>(invoice.map(|invoice| (paid_with(tx, &invoice), invoice)))
    });
    let Some((card, invoice)) = looked.await.ok().flatten() else {
        let page = layout::message("Page not found", "There is no such document.", None);
        return (StatusCode::NOT_FOUND, page).into_response();
    };
    let word = if form == Form::Receipt { "Receipt" } else { "Invoice" };
    // A number of one's own may have anything in it.
    let number: String = text(&invoice, "number")
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
        .collect();
    let headers = [
        (CONTENT_TYPE, "application/pdf".to_owned()),
        (CONTENT_DISPOSITION, format!("inline; filename=\"{word}-{number}.pdf\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, render(&invoice, form, card.as_deref())).into_response()
}

/// Drafts have no paper yet, and there is no receipt of what is not paid.
fn is_there(invoice: &Value, form: Form) -> bool {
    match form {
        Form::Invoice => invoice["status"] != "draft",
        Form::Receipt => invoice["status"] == "paid",
    }
}

/// The card that paid it.
fn paid_with(tx: &Tx, invoice: &Value) -> Option<String> {
    let all = tx.store().collection(Kind::InvoicePayment)?;
    let mut of = all.by_key(Key::Invoice, text(invoice, "id"));
    let payment = of.find(|record| *record.raw("status") == "paid")?.value().into_owned();
    let intent = tx.find(Kind::PaymentIntent, text(&payment["payment"], "payment_intent"))?;
    Some(words::card(&*tx.find(Kind::PaymentMethod, text(&intent, "payment_method"))?))
}

fn render(invoice: &Value, form: Form, card: Option<&str>) -> Vec<u8> {
    let paper = match invoice["rendering"]["pdf"]["page_size"].as_str() {
        Some("a4") => Paper::A4,
        _ => Paper::Letter,
    };
    let title = if form == Form::Receipt { "Receipt" } else { "Invoice" };
    let mut page = Document::new(paper);
    page.put(MARGIN, title, Style::TITLE);
    page.put_right(page.right(), "TEST MODE", Style::LEAD);
    page.down(Style::TITLE.line() + 8.0);
    facts(&mut page, invoice, form, card);
    page.down(14.0);
    parties(&mut page, invoice);
    page.down(14.0);
    lead(&mut page, invoice, form);
    page.down(8.0);
    if let Some(note) = invoice["description"].as_str() {
        page.put_text(MARGIN, page.right() - MARGIN, note, Style::PLAIN);
        page.down(14.0);
    }
    lines::write(&mut page, invoice);
    lines::write_sums(&mut page, invoice);
    if let Some(foot) = invoice["footer"].as_str() {
        page.down(24.0);
        page.put_text(MARGIN, page.right() - MARGIN, foot, Style::SOFT);
    }
    let number = text(invoice, "number");
    let foot = format!("{number} · TEST MODE: a stand-in for Stripe made this. No money has moved.");
    page.finish(&format!("{title} {number}"), &foot)
}

/// Number, dates and what the seller wants to stand there.
fn facts(page: &mut Document, invoice: &Value, form: Form, card: Option<&str>) {
    let date = |at: &Value| at.as_i64().map(layout::date);
    let mut facts = vec![("Invoice number".to_owned(), Some(text(invoice, "number").to_owned()))];
    let mut add = |name: &str, value: Option<String>| facts.push((name.to_owned(), value));
    add("Date of issue", date(&invoice["effective_at"]));
    if form == Form::Invoice {
        add("Date due", date(&invoice["due_date"]).or_else(|| date(&invoice["effective_at"])));
    }
    add("Date paid", date(&invoice["status_transitions"]["paid_at"]));
    add("Payment method", card.map(str::to_owned));
    add("Status", Some(status(invoice).to_owned()));
    for field in invoice["custom_fields"].as_array().into_iter().flatten() {
        facts.push((text(field, "name").to_owned(), field["value"].as_str().map(str::to_owned)));
    }
    for (name, value) in facts.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        let top = page.at;
        page.put_text(MARGIN, 110.0, &name, Style::SOFT);
        let below = std::mem::replace(&mut page.at, top);
        page.put_text(MARGIN + 120.0, page.right() - MARGIN - 120.0, &value, Style::PLAIN);
        page.at = page.at.max(below);
    }
}

fn status(invoice: &Value) -> &'static str {
    match text(invoice, "status") {
        "paid" => "Paid",
        "void" => "Void: nothing is to be paid",
        "uncollectible" => "Uncollectible",
        _ => "Open",
    }
}

/// Who sells, and who buys.
fn parties(page: &mut Document, invoice: &Value) {
    let top = page.at;
    page.put_text(MARGIN, MIDDLE - MARGIN - 20.0, SELLER, Style::BOLD);
    page.put_text(MARGIN, MIDDLE - MARGIN - 20.0, "United States", Style::PLAIN);
    let below = std::mem::replace(&mut page.at, top);
    let most = page.right() - MIDDLE;
    page.put_text(MIDDLE, most, "Bill to", Style::BOLD);
    for line in customer(invoice) {
        page.put_text(MIDDLE, most, &line, Style::PLAIN);
    }
    page.at = page.at.max(below);
}

fn customer(invoice: &Value) -> Vec<String> {
    let own = |object: &Value, field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let address = &invoice["customer_address"];
    let town = ["city", "state", "postal_code"].map(|field| own(address, field));
    let town = town.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let mut lines = vec![own(invoice, "customer_name"), own(address, "line1"), own(address, "line2"), town];
    lines.push(own(address, "country"));
    lines.extend([own(invoice, "customer_email"), own(invoice, "customer_phone")]);
    let tax_ids = invoice["customer_tax_ids"].as_array().into_iter().flatten();
    lines.extend(tax_ids.map(|it| {
        let kind = text(it, "type").replace('_', " ").to_uppercase();
        format!("{kind} {}", text(it, "value"))
    }));
    lines.retain(|line| !line.is_empty());
    lines
}

/// The one thing that everybody looks for.
fn lead(page: &mut Document, invoice: &Value, form: Form) {
    let amount = |field: &str| money::format(number(invoice, field), text(invoice, "currency"));
    let on = |at: &Value| at.as_i64().map(layout::date).unwrap_or_default();
    let words = match (form, text(invoice, "status")) {
        (_, "paid") => {
            format!("{} paid on {}", amount("amount_paid"), on(&invoice["status_transitions"]["paid_at"]))
        }
        (_, "void") => format!("Void since {}", on(&invoice["status_transitions"]["voided_at"])),
        _ => match invoice["due_date"].as_i64() {
            Some(due) => format!("{} due {}", amount("amount_remaining"), layout::date(due)),
            None => format!("{} due", amount("amount_remaining")),
        },
    };
    page.put_text(MARGIN, page.right() - MARGIN, &words, Style::LEAD);
}
