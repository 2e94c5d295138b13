//! A word or two about a state.

use leptos::prelude::*;

use crate::app::view;

#[component]
pub fn Pill(pill: view::Pill) -> impl IntoView {
    view! { <span class=format!("pill {}", pill.tone.name())>{pill.label}</span> }
}
