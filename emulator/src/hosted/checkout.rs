//! The checkout page: what is bought on one side, the card on the other. Errors stand beside their fields.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::card_form::{EMAIL, card_fields, test_cards};
use super::entry::{Asked, Entry, Errors, error_of};
use super::layout;
use super::promotion::{self, Discount};
use super::setup;
use crate::billing::cards::Decline;
use crate::billing::checkout::{self, Attempt};
use crate::billing::money;
use crate::billing::setup_session::{self, is_setup};
use crate::billing::subscription::{Line, product_name};
use crate::error::{ApiError, Place};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, number, text};

#[derive(Deserialize)]
pub struct Notice {
    error: Option<String>,
}

impl Notice {
    pub fn errors(&self) -> Errors {
        self.error.as_deref().and_then(Decline::by_word).map(error_of).unwrap_or_default()
    }
}

/// A session as the page shows it.
#[derive(Clone)]
pub struct View {
    pub session: Value,
    lines: Vec<(String, Line)>,
    trial_days: Option<i64>,
    pub discount: Option<Discount>,
    now: i64,
}

pub async fn show(
    Shared(app): Shared<App>,
    Path(id): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    let errors = notice.errors();
    match view(&app, id).await {
        Ok(view) => render(&view, &Entry::default(), &errors),
        Err(error) => missing(&error),
    }
}

pub async fn submit(Shared(app): Shared<App>, Path(id): Path<String>, body: Bytes) -> Response {
    let entry = Entry::read(&body);
    let view = match view(&app, id.clone()).await {
        Ok(view) => view,
        Err(error) => return missing(&error),
    };
    let buyer = match entry.check(asked(&view), view.now) {
        Ok(buyer) => buyer,
        // A session that is no longer open answers for itself, whatever was typed.
        Err(_) if view.session["status"] != "open" => return closed(&view.session),
        Err(errors) => return refused(&view, &entry, &errors),
    };
    let session = id.clone();
    let sets_up = is_setup(&view.session);
    let attempt = app.state.transact(Stamp::default(), move |tx| match sets_up {
        true => setup_session::save(tx, &session, &buyer),
        false => checkout::pay(tx, &session, &buyer),
    });
    let attempt = attempt.await;
    match attempt {
        Ok(Attempt::Complete(url)) => Redirect::to(&url).into_response(),
        Ok(Attempt::Challenge(challenge)) => Redirect::to(&format!("/c/3ds/{challenge}")).into_response(),
        Ok(Attempt::Declined(decline)) => refused(&view, &entry, &error_of(decline)),
        Ok(Attempt::Expired) => expired(&view.session),
        Ok(Attempt::DiscountLost(why)) => refused_code(&app, id, &entry, why).await,
        Err(error) => missing(&error),
    }
}

/// The page as it is without the discount that was lost, or with a code that was not taken.
pub async fn refused_code(app: &App, id: String, entry: &Entry, why: String) -> Response {
    match view(app, id).await {
        Ok(view) => refused(&view, entry, &Errors::from([(promotion::FIELD, why)])),
        Err(error) => missing(&error),
    }
}

async fn view(app: &App, id: String) -> Result<View, ApiError> {
    app.state
        .transact(Stamp::default(), move |tx: &mut Tx| {
            let session = tx.require(Kind::CheckoutSession, &id, Place::Path)?;
            let lines = checkout::lines(tx, &id);
            let lines = lines.into_iter().map(|line| (product_name(tx, &line.price), line)).collect();
            let data = &tx.private(Kind::CheckoutSession, &id)["subscription_data"];
            let until_end = data["trial_end"].as_i64().map(|end| (end - tx.now()) / 86_400);
            let trial_days = data["trial_period_days"].as_i64().or(until_end);
            let discount = promotion::discount(tx, &session);
            Ok(View { session, lines, trial_days, discount, now: tx.now() })
        })
        .await
}

fn asked(view: &View) -> Asked {
    let free = number(&view.session, "amount_total") == 0;
    let optional = view.session["payment_method_collection"] == "if_required";
    Asked { email: view.session["customer_details"]["email"].is_null(), card: !(free && optional) }
}

