//! The page behind an invoice's `hosted_invoice_url`: what is billed, and a way to pay while it is open.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::card_form::{card_fields, test_cards};
use super::checkout::Notice;
use super::entry::{Asked, Entry, Errors, error_of};
use super::layout;
use super::portal::words;
use crate::billing::invoice_page::{self, Attempt, Means};
use crate::billing::money;
use crate::server::App;
use crate::state::{Kind, Stamp, StoreError, Tx, number, text};

/// An invoice as the page shows it.
struct View {
    invoice: Value,
    /// The cards that its customer has.
    cards: Vec<Value>,
    now: i64,
}

pub async fn show(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    match view(&app, id).await {
        Some(view) => render(&view, &Entry::default(), &notice.errors()),
        None => missing(),
    }
}

pub async fn submit(Shared(app): Shared<App>, Path(id): Path<String>, body: Bytes) -> Response {
    let Some(view) = view(&app, id.clone()).await else {
        return missing();
    };
    let entry = Entry::read(&body);
    let means = match (&entry.payment_method, entry.check(Asked { email: false, card: true }, view.now)) {
        (Some(saved), _) => Means::Saved(saved.clone()),
        (None, Ok(buyer)) => Means::New(buyer.card),
        (None, Err(errors)) => return refused(&view, &entry, &errors),
    };
    let page = id.clone();
    let attempt = app.state.transact(Stamp::default(), move |tx| invoice_page::pay(tx, &id, &means)).await;
    match attempt {
        Ok(Attempt::Done) => Redirect::to(&format!("/i/{page}")).into_response(),
        Ok(Attempt::Challenge(challenge)) => Redirect::to(&format!("/c/3ds/{challenge}")).into_response(),
        Ok(Attempt::Declined(decline)) => refused(&view, &entry, &error_of(decline)),
        Err(_) => missing(),
    }
}

/// An invoice that somebody may see: drafts are nobody's business yet.
async fn view(app: &App, id: String) -> Option<View> {
    let looked = app.state.transact(Stamp::default(), move |tx: &mut Tx| {
        tx.set_time(tx.test_time(&id));
        let invoice = tx.copy(Kind::Invoice, &id).filter(|it| it["status"] != "draft");
        let cards = |invoice: &Value| tx.of_customer(Kind::PaymentMethod, text(invoice, "customer"));
        Ok::<_, StoreError>(invoice.map(|invoice| View { cards: cards(&invoice), now: tx.now(), invoice }))
    });
    looked.await.ok().flatten()
}

fn missing() -> Response {
    let page = layout::message("Page not found", "There is no such invoice.", None);
    (StatusCode::NOT_FOUND, page).into_response()
}

fn refused(view: &View, entry: &Entry, errors: &Errors) -> Response {
    (StatusCode::PAYMENT_REQUIRED, render(view, entry, errors)).into_response()
}

fn render(view: &View, entry: &Entry, errors: &Errors) -> Response {
    let is_open = matches!(text(&view.invoice, "status"), "open" | "uncollectible");
    let title = if view.invoice["status"] == "paid" { "Receipt" } else { "Invoice" };
    let title = format!("{title} {}", text(&view.invoice, "number"));
    let body = if is_open {
        html! {
            div.columns {
                section.facts aria-label="What is billed" { div { (facts(&view.invoice, &title)) } }
                section.action aria-label="Payment" { div { (payment(view, entry, errors)) (test_cards()) } }
            }
        }
    } else {
        html! { div.narrow { (facts(&view.invoice, &title)) } }
    };
    layout::page(&title, &body)
}

fn facts(invoice: &Value, title: &str) -> Markup {
    let currency = text(invoice, "currency");
    let amount = |field: &str| money::format(number(invoice, field), currency);
    let balance = number(invoice, "amount_due") - number(invoice, "total");
    html! {
        h1 { (title) }
        p.amount { (amount("amount_due")) }
        p.soft {
            (standing(invoice))
            @if let Some(email) = invoice["customer_email"].as_str() { ", billed to " bdi { (email) } }
        }
        @if let Some(note) = invoice["description"].as_str() { p { (note) } }
        dl {
            @for field in invoice["custom_fields"].as_array().into_iter().flatten() {
                div { dt { (text(field, "name")) } dd { (text(field, "value")) } }
            }
            @for line in invoice["lines"]["data"].as_array().into_iter().flatten() {
                div {
                    dt {
                        (text(line, "description")) br;
                        span.soft {
                            (layout::date(number(&line["period"], "start"))) " to " (layout::date(number(&line["period"], "end")))
                        }
                    }
                    dd { (money::format(number(line, "amount"), currency)) }
                }
            }
            @for taken in invoice["total_discount_amounts"].as_array().into_iter().flatten() {
                div { dt { "Discount" } dd { (money::format(-number(taken, "amount"), currency)) } }
            }
            div.total { dt { "Total" } dd { (amount("total")) } }
            @if balance != 0 { div { dt { "Balance" } dd { (money::format(balance, currency)) } } }
            div { dt { "Amount paid" } dd { (amount("amount_paid")) } }
            @if invoice["due_date"].is_i64() {
                div { dt { "Due" } dd { (layout::date(number(invoice, "due_date"))) } }
            }
            @if invoice["status"] == "open" { div.total { dt { "Amount due" } dd { (amount("amount_remaining")) } } }
        }
        (papers(invoice))
    }
}

/// What stands below everything, and the PDFs.
fn papers(invoice: &Value) -> Markup {
    html! {
        @if let Some(footer) = invoice["footer"].as_str() { p.soft { (footer) } }
        @if let Some(url) = invoice["invoice_pdf"].as_str() {
            p.acts {
                a.button href=(url) { "Download invoice" }
                @if invoice["status"] == "paid" {
                    a.button href={ "/i/" (text(invoice, "id")) "/receipt" } { "Download receipt" }
                }
            }
        }
    }
}

fn standing(invoice: &Value) -> String {
    let on = |field: &str| layout::date(number(&invoice["status_transitions"], field));
    match text(invoice, "status") {
        "paid" => format!("Paid on {}", on("paid_at")),
        "open" => "Waits for your payment".to_owned(),
        "void" => format!("Void since {}: nothing is to be paid", on("voided_at")),
        other => format!("Status: {other}"),
    }
}

fn payment(view: &View, entry: &Entry, errors: &Errors) -> Markup {
    let amount = money::format(number(&view.invoice, "amount_remaining"), text(&view.invoice, "currency"));
    let action = format!("/i/{}", text(&view.invoice, "id"));
    let by_saved = entry.payment_method.is_some();
    let message = errors.values().next().filter(|_| by_saved);
    let none = Errors::new();
    html! {
        h2 { "Pay " (amount) }
        @if let Some(message) = message { p.error role="alert" { (message) } }
        @for card in &view.cards {
            form method="post" action=(action) {
                input type="hidden" name="payment_method" value=(text(card, "id"));
                button.quiet type="submit" {
                    "Pay with " (words::card(card))
                }
            }
        }
        @if !view.cards.is_empty() { h2.or { "Or with another card" } }
        form method="post" action=(action) novalidate {
            (card_fields(entry, if by_saved { &none } else { errors }))
            button type="submit" { "Pay " (amount) }
        }
    }
}
