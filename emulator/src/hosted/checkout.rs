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
use super::portal::words;
use super::promotion::{self, Discount};
use super::{sale, setup};
use crate::billing::cards::Decline;
use crate::billing::checkout::{self, Attempt, Buyer};
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
    pub lines: Vec<Sold>,
    /// The cards of theirs that the customer may pay with.
    cards: Vec<Value>,
    pub trial_days: Option<i64>,
    pub discount: Option<Discount>,
    now: i64,
}

/// A line as the page shows it.
#[derive(Clone)]
pub struct Sold {
    pub name: String,
    pub line: Line,
    /// The line item.
    pub item: Value,
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
    let mut asked = asked(&view);
    asked.card = asked.card && entry.payment_method.is_none();
    let buyer = match entry.check(asked, view.now) {
        Ok(buyer) => Buyer { saved: entry.payment_method.clone(), ..buyer },
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
        Ok(Attempt::DiscountLost(why)) => refused_beside(&app, id, &entry, promotion::FIELD, why).await,
        Err(error) => missing(&error),
    }
}

/// The page as it is now, with what is wrong beside one field: a discount that was lost, a code or a quantity that
/// was not taken.
pub async fn refused_beside(
    app: &App,
    id: String,
    entry: &Entry,
    field: &'static str,
    why: String,
) -> Response {
    match view(app, id).await {
        Ok(view) => refused(&view, entry, &Errors::from([(field, why)])),
        Err(error) => missing(&error),
    }
}

async fn view(app: &App, id: String) -> Result<View, ApiError> {
    app.state
        .transact(Stamp::default(), move |tx: &mut Tx| {
            let session = tx.require(Kind::CheckoutSession, &id, Place::Path)?;
            let sold = |item: Value| {
                let line = checkout::line(tx, &item);
                Sold { name: product_name(tx, &line.price), line, item }
            };
            let lines = checkout::line_items(tx, &id).into_iter().map(sold).collect();
            let cards = checkout::saved_cards(tx, &session);
            let data = &tx.private(Kind::CheckoutSession, &id)["subscription_data"];
            let until_end = data["trial_end"].as_i64().map(|end| (end - tx.now()) / 86_400);
            let trial_days = data["trial_period_days"].as_i64().or(until_end);
            let discount = promotion::discount(tx, &session);
            Ok(View { session, lines, cards, trial_days, discount, now: tx.now() })
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
    let title = sale::title(view);
    let body = html! {
        div.columns {
            section.facts aria-label="What you buy" {
                div { @if is_setup(&view.session) { (setup::facts(view)) } @else { (sale::facts(view, &title, errors)) } }
            }
            section.action aria-label="Payment" { div { (form(view, entry, errors)) (test_cards()) } }
        }
    };
    layout::page(&format!("{title} - test checkout"), &body)
}

fn form(view: &View, entry: &Entry, errors: &Errors) -> Markup {
    let asked = asked(view);
    let button = if is_setup(&view.session) { "Save card".to_owned() } else { sale::button(view) };
    let email = text(&view.session["customer_details"], "email");
    let action = format!("/c/pay/{}", text(&view.session, "id"));
    let offers_saved = asked.card && !asked.email && !is_setup(&view.session) && !view.cards.is_empty();
    let by_saved = entry.payment_method.is_some();
    let none = Errors::new();
    html! {
        h2 { "Payment details" }
        @if offers_saved { (saved_cards(view, &action, &button, errors.values().next().filter(|_| by_saved))) }
        form method="post" action=(action) novalidate {
            @if asked.email {
                (EMAIL.render(&entry.email, errors))
            } @else {
                p { span.soft { "Email " } bdi { (email) } }
            }
            @if asked.card { (card_fields(entry, if by_saved { &none } else { errors })) }
            button type="submit" { (button) }
        }
    }
}

fn saved_cards(view: &View, action: &str, button: &str, wrong: Option<&String>) -> Markup {
    html! {
        @if let Some(wrong) = wrong { p.error role="alert" { (wrong) } }
        @for card in &view.cards {
            form method="post" action=(action) {
                input type="hidden" name="payment_method" value=(text(card, "id"));
                button.quiet type="submit" { (button) " with " (words::card(card)) }
            }
        }
        h2.or { "Or with another card" }
    }
}
