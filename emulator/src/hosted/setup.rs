//! What the checkout page shows when a card is to be saved and nothing is sold.

use maud::{Markup, html};

use super::checkout::View;
use crate::state::text;

pub const TITLE: &str = "Save your card";

pub fn facts(view: &View) -> Markup {
    let merchant = text(&view.session, "success_url").split('/').nth(2).unwrap_or_default();
    html! {
        p.soft {
            @if let Some(url) = view.session["cancel_url"].as_str() { a href=(url) { "Back" } " to " }
            (merchant)
        }
        h1 { (TITLE) }
        p { "You are not charged today. " (merchant) " keeps your card for later payments." }
    }
}