pub fn missing(error: &ApiError) -> Response {
    let text = "This checkout page does not exist. Go back to the shop and try again.";
    let title =
        if error.status() == StatusCode::NOT_FOUND { "Page not found" } else { "Something went wrong" };
    (error.status(), layout::message(title, text, None)).into_response()
}

fn closed(session: &Value) -> Response {
    if session["status"] == "complete" {
        return Redirect::to(&checkout::success_url(session)).into_response();
    }
    expired(session)
}

fn expired(session: &Value) -> Response {
    let text = "This checkout session has expired. You were not charged. Go back to the shop to start again.";
    let way_on = session["cancel_url"].as_str().map(|url| ("Back to the shop", url));
    (StatusCode::GONE, layout::message("This page has expired", text, way_on)).into_response()
}

fn refused(view: &View, entry: &Entry, errors: &Errors) -> Response {
    (StatusCode::PAYMENT_REQUIRED, render(view, entry, errors)).into_response()
}

fn render(view: &View, entry: &Entry, errors: &Errors) -> Response {
    match text(&view.session, "status") {
        "open" => {}
        "complete" => {
            let url = checkout::success_url(&view.session);
            let paid = "You have already paid. You will not be charged again.";
            let text = if is_setup(&view.session) { "Your card is saved." } else { paid };
            return layout::message("You're all done here", text, Some(("Continue", &url)));
        }
        _ => return expired(&view.session),
    }
    let title = match view.lines.first() {
        Some((name, _)) if view.trial_days.is_some() => format!("Try {name}"),
        Some((name, _)) => format!("Subscribe to {name}"),
        None if is_setup(&view.session) => setup::TITLE.to_owned(),
        None => "Subscribe".to_owned(),
    };
    let body = html! {
        div.columns {
            section.facts aria-label="What you buy" {
                div { @if is_setup(&view.session) { (setup::facts(view)) } @else { (facts(view, &title, errors)) } }
            }
            section.action aria-label="Payment" { div { (form(view, entry, errors)) (test_cards()) } }
        }
    };
    layout::page(&format!("{title} - test checkout"), &body)
}

fn facts(view: &View, title: &str, errors: &Errors) -> Markup {
    let currency = text(&view.session, "currency");
    let today = money::format(number(&view.session, "amount_total"), currency);
    let merchant = text(&view.session, "success_url").split('/').nth(2).unwrap_or_default();
    let later: i64 = view.lines.iter().map(|(_, line)| line.amount()).sum();
    let per = view.lines.first().map(|(_, line)| per(line)).unwrap_or_default();
    html! {
        p.soft {
            @if let Some(url) = view.session["cancel_url"].as_str() { a href=(url) { "Back" } " to " }
            (merchant)
        }
        h1 { (title) }
        p.amount { (money::format(later, currency)) " per " (per) }
        @if let Some(days) = view.trial_days {
            p.soft { (days) " days free, then " (money::format(later, currency)) " per " (per) ". Cancel before the trial ends and you pay nothing." }
        }
        dl {
            @for (name, line) in &view.lines {
                div {
                    dt { (name) @if line.quantity > 1 { " × " (line.quantity) } }
                    dd { (money::format(line.amount(), currency)) " / " (self::per(line)) }
                }
            }
            (promotion::row(view))
            div.total { dt { "Total due today" } dd { (today) } }
        }
        (promotion::form(view, errors))
    }
}

fn per(line: &Line) -> String {
    let recurring = &line.price["recurring"];
    money::per(text(recurring, "interval"), number(recurring, "interval_count"))
}

fn form(view: &View, entry: &Entry, errors: &Errors) -> Markup {
    let asked = asked(view);
    let button = match view.trial_days {
        _ if is_setup(&view.session) => "Save card",
        Some(_) => "Start trial",
        None => "Subscribe",
    };
    let email = text(&view.session["customer_details"], "email");
    html! {
        h2 { "Payment details" }
        form method="post" action=(format!("/c/pay/{}", text(&view.session, "id"))) novalidate {
            @if asked.email {
                (EMAIL.render(&entry.email, errors))
            } @else {
                p { span.soft { "Email " } bdi { (email) } }
            }
            @if asked.card { (card_fields(entry, errors)) }
            button type="submit" { (button) }
        }
    }
}
