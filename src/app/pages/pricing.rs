//! `/pricing`: the plans, by month or by year (`?interval=year`).

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use unsplit_billing::plan::Interval;

use crate::app::api::pages::load_pricing;
use crate::app::components::{Frame, PlanCard, Section, loaded};
use crate::app::view::PricingView;

#[component]
pub fn PricingPage() -> impl IntoView {
    let asked = use_query_map().read_untracked().get("interval");
    let interval = asked.as_deref().and_then(Interval::parse).unwrap_or_default();
    view! {
        <Title text="Pricing"/>
        <Frame section=Section::Pricing>
            {loaded(load_pricing(interval), |view| view! { <Pricing view/> })}
        </Frame>
    }
}

#[component]
pub fn Pricing(view: PricingView) -> impl IntoView {
    let choice = view.yearly.then(|| view! { <Choice interval=view.interval saving=view.saving/> });
    let cards = view.plans.into_iter().map(|plan| view! { <PlanCard plan/> }).collect_view();
    view! {
        <div class="pricing">
            <header>
                <div class="stack">
                    <h1>"Plans and prices"</h1>
                    <p class="lead">"Change or stop whenever you like. You always see what comes next."</p>
                </div>
                {choice}
            </header>
            <ul class="plans">{cards}</ul>
        </div>
    }
}

/// Two links, so that either choice can be shared and needs no script.
#[component]
fn Choice(interval: Interval, saving: Option<String>) -> impl IntoView {
    let current = |this: Interval| (interval == this).then_some("page");
    let yearly = saving.map_or_else(|| "Yearly".to_owned(), |saving| format!("Yearly, save up to {saving}"));
    view! {
        <nav class="interval" aria-label="How often you pay">
            <a href="/pricing" aria-current=current(Interval::Month)>"Monthly"</a>
            <a href="/pricing?interval=year" aria-current=current(Interval::Year)>{yearly}</a>
        </nav>
    }
}
