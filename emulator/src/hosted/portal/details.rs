//! The page on which a customer changes name, email, phone, address and shipping address.

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::Value;

use super::{Fields, act, frame, look};
use crate::billing::customer::is_email;
use crate::billing::portal::{Visit, details};
use crate::server::App;

const FEATURE: &str = "customer_update";
const TITLE: &str = "Your billing information";

pub async fn show(Shared(app): Shared<App>, Path(session): Path<String>) -> Response {
    match look(&app, &session, |_, visit| visit.ensure(FEATURE)).await {
        Ok((visit, ())) => frame(&visit, TITLE, &fields(&visit, None)),
        Err(response) => response,
    }
}

pub async fn submit(Shared(app): Shared<App>, Path(session): Path<String>, body: Bytes) -> Response {
    let given = Fields::read(&body);
    if given.get("email").is_some_and(|email| !is_email(&email)) {
        return match look(&app, &session, |_, visit| visit.ensure(FEATURE)).await {
            Ok((visit, ())) => {
                let page = frame(&visit, TITLE, &fields(&visit, Some(&given)));
                (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
            }
            Err(response) => response,
        };
    }
    let visited = session.clone();
    act(&app, &session, move |tx| details::change(tx, &visited, |name| given.get(name))).await
}

/// The form, with what was typed if the email is wrong.
fn fields(visit: &Visit, typed: Option<&Fields>) -> Markup {
    let allowed = details::allowed(visit);
    let value = |known: &Value, name: &str| {
        let typed = typed.and_then(|typed| typed.get(name));
        typed.unwrap_or_else(|| known.as_str().unwrap_or_default().to_owned())
    };
    let customer = &visit.customer;
    let lines = [("name", "Name", "name"), ("email", "Email", "email"), ("phone", "Phone", "tel")];
    html! {
        form method="post" novalidate {
            @for (name, label, complete) in lines {
                @if allowed.contains(&name) {
                    (field(name, label, complete, &value(&customer[name], name), name == "email" && typed.is_some()))
                }
            }
            @if allowed.contains(&"address") {
                @for (name, label, complete) in ADDRESS {
                    (field(name, label, complete, &value(&customer["address"][name], name), false))
                }
            }
            @if allowed.contains(&"shipping") { (shipping(&customer["shipping"], &value)) }
            button type="submit" { "Save" }
        }
    }
}

fn shipping(known: &Value, value: &impl Fn(&Value, &str) -> String) -> Markup {
    let row = |part: &str, known: &Value, label: &str, complete: &str| {
        let name = details::of_shipping(part);
        field(&name, label, &format!("shipping {complete}"), &value(known, &name), false)
    };
    html! {
        section aria-label="Shipping address" {
            h2 { "Shipping address" }
            (row("name", &known["name"], "Recipient", "name"))
            (row("phone", &known["phone"], "Recipient's phone", "tel"))
            @for (part, label, complete) in ADDRESS {
                (row(part, &known["address"][part], &format!("Shipping: {}", label.to_lowercase()), complete))
            }
        }
    }
}

const ADDRESS: [(&str, &str, &str); 6] = [
    ("line1", "Street", "address-line1"),
    ("line2", "Apartment or floor", "address-line2"),
    ("city", "City", "address-level2"),
    ("state", "State or province", "address-level1"),
    ("postal_code", "Postal code", "postal-code"),
    ("country", "Country (two letters)", "country"),
];

fn field(name: &str, label: &str, complete: &str, value: &str, is_wrong: bool) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type="text" value=(value) autocomplete=(complete)
                aria-invalid=[is_wrong.then_some("true")] aria-describedby=[is_wrong.then_some("email-error")]
                autofocus[is_wrong];
            @if is_wrong { p.error id="email-error" { "Your email is incomplete." } }
        }
    }
}
