//! What a plan gives, or no longer does, under a heading. Nothing at all where there is nothing.

use leptos::prelude::*;

use super::{Glyph, Icon};

#[component]
pub fn FeatureList(#[prop(into)] title: String, features: Vec<String>, glyph: Glyph) -> impl IntoView {
    let one = move |feature| view! { <li><Icon glyph/>{feature}</li> };
    (!features.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h2>{title}</h2>
                <ul class="ticks">{features.into_iter().map(one).collect_view()}</ul>
            </section>
        }
    })
}
