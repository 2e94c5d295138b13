//! The page on which a customer leaves, with a reason if the configuration asks for one; and staying after all.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{Fields, act, frame, look, words};
use crate::billing::money;
use crate::billing::portal::Visit;
use crate::billing::portal::cancel::{self, Leaving, Reason};
use crate::billing::subscription::has_ended;
use crate::error::ApiError;
use crate::hosted::layout;
use crate::server::App;
use crate::state::{Kind, number, text};

const FEATURE: &str = "subscription_cancel";

pub async fn show(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let looked = look(&app, &session, move |tx, visit| {
        visit.ensure(FEATURE)?;
        let subscription = visit.own(tx, Kind::Subscription, &id)?;
        if let Some(why) = cancel::obstacle(tx, &subscription) {
            return Err(ApiError::invalid(format!("This plan cannot be canceled because {why}.")));
        }
        let items = subscription["items"]["data"].as_array().into_iter().flatten();
        let lines: Vec<_> =
            items.map(|item| words::plan(tx, &item["price"], number(item, "quantity"))).collect();
        Ok((subscription, lines))
    });
    match looked.await {
        Ok((visit, (subscription, _)))
            if has_ended(&subscription) || !subscription["cancel_at"].is_null() =>
        {
            match visit.in_flow {
                true => frame(&visit, "Cancel your plan", &html! { p { "Your plan is canceled already." } }),
                false => Redirect::to(&visit.home()).into_response(),
            }
        }
        Ok((visit, (subscription, lines))) => {
            frame(&visit, "Cancel your plan", &question(&visit, &subscription, &lines))
        }
        Err(response) => response,
    }
}

fn question(visit: &Visit, subscription: &Value, lines: &[String]) -> Markup {
    let asked = &visit.configuration["features"][FEATURE]["cancellation_reason"];
    html! {
        @for line in lines { p { strong { (line) } } }
        @match cancel::leaving(visit, subscription) {
            Leaving::At(end) => p { "Your plan stays yours until " (layout::date(end)) ". Then it ends, and nothing more is charged." },
            Leaving::Now { credit: 0 } => p { "Your plan ends now, and nothing more is charged." },
            Leaving::Now { credit } => p {
                "Your plan ends now. For the time that is left " (money::format(credit, text(subscription, "currency")))
                " are credited."
            },
        }
        form method="post" {
            @if asked["enabled"] == true { (reasons(asked)) }
            button type="submit" { "Cancel plan" }
        }
    }
}

fn reasons(asked: &Value) -> Markup {
    let options: Vec<&str> =
        asked["options"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        @if !options.is_empty() {
            fieldset {
                legend { "Why do you leave? " span.hint { "(if you like to say)" } }
                @for option in options {
                    label.choice { input type="radio" name="feedback" value=(option); (label_of(option)) }
                }
            }
        }
        div.field {
            label for="comment" { "Anything else? " span.hint { "(if you like to say)" } }
            textarea id="comment" name="comment" maxlength="1000" {}
        }
    }
}

fn label_of(option: &str) -> &str {
    match option {
        "customer_service" => "The customer service was less than expected",
        "low_quality" => "The quality was less than expected",
        "missing_features" => "Some features are missing",
        "switched_service" => "I use something else now",
        "too_complex" => "It is too complicated",
        "too_expensive" => "It is too expensive",
        "unused" => "I don't use it enough",
        _ => "Other",
    }
}

pub async fn submit(
    Shared(app): Shared<App>,
    Path((session, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let fields = Fields::read(&body);
    let reason = Reason { feedback: fields.filled("feedback"), comment: fields.filled("comment") };
    let visited = session.clone();
    act(&app, &session, move |tx| cancel::cancel(tx, &visited, &id, &reason)).await
}

pub async fn renew(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let visited = session.clone();
    act(&app, &session, move |tx| cancel::stay(tx, &visited, &id)).await
}
