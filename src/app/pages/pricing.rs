//! `/pricing`: the plans, by month or by year (`?interval=year`).

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use unsplit_billing::plan::Interval;

use crate::app::api::pages::load_pricing;
use crate::app::components::{Frame, IntervalChoice, PlanCard, Section, loaded};
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
    let choice = view
        .yearly
        .then(|| view! { <IntervalChoice page="/pricing" interval=view.interval saving=view.saving/> });
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
