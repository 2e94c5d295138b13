//! What all pages of the console share: the frame, its landmarks, the notice after a button, links and dates.
//! The look is in `console.css` alone. It does not read the state.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, Render, html};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::ControlError;

/// The parts of the console, as the navigation has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Home,
    Objects,
    Requests,
    Events,
    Controls,
}

const PARTS: [(Part, &str, &str); 5] = [
    (Part::Home, "Home", "/_emulator"),
    (Part::Objects, "Objects", "/_emulator/objects"),
    (Part::Requests, "Requests", "/_emulator/log"),
    (Part::Events, "Events", "/_emulator/timeline"),
    (Part::Controls, "Controls", "/_emulator/panel"),
];

/// What a button did, told on the page that one comes back to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Done {
    Clock,
    Speed,
    Deliveries,
    Resent,
    Nobody,
    Fault,
    Cleared,
    Released,
    Renewal,
    Reset,
}

impl Done {
    /// Its word in the query `done=…`.
    pub fn word(self) -> &'static str {
        self.words().0
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Done::Clock => ("clock", "The clock was moved. What became due has happened."),
            Done::Speed => ("speed", "The clock goes at another speed."),
            Done::Deliveries => ("deliveries", "Deliveries were changed."),
            Done::Resent => ("resent", "The event is on its way again."),
            Done::Nobody => ("nobody", "Nothing was sent: no endpoint wants this event."),
            Done::Fault => ("fault", "The fault waits for the next request that fits."),
            Done::Cleared => ("cleared", "All faults are forgotten, and held answers are on their way."),
            Done::Released => ("released", "The held answers are on their way."),
            Done::Renewal => ("renewal", "The next renewal will be declined."),
            Done::Reset => ("reset", "Everything but the account is forgotten."),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub struct Notice {
    pub done: Option<Done>,
}

/// A whole page; `body` goes into `main`, below the title.
pub fn page(title: &str, part: Part, done: Option<Done>, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Stripe emulator" }
                link rel="icon" href="/_emulator/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/_emulator/console.css";
                script src="/_emulator/console.js" defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    div.top {
                        p { strong { "Stripe emulator" } " " span.soft { "Test mode" } }
                        p #pulse .soft role="status" hidden {}
                    }
                    (navigation(part))
                }
                main #main tabindex="-1" {
                    @if let Some(done) = done { p.notice role="status" { (done.words().1) } }
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; \
                  base-uri 'none'; frame-ancestors 'none'";
    ([(CACHE_CONTROL, "no-store"), (CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

fn navigation(part: Part) -> Markup {
    html! {
        nav aria-label="Console" {
            @for (one, name, path) in PARTS {
                a href=(path) aria-current=[(one == part).then_some("page")] { (name) }
            }
        }
    }
}

/// A page for what is not there.
pub fn missing(part: Part, text: &str, way_on: (&str, &str)) -> Response {
    let body = html! { p { (text) } p { a.button href=(way_on.1) { (way_on.0) } } };
    (StatusCode::NOT_FOUND, page("Not found", part, None, &body)).into_response()
}

/// A page for a control that refused.
pub fn refused(error: &ControlError, back: &str) -> Response {
    let body = html! {
        p.notice.bad role="alert" { (error.1) }
        p { a.button href=(back) { "Back, to change it" } }
    };
    (error.0, page("That did not work", Part::Controls, None, &body)).into_response()
}

/// A part of the page that the script keeps as the server has it. The name is its id on the page.
pub fn live(name: &str, content: &Markup) -> Markup {
    html! { div id=(name) data-live { (content) } }
}

/// A section with a heading, live where a name is given.
pub fn section(heading: &str, live_name: Option<&str>, content: &Markup) -> Markup {
    let body = live_name.map_or_else(|| content.clone(), |name| live(name, content));
    html! { section { h2 { (heading) } (body) } }
}

/// A moment, in UTC: `25 Nov 2026 13:40:01`.
pub struct At(pub i64);

impl Render for At {
    fn render(&self) -> Markup {
        let Ok(at) = OffsetDateTime::from_unix_timestamp(self.0) else {
            return html! { (self.0) };
        };
        let month = at.month().to_string();
        let (hour, minute, second) = at.to_hms();
        html! {
            time datetime=[at.format(&Rfc3339).ok()] {
                (at.day()) " " (format!("{month:.3}")) " " (at.year())
                " " (format!("{hour:02}:{minute:02}:{second:02}"))
            }
        }
    }
}

/// An id as a segment of a path.
pub fn segment(id: &str) -> String {
    let mut path = String::new();
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                path.push(char::from(byte))
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// Where an object of a kind is shown.
pub fn object_path(kind: &str, id: &str) -> String {
    format!("/_emulator/objects/{kind}/{}", segment(id))
}

/// Where an event is shown.
pub fn event_path(id: &str) -> String {
    format!("/_emulator/timeline/{}", segment(id))
}

/// Where a request is shown.
pub fn request_path(id: &str) -> String {
    format!("/_emulator/log/{}", segment(id))
}
