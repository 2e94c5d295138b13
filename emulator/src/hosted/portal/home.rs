//! The portal's first page: plans, cards, billing information and invoices. A visit for one thing only goes
//! straight to the page for that.

use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{look, page, path_of, words};
use crate::billing::money;
use crate::billing::portal::cards::{charged_to, default_card, is_needed};
use crate::billing::portal::wish::Wish;
use crate::billing::portal::{Visit, cancel, change, details, later};
use crate::error::ApiError;
use crate::hosted::layout;
use crate::server::App;
use crate::state::{Kind, Tx, number, text};

/// So many invoices are shown.
const INVOICES: usize = 24;

#[derive(Deserialize)]
pub struct Asked {
    notice: Option<String>,
}

/// What the page shows.
struct View {
    plans: Vec<Plan>,
    cards: Vec<Card>,
    invoices: Vec<Value>,
}

struct Plan {
    subscription: Value,
    /// What it sells, with prices.
    lines: Vec<String>,
    card: Option<String>,
    /// What it sells from the next period on, and when that begins, if it is planned here.
    coming: Option<(String, i64)>,
    may_update: bool,
    may_cancel: bool,
    may_choose_card: bool,
}

struct Card {
    method: Value,
    is_default: bool,
    may_remove: bool,
}

pub async fn show(
    Shared(app): Shared<App>,
    Path(session): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let looked = look(&app, &session, |tx, visit| match visit.in_flow {
        true => Ok(Err(flow_page(tx, visit)?)),
        false => Ok(Ok(view(tx, visit))),
    });
    match looked.await {
        Ok((visit, Ok(view))) => render(&visit, &view, asked.notice.as_deref()),
        Ok((_, Err(path))) => Redirect::to(&path).into_response(),
        Err(response) => response,
    }
}

/// The page of the one thing that the visit is for.
fn flow_page(tx: &Tx, visit: &Visit) -> Result<String, ApiError> {
    let flow = &visit.session["flow"];
    let kind = text(flow, "type");
    let subscription = || visit.own(tx, Kind::Subscription, text(&flow[kind], "subscription"));
    Ok(match kind {
        "customer_update" => format!("{}/details", visit.home()),
        "payment_method_update" => format!("{}/cards", visit.home()),
        "subscription_cancel" => path_of(visit, &subscription()?, "/cancel"),
        "subscription_update" => path_of(visit, &subscription()?, "/update"),
        _ => {
            let subscription = subscription()?;
            let wish = Wish::of_flow(&flow[kind]["items"][0], &subscription);
            let rest = format!("/update/confirm?{}", wish.query());
            path_of(visit, &subscription, &rest)
        }
    })
}

fn view(tx: &Tx, visit: &Visit) -> View {
    let customer = text(&visit.customer, "id");
    let methods = tx.of_customer(Kind::PaymentMethod, customer);
    let invoices = tx.of_customer(Kind::Invoice, customer).into_iter().filter(|it| it["status"] != "draft");
    let plans = visit.subscriptions(tx);
    View {
        plans: plans.into_iter().map(|it| plan(tx, visit, it, &methods)).collect(),
        cards: methods.into_iter().map(|it| card(tx, visit, it)).collect(),
        invoices: invoices.take(INVOICES).collect(),
    }
}

fn plan(tx: &Tx, visit: &Visit, subscription: Value, methods: &[Value]) -> Plan {
    let items = subscription["items"]["data"].as_array().into_iter().flatten();
    let lines = items.map(|item| words::plan(tx, &item["price"], number(item, "quantity"))).collect();
    let charged = charged_to(&subscription, &visit.customer);
    let goes_on = subscription["cancel_at"].is_null();
    let card = methods
        .iter()
        .filter(|_| goes_on)
        .find(|method| charged == Some(text(method, "id")))
        .map(words::card);
    Plan {
        lines,
        card,
        coming: later::coming(tx, &subscription)
            .map(|coming| (words::plan(tx, &coming.price, coming.quantity), coming.at)),
        may_update: visit.allows("subscription_update")
            && change::obstacle(tx, &subscription).is_none()
            && !change::offers(tx, &visit.configuration, &subscription).is_empty(),
        may_cancel: visit.allows("subscription_cancel") && cancel::obstacle(tx, &subscription).is_none(),
        may_choose_card: goes_on && visit.allows("payment_method_update") && methods.len() > 1,
        subscription,
    }
}

fn card(tx: &Tx, visit: &Visit, method: Value) -> Card {
    let id = text(&method, "id");
    Card {
        is_default: default_card(&visit.customer) == Some(id),
        may_remove: !is_needed(tx, visit, id),
        method,
    }
}

