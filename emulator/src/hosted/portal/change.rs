//! The pages on which a customer chooses another plan or quantity, sees what it costs now and later, and confirms.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{Fields, frame, look, path_of, refused, words};
use crate::billing::cards::NOT_AUTHENTICATED;
use crate::billing::money;
use crate::billing::portal::cards::charged_to;
use crate::billing::portal::change::{self, Look, Offer, Wish};
use crate::billing::portal::{Outcome, Visit};
use crate::error::ApiError;
use crate::hosted::layout;
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, number, text};

const FEATURE: &str = "subscription_update";

/// What the page to choose on shows.
struct Choice {
    subscription: Value,
    has: String,
    offers: Vec<(Offer, String)>,
}

pub async fn choose(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let looked = look(&app, &session, move |tx, visit| {
        visit.ensure(FEATURE)?;
        let subscription = visit.own(tx, Kind::Subscription, &id)?;
        if let Some(why) = change::obstacle(&subscription) {
            return Err(ApiError::invalid(format!("This plan cannot be changed because {why}.")));
        }
        let item = &subscription["items"]["data"][0];
        let has = words::plan(tx, &item["price"], number(item, "quantity"));
        let offers = change::offers(tx, &visit.configuration, &subscription);
        let named = |offer: Offer| (words::plan(tx, &offer.price, 1), offer);
        let offers = offers.into_iter().map(named).map(|(name, offer)| (offer, name)).collect();
        Ok(Choice { subscription, has, offers })
    });
    match looked.await {
        Ok((visit, choice)) => frame(&visit, "Change your plan", &choices(&visit, &choice)),
        Err(response) => response,
    }
}

fn choices(visit: &Visit, choice: &Choice) -> Markup {
    let item = &choice.subscription["items"]["data"][0];
    let has = &item["price"]["id"];
    let adjustable: Vec<_> = choice
        .offers
        .iter()
        .filter_map(|(offer, _)| change::quantities(&visit.configuration, offer))
        .collect();
    let least = adjustable.iter().map(|(least, _)| *least).min();
    let quantity = number(item, "quantity");
    html! {
        p { "You have " strong { (choice.has) } "." }
        @if choice.offers.is_empty() {
            p { "There is no other plan to change to." }
        } @else {
            form method="get" action=(path_of(visit, &choice.subscription, "/update/confirm")) {
                fieldset {
                    legend { "Plan" }
                    @for (offer, name) in &choice.offers {
                        @let is_it = offer.price["id"] == *has;
                        label.choice {
                            input type="radio" name="price" value=(text(&offer.price, "id")) required checked[is_it];
                            span { (name) @if is_it { " " span.badge { "Current" } } }
                        }
                    }
                }
                @if let Some(least) = least {
                    div.field {
                        label for="quantity" { "Quantity" }
                        input id="quantity" name="quantity" type="number" min=(least) value=(quantity) required;
                    }
                } @else {
                    input type="hidden" name="quantity" value=(quantity);
                }
                button type="submit" { "Continue" }
            }
        }
    }
}

#[derive(Deserialize)]
pub struct Asked {
    price: String,
    quantity: i64,
    error: Option<String>,
}

/// What the page to confirm on shows.
struct Confirmation {
    subscription: Value,
    wish: Wish,
    look: Look,
    name: String,
    /// The card that is charged.
    card: Option<String>,
}

