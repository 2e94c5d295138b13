//! Labels and values.

use leptos::prelude::*;

#[component]
pub fn FactList(
    /// Label and value.
    facts: Vec<(String, String)>,
) -> impl IntoView {
    let row = |(label, value)| {
        view! {
            <div>
                <dt>{label}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    view! { <dl class="facts">{facts.into_iter().map(row).collect_view()}</dl> }
}