fn render(visit: &Visit, view: &View, notice: Option<&str>) -> Response {
    let title = visit.configuration["business_profile"]["headline"].as_str().unwrap_or("Your subscription");
    let back = visit.session["return_url"].as_str().map(|url| ("Return", url));
    let body = html! {
        @if let Some(text) = notice.and_then(words::notice) { p.note role="status" { (text) } }
        section aria-label="Plans" {
            h2 { "Current plan" }
            @if view.plans.is_empty() { p.soft { "You have no plan." } }
            ul.rows { @for plan in &view.plans { li { (show_plan(visit, plan)) } } }
        }
        section aria-label="Payment methods" { (cards(visit, &view.cards)) }
        section aria-label="Billing information" { (information(visit)) }
        @if visit.allows("invoice_history") {
            section aria-label="Invoices" { (invoices(&view.invoices)) }
        }
    };
    page(visit, title, back, &body)
}

fn show_plan(visit: &Visit, plan: &Plan) -> Markup {
    let subscription = &plan.subscription;
    let (status, next) = words::standing(subscription);
    let path = |rest: &str| path_of(visit, subscription, rest);
    html! {
        div {
            @for line in &plan.lines { p { strong { (line) } } }
            p { span.badge { (status) } " " (next) }
            @if let Some((name, at)) = &plan.coming {
                p { "Changes on " (layout::date(*at)) " to " strong { (name) } "." }
            }
            @if let Some(card) = &plan.card { p.soft { "Charged to " (card) } }
        }
        div.acts {
            @if plan.coming.is_some() && visit.allows("subscription_update") {
                form method="post" action=(path("/keep")) { button type="submit" { "Keep this plan" } }
            }
            @if plan.may_update { a.button href=(path("/update")) { "Change plan" } }
            @if plan.may_cancel && subscription["cancel_at"].is_null() {
                a.button href=(path("/cancel")) { "Cancel plan" }
            }
            @if plan.may_cancel && !subscription["cancel_at"].is_null() {
                form method="post" action=(path("/renew")) { button type="submit" { "Don't cancel" } }
            }
            @if plan.may_choose_card { a.button href=(path("/card")) { "Charge another card" } }
        }
    }
}

fn cards(visit: &Visit, cards: &[Card]) -> Markup {
    let may = visit.allows("payment_method_update");
    html! {
        h2 { "Payment methods" }
        @if cards.is_empty() { p.soft { "There is no card." } }
        ul.rows {
            @for card in cards {
                @let name = words::card(&card.method);
                @let path = format!("{}/cards/{}", visit.home(), text(&card.method, "id"));
                li {
                    p {
                        (name) " "
                        span.soft { "expires " (expiry(&card.method)) }
                        @if card.is_default { " " span.badge { "Default" } }
                    }
                    @if may {
                        div.acts {
                            @if !card.is_default {
                                form method="post" action={ (path) "/default" } {
                                    button.quiet type="submit" aria-label={ "Make default: " (name) } { "Make default" }
                                }
                            }
                            @if card.may_remove {
                                form method="post" action={ (path) "/remove" } {
                                    button.quiet type="submit" aria-label={ "Remove: " (name) } { "Remove" }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if may { p { a.button href={ (visit.home()) "/cards" } { "Add a card" } } }
    }
}

fn expiry(method: &Value) -> String {
    format!("{:02}/{}", number(&method["card"], "exp_month"), number(&method["card"], "exp_year"))
}

fn information(visit: &Visit) -> Markup {
    let customer = &visit.customer;
    let address = details::ADDRESS.iter().filter_map(|part| customer["address"][part].as_str());
    let address = address.collect::<Vec<_>>().join(", ");
    let known = [("Name", "name"), ("Email", "email"), ("Phone", "phone")];
    html! {
        h2 { "Billing information" }
        dl.info {
            @for (label, field) in known {
                @if let Some(value) = customer[field].as_str() { div { dt { (label) } dd { (value) } } }
            }
            @if !address.is_empty() { div { dt { "Address" } dd { (address) } } }
        }
        @if !details::allowed(visit).is_empty() {
            p { a.button href={ (visit.home()) "/details" } { "Change billing information" } }
        }
    }
}

fn invoices(invoices: &[Value]) -> Markup {
    html! {
        h2 { "Invoices" }
        @if invoices.is_empty() { p.soft { "There are no invoices yet." } }
        ul.rows {
            @for invoice in invoices {
                @let is_open = invoice["status"] == "open" && number(invoice, "amount_remaining") > 0;
                li {
                    p {
                        (layout::date(number(invoice, "created"))) " "
                        strong { (money::format(number(invoice, "total"), text(invoice, "currency"))) } " "
                        span.badge { (text(invoice, "status")) }
                    }
                    div.acts {
                        @if let Some(url) = invoice["hosted_invoice_url"].as_str() {
                            a.button href=(url) { (if is_open { "Pay" } else { "View" }) " " (text(invoice, "number")) }
                        }
                        @if let Some(url) = invoice["invoice_pdf"].as_str() { a.button href=(url) { "PDF" } }
                    }
                }
            }
        }
    }
}
