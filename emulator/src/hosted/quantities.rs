//! How many of a thing: number fields on the checkout page where the shop lets the buyer choose, in a form of their
//! own, so that the sums are right before anybody pays and no script is needed.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::checkout::{Sold, View, missing, refused_beside};
use super::entry::{Entry, Errors};
use crate::billing::checkout::quantities;
use crate::form::{self, Node};
use crate::server::App;
use crate::state::{Stamp, text};

/// Beside what an error stands.
const FIELD: &str = "quantity";

pub async fn submit(Shared(app): Shared<App>, Path(id): Path<String>, body: Bytes) -> Response {
    let mut wanted = BTreeMap::new();
    for (name, node) in form::parse(&body).unwrap_or_default() {
        let Node::Text(text) = node else { continue };
        match text.trim().parse() {
            Ok(quantity) => drop(wanted.insert(name, quantity)),
            Err(_) => {
                let why = "Enter a whole number.".to_owned();
                return refused_beside(&app, id, &Entry::default(), FIELD, why).await;
            }
        }
    }
    let session = id.clone();
    let done =
        app.state.transact(Stamp::default(), move |tx| quantities::change(tx, &session, &wanted)).await;
    match done {
        Ok(None) => Redirect::to(&format!("/c/pay/{id}")).into_response(),
        Ok(Some(why)) => refused_beside(&app, id, &Entry::default(), FIELD, why).await,
        Err(error) => missing(&error),
    }
}

pub fn form(view: &View, errors: &Errors) -> Markup {
    let mut adjustable = view.lines.iter().filter(|sold| is_adjustable(sold)).peekable();
    let error = errors.get(FIELD);
    html! {
        @if adjustable.peek().is_some() {
            form.code method="post" action=(format!("/c/pay/{}/quantities", text(&view.session, "id"))) novalidate {
                @for sold in adjustable { (field(sold, error.is_some())) }
                @if let Some(error) = error { p.error id="quantity-error" role="alert" { (error) } }
                button.quiet type="submit" { "Update quantity" }
            }
        }
    }
}

fn field(sold: &Sold, is_wrong: bool) -> Markup {
    let id = text(&sold.item, "id");
    let limits = &sold.item["adjustable_quantity"];
    html! {
        div.field {
            label for=(id) { "Quantity of " (sold.name) }
            input id=(id) name=(id) type="number" value=(sold.line.quantity) required inputmode="numeric"
                min=(limits["minimum"]) max=(limits["maximum"]) aria-describedby=[is_wrong.then_some("quantity-error")];
        }
    }
}

fn is_adjustable(sold: &Sold) -> bool {
    sold.item["adjustable_quantity"]["enabled"] == true
}
