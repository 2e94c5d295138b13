//! The page behind an invoice's `hosted_invoice_url`: a simple receipt.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;
use serde_json::Value;

use super::layout;
use crate::billing::money;
use crate::server::App;
use crate::state::{Kind, number, text};

pub async fn show(Shared(app): Shared<App>, Path(id): Path<String>) -> Response {
    let invoice =
        app.state.read(|store| store.find(Kind::Invoice, &id).map(|record| record.value().into_owned()));
    match invoice {
        Some(invoice) if invoice["status"] != "draft" => render(&invoice),
        _ => {
            let page = layout::message("Page not found", "There is no such invoice.", None);
            (StatusCode::NOT_FOUND, page).into_response()
        }
    }
}

fn render(invoice: &Value) -> Response {
    let currency = text(invoice, "currency");
    let paid = invoice["status"] == "paid";
    let title = if paid { "Receipt" } else { "Invoice" };
    let lines = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
    let body = html! {
        div.narrow {
            h1 { (title) " " (text(invoice, "number")) }
            p.amount { (money::format(number(invoice, "total"), currency)) }
            p.soft {
                @if paid { "Paid on " (layout::date(number(&invoice["status_transitions"], "paid_at"))) }
                @else { "Status: " (text(invoice, "status")) }
                @if let Some(email) = invoice["customer_email"].as_str() { ", billed to " (email) }
            }
            dl {
                @for line in &lines {
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
                div.total { dt { "Total" } dd { (money::format(number(invoice, "total"), currency)) } }
                div { dt { "Amount paid" } dd { (money::format(number(invoice, "amount_paid"), currency)) } }
            }
        }
    };
    layout::page(&format!("{title} {}", text(invoice, "number")), &body)
}
