//! A page for when no page can be made: a plain string, rendered without a request, a route or
//! anything else that may be what failed.

use leptos::prelude::*;

use crate::app::components::{Frame, LinkButton};
use crate::app::shell::document;
use crate::app::view::FrameView;

/// The whole document for a 4xx or 5xx. `title` says what happened, `text` what it means and what
/// to do; `back` is where the one button leads, with its label.
#[must_use]
pub fn error_page_html(frame: FrameView, title: &str, text: &str, back: (&str, &str)) -> String {
    let (title, text) = (title.to_owned(), text.to_owned());
    let (href, label) = (back.0.to_owned(), back.1.to_owned());
    let owner = Owner::new();
    owner.with(move || {
        provide_context(frame);
        let head = view! { <title>{format!("{title} · Unsplit")}</title> };
        let body = view! {
            <Frame>
                <div class="column">
                    <h1>{title}</h1>
                    <p class="lead">{text}</p>
                    <p class="actions">
                        <LinkButton href label/>
                    </p>
                </div>
            </Frame>
        };
        document("/pkg/unsplit.css".to_owned(), head, body).to_html()
    })
}
