//! The page on which a customer sees what another plan or quantity costs now and later, types a promotion code, and
//! confirms.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::{Fields, act, frame, look, path_of, refused, words};
use crate::billing::cards::NOT_AUTHENTICATED;
use crate::billing::money;
use crate::billing::portal::cards::charged_to;
use crate::billing::portal::change::{self, Look};
use crate::billing::portal::wish::Wish;
use crate::billing::portal::{Outcome, Visit, later, promotion};
use crate::error::ApiError;
use crate::hosted::layout;
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, number, text};

const FEATURE: &str = "subscription_update";

#[derive(Deserialize)]
pub struct Asked {
    price: String,
    quantity: i64,
    promotion_code: Option<String>,
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
    /// Why the code was not taken, if it was not.
    code_error: Option<String>,
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
    let code = asked.promotion_code.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    let wish = Wish { price: asked.price, quantity: asked.quantity, date: None, code };
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

fn confirmation(
    tx: &mut Tx,
    visit: &Visit,
    subscription: Value,
    mut wish: Wish,
) -> Result<Confirmation, ApiError> {
    let mut code_error = None;
    let mut looked = change::look(tx, visit, &subscription, &wish);
    if let Err(error) = &looked
        && error.has_code(promotion::REFUSED)
    {
        code_error = Some(error.message().to_owned());
        wish.code = None;
        looked = change::look(tx, visit, &subscription, &wish);
    }
    let look = looked?;
    let item = &look.planned.subscription["items"]["data"][0];
    let name = words::plan(tx, &item["price"], wish.quantity);
    let charged = charged_to(&subscription, &visit.customer);
    let card = charged.and_then(|id| tx.find(Kind::PaymentMethod, id)).map(|method| words::card(&method));
    Ok(Confirmation { name, card, subscription, wish, look, code_error })
}

fn render(visit: &Visit, of: &Confirmation, error: Option<&str>) -> Markup {
    let due = of.look.preview.now.as_ref().map_or(0, |invoice| number(invoice, "amount_due"));
    let action = path_of(visit, &of.subscription, "/update/confirm");
    if let Some(at) = of.look.at {
        return later_page(of, at, &action, error);
    }
    html! {
        @if let Some(error) = error { p.note.bad role="alert" { (error) } }
        p { "You change to " strong { (of.name) } "." }
        @if promotion::is_offered(&visit.configuration, &of.subscription) { (code_form(of, &action)) }
        section.totals aria-label="What you pay now" { (now(of)) }
        section.totals aria-label="What you pay later" { (next(&of.look.preview.next)) }
        @match &of.card {
            Some(card) => p.soft { "Charged to " (card) "." },
            None => p { "There is no card to charge. " a href={ (visit.home()) "/cards" } { "Add a card" } },
        }
        form method="post" action=(action) {
            (hidden(&of.wish))
            @if let Some(code) = &of.wish.code { input type="hidden" name="promotion_code" value=(code); }
            input type="hidden" name="proration_date" value=(of.look.date);
            button type="submit" {
                @if due > 0 { "Confirm and pay " (money::format(due, text(&of.subscription, "currency"))) } @else { "Confirm" }
            }
        }
    }
}

fn hidden(wish: &Wish) -> Markup {
    html! {
        input type="hidden" name="price" value=(wish.price);
        input type="hidden" name="quantity" value=(wish.quantity);
    }
}

/// A change for the end of the period: nothing is to be paid before.
fn later_page(of: &Confirmation, at: i64, action: &str, error: Option<&str>) -> Markup {
    html! {
        @if let Some(error) = error { p.note.bad role="alert" { (error) } }
        p { "You change to " strong { (of.name) } " on " (layout::date(at)) ". Until then you keep what you have." }
        p { "Nothing is charged now." }
        form method="post" action=(action) {
            (hidden(&of.wish))
            button type="submit" { "Confirm" }
        }
    }
}

/// The field for a code, or the way to be without it.
fn code_form(of: &Confirmation, action: &str) -> Markup {
    let error_id = of.code_error.as_ref().map(|_| "promotion_code-error");
    html! {
        form.code method="get" action=(action) {
            (hidden(&of.wish))
            @if let Some(code) = &of.wish.code {
                p { "With the code " strong { (code) } "." }
                button.quiet type="submit" { "Remove " (code) }
            } @else {
                div.field {
                    label for="promotion_code" { "Promotion code" }
                    input id="promotion_code" name="promotion_code" type="text" autocomplete="off"
                        aria-invalid=[error_id.map(|_| "true")] aria-describedby=[error_id];
                    @if let Some(error) = &of.code_error { p.error id="promotion_code-error" { (error) } }
                }
                button.quiet type="submit" { "Apply" }
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

fn next(invoice: &Value) -> Markup {
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
    let taken = invoice["total_discount_amounts"].as_array().into_iter().flatten();
    let off: i64 = taken.map(|one| number(one, "amount")).sum();
    html! {
        @for line in invoice["lines"]["data"].as_array().into_iter().flatten() {
            div { dt { (text(line, "description")) } dd { (money::format(number(line, "amount"), currency)) } }
        }
        @if off > 0 { div { dt { "Discount" } dd { (money::format(-off, currency)) } } }
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
    let wish = Wish { price, quantity, date, code: fields.filled("promotion_code") };
    let (visited, of, wished) = (session.clone(), id.clone(), wish.clone());
    match app.state.transact(Stamp::default(), move |tx| change::confirm(tx, &visited, &of, &wished)).await {
        Ok(Outcome::Done(url)) => Redirect::to(&url).into_response(),
        Ok(Outcome::Challenge(id)) => Redirect::to(&format!("/c/3ds/{id}")).into_response(),
        Ok(Outcome::Declined(decline)) => page(&app, &session, id, wish, Some(decline.message)).await,
        Ok(Outcome::Refused(why)) => page(&app, &session, id, wish, Some(&why)).await,
        Err(error) => refused(&session, &error),
    }
}

/// The customer keeps what they have, whatever was planned.
pub async fn keep(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let visited = session.clone();
    act(&app, &session, move |tx| later::keep(tx, &visited, &id)).await
}
