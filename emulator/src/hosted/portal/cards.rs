//! The pages on which a customer adds a card, or chooses the one that a plan is charged to.

use axum::body::Bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{Fields, act, frame, look, refused, words};
use crate::billing::portal::cards::{self, NewCard, charged_to, default_card};
use crate::billing::portal::{Outcome, Visit};
use crate::error::ApiError;
use crate::hosted::card_form::{card_fields, test_cards};
use crate::hosted::checkout::Notice;
use crate::hosted::entry::{Asked, Entry, Errors, error_of};
use crate::server::App;
use crate::state::{Kind, Stamp, ids, text};

const FEATURE: &str = "payment_method_update";

pub async fn show(
    Shared(app): Shared<App>,
    Path(session): Path<String>,
    Query(notice): Query<Notice>,
) -> Response {
    match look(&app, &session, |_, visit| visit.ensure(FEATURE)).await {
        Ok((visit, ())) => {
            let form = Form { entry: Entry::default(), errors: notice.errors(), make_default: true };
            frame(&visit, "Add a card", &form.render(&visit))
        }
        Err(response) => response,
    }
}

pub async fn add(Shared(app): Shared<App>, Path(session): Path<String>, body: Bytes) -> Response {
    let visit = match look(&app, &session, |_, visit| visit.ensure(FEATURE)).await {
        Ok((visit, ())) => visit,
        Err(response) => return response,
    };
    let fields = Fields::read(&body);
    let entry = Entry::read(&body);
    let make_default = fields.get("make_default").is_some();
    let again = |entry: Entry, errors: Errors| {
        let form = Form { entry, errors, make_default };
        (StatusCode::PAYMENT_REQUIRED, frame(&visit, "Add a card", &form.render(&visit))).into_response()
    };
    let details = match entry.check(Asked { email: false, card: true }, visit.now) {
        Ok(buyer) => buyer.card,
        Err(errors) => return again(entry, errors),
    };
    let Some(details) = details else {
        return again(entry, Errors::new());
    };
    let card = NewCard { details, make_default, form: fields.get("form").unwrap_or_default() };
    let visited = session.clone();
    match app.state.transact(Stamp::default(), move |tx| cards::add(tx, &visited, &card)).await {
        Ok(Outcome::Done(url)) => Redirect::to(&url).into_response(),
        Ok(Outcome::Challenge(id)) => Redirect::to(&format!("/c/3ds/{id}")).into_response(),
        Ok(Outcome::Declined(decline)) => again(entry, error_of(decline)),
        Ok(Outcome::Refused(why)) => refused(&session, &ApiError::invalid(why)),
        Err(error) => refused(&session, &error),
    }
}

/// The form as it was typed, and what is wrong with it.
struct Form {
    entry: Entry,
    errors: Errors,
    make_default: bool,
}

impl Form {
    fn render(&self, visit: &Visit) -> Markup {
        let in_flow = visit.in_flow && visit.session["flow"]["type"] == FEATURE;
        html! {
            form method="post" novalidate {
                input type="hidden" name="form" value=(ids::random(16));
                (card_fields(&self.entry, &self.errors))
                @if in_flow || default_card(&visit.customer).is_none() {
                    input type="hidden" name="make_default" value="yes";
                    p.soft { "It becomes your default card." }
                } @else {
                    label.choice {
                        input type="checkbox" name="make_default" value="yes" checked[self.make_default];
                        "Make it the default card"
                    }
                }
                button type="submit" { "Add card" }
            }
            (test_cards())
        }
    }
}

pub async fn make_default(
    Shared(app): Shared<App>,
    Path((session, card)): Path<(String, String)>,
) -> Response {
    let visited = session.clone();
    act(&app, &session, move |tx| cards::make_default(tx, &visited, &card)).await
}

pub async fn remove(Shared(app): Shared<App>, Path((session, card)): Path<(String, String)>) -> Response {
    let visited = session.clone();
    act(&app, &session, move |tx| cards::remove(tx, &visited, &card)).await
}

pub async fn choose(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let looked = look(&app, &session, move |tx, visit| {
        visit.ensure(FEATURE)?;
        let subscription = visit.own(tx, Kind::Subscription, &id)?;
        Ok((subscription, tx.of_customer(Kind::PaymentMethod, text(&visit.customer, "id"))))
    });
    match looked.await {
        Ok((visit, (subscription, methods))) => {
            frame(&visit, "Charge another card", &choice(&visit, &subscription, &methods))
        }
        Err(response) => response,
    }
}

fn choice(visit: &Visit, subscription: &Value, methods: &[Value]) -> Markup {
    let charged = charged_to(subscription, &visit.customer);
    html! {
        form method="post" {
            fieldset {
                legend { "Your plan is charged to" }
                @for method in methods {
                    @let id = text(method, "id");
                    label.choice {
                        input type="radio" name="card" value=(id) required checked[charged == Some(id)];
                        (words::card(method))
                    }
                }
            }
            button type="submit" { "Save" }
        }
    }
}

pub async fn choose_submit(
    Shared(app): Shared<App>,
    Path((session, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let card = Fields::read(&body).get("card").unwrap_or_default();
    let visited = session.clone();
    act(&app, &session, move |tx| cards::use_for(tx, &visited, &id, &card)).await
}
