//! The page on which a customer chooses another plan or quantity, of those that the configuration offers.

use axum::extract::{Path, State as Shared};
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::{frame, look, path_of, words};
use crate::billing::portal::Visit;
use crate::billing::portal::change::{self, Offer};
use crate::error::ApiError;
use crate::server::App;
use crate::state::{Kind, number, text};

const FEATURE: &str = "subscription_update";

/// What the page to choose on shows.
struct Choice {
    subscription: Value,
    has: String,
    offers: Vec<(Offer, String)>,
}

pub async fn show(Shared(app): Shared<App>, Path((session, id)): Path<(String, String)>) -> Response {
    let looked = look(&app, &session, move |tx, visit| {
        visit.ensure(FEATURE)?;
        let subscription = visit.own(tx, Kind::Subscription, &id)?;
        if let Some(why) = change::obstacle(tx, &subscription) {
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