pub async fn show(
    Shared(app): Shared<App>,
    Path((session, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let error = match asked.error.as_deref() {
        Some("authentication") => Some(NOT_AUTHENTICATED.message),
        Some(_) => Some("The payment failed, so that nothing has changed."),
        None => None,
    };
    let wish = Wish { price: asked.price, quantity: asked.quantity, date: None };
    page(&app, &session, id, wish, error).await
}

/// The page to confirm on. Whoever has what they wish for has nothing to confirm.
async fn page(app: &App, session: &str, id: String, wish: Wish, error: Option<&str>) -> Response {
    let looked = look(app, session, move |tx, visit| {
        visit.ensure(FEATURE)?;
        let subscription = visit.own(tx, Kind::Subscription, &id)?;
        if wish.is_as_it_is(&subscription) {
            return Err(ApiError::invalid("This is what you have already."));
        }
        confirmation(tx, visit, subscription, wish)
    });
    match looked.await {
        Ok((visit, confirmation)) => {
            let title = "Confirm your new plan";
            let page = frame(&visit, title, &render(&visit, &confirmation, error));
            let status = if error.is_some() { StatusCode::PAYMENT_REQUIRED } else { StatusCode::OK };
            (status, page).into_response()
        }
        Err(response) => response,
    }
}

fn confirmation(tx: &Tx, visit: &Visit, subscription: Value, wish: Wish) -> Result<Confirmation, ApiError> {
    let look = change::look(tx, visit, &subscription, &wish)?;
    let item = &look.planned.subscription["items"]["data"][0];
    let name = words::plan(tx, &item["price"], wish.quantity);
    let charged = charged_to(&subscription, &visit.customer);
    let card = charged.and_then(|id| tx.find(Kind::PaymentMethod, id)).map(|method| words::card(&method));
    Ok(Confirmation { name, card, subscription, wish, look })
}

fn render(visit: &Visit, of: &Confirmation, error: Option<&str>) -> Markup {
    let due = of.look.preview.now.as_ref().map_or(0, |invoice| number(invoice, "amount_due"));
    let action = path_of(visit, &of.subscription, "/update/confirm");
    html! {
        @if let Some(error) = error { p.note.bad role="alert" { (error) } }
        p { "You change to " strong { (of.name) } "." }
        section.totals aria-label="What you pay now" { (now(of)) }
        section.totals aria-label="What you pay later" { (later(&of.look.preview.next)) }
        @match &of.card {
            Some(card) => p.soft { "Charged to " (card) "." },
            None => p { "There is no card to charge. " a href={ (visit.home()) "/cards" } { "Add a card" } },
        }
        form method="post" action=(action) {
            input type="hidden" name="price" value=(of.wish.price);
            input type="hidden" name="quantity" value=(of.wish.quantity);
            input type="hidden" name="proration_date" value=(of.look.date);
            button type="submit" {
                @if due > 0 { "Confirm and pay " (money::format(due, text(&of.subscription, "currency"))) } @else { "Confirm" }
            }
        }
    }
}

fn now(of: &Confirmation) -> Markup {
    let Some(invoice) = &of.look.preview.now else {
        return html! { h2 { "Now" } p { "Nothing is charged now." } };
    };
    let currency = text(invoice, "currency");
    let total = number(invoice, "total");
    html! {
        h2 { "Now" }
        dl {
            (lines(invoice))
            div.total { dt { "To pay now" } dd { (money::format(number(invoice, "amount_due"), currency)) } }
        }
        @if total < 0 { p.soft { (money::format(-total, currency)) " are credited to later invoices." } }
    }
}

fn later(invoice: &Value) -> Markup {
    let currency = text(invoice, "currency");
    html! {
        h2 { "On " (layout::date(number(invoice, "created"))) }
        dl {
            (lines(invoice))
            div.total { dt { "To pay then" } dd { (money::format(number(invoice, "amount_due"), currency)) } }
        }
    }
}

fn lines(invoice: &Value) -> Markup {
    let currency = text(invoice, "currency");
    html! {
        @for line in invoice["lines"]["data"].as_array().into_iter().flatten() {
            div { dt { (text(line, "description")) } dd { (money::format(number(line, "amount"), currency)) } }
        }
    }
}

pub async fn submit(
    Shared(app): Shared<App>,
    Path((session, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let quantity = fields.get("quantity").and_then(|text| text.parse().ok());
    let (Some(price), Some(quantity)) = (fields.filled("price"), quantity) else {
        return refused(&session, &ApiError::invalid("Choose a plan and a quantity."));
    };
    let date = fields.get("proration_date").and_then(|text| text.parse().ok());
    let wish = Wish { price, quantity, date };
    let (visited, of, wished) = (session.clone(), id.clone(), wish.clone());
    match app.state.transact(Stamp::default(), move |tx| change::confirm(tx, &visited, &of, &wished)).await {
        Ok(Outcome::Done(url)) => Redirect::to(&url).into_response(),
        Ok(Outcome::Challenge(id)) => Redirect::to(&format!("/c/3ds/{id}")).into_response(),
        Ok(Outcome::Declined(decline)) => page(&app, &session, id, wish, Some(decline.message)).await,
        Ok(Outcome::Refused(why)) => page(&app, &session, id, wish, Some(&why)).await,
        Err(error) => refused(&session, &error),
    }
}
