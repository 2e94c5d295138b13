//! By the month or by the year: two links, so that either choice can be shared and needs no script.

use leptos::prelude::*;
use unsplit_billing::plan::Interval;

#[component]
pub fn IntervalChoice(
    /// The path that shows the choice; the yearly one has `?interval=year`.
    page: &'static str,
    interval: Interval,
    /// The most that a year saves, as text.
    saving: Option<String>,
) -> impl IntoView {
    let current = |this: Interval| (interval == this).then_some("page");
    let yearly = saving.map_or_else(|| "Yearly".to_owned(), |saving| format!("Yearly, save up to {saving}"));
    view! {
        <nav class="interval" aria-label="How often you pay">
            <a href=page aria-current=current(Interval::Month)>"Monthly"</a>
            <a href=format!("{page}?interval=year") aria-current=current(Interval::Year)>{yearly}</a>
        </nav>
    }
}
