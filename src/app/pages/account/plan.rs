//! `/account/plan`: the other plans, by month or by year, each with when it would start.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use unsplit_billing::plan::Interval;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_change;
use crate::app::components::{IntervalChoice, Kind, LinkButton, Notice, loaded};
use crate::app::view::{ChangeView, Offer};

#[component]
pub fn PlanPage() -> impl IntoView {
    let asked = use_query_map().read_untracked().get("interval");
    let interval = asked.as_deref().and_then(Interval::parse).unwrap_or_default();
    view! {
        <Title text="Change plan"/>
        <AccountFrame part=Part::Plan>
            {loaded(load_change(interval), |view| view! { <Change view/> })}
        </AccountFrame>
    }
}

#[component]
fn Change(view: ChangeView) -> impl IntoView {
    let blocked = view.blocked.map(|notice| view! { <Notice notice/> });
    let present = (!view.present.is_empty())
        .then(|| view! { <p class="lead">{format!("You have {}.", view.present)}</p> });
    let choice = (view.yearly && blocked.is_none()).then(|| {
        view! { <IntervalChoice page="/account/plan" interval=view.interval saving=None/> }
    });
    let nothing = (view.offers.is_empty() && blocked.is_none())
        .then(|| view! { <p>"There is no other plan to change to here."</p> });
    let offers = view.offers.into_iter().map(|offer| view! { <OneOffer offer/> }).collect_view();
    view! {
        <div class="column">
            <div class="stack">
                <h1>"Change plan"</h1>
                {present}
            </div>
            {blocked}
            {choice}
            {nothing}
            <ul class="stack">{offers}</ul>
        </div>
    }
}

#[component]
fn OneOffer(offer: Offer) -> impl IntoView {
    view! {
        <li class="surface offer">
            <h2>{offer.name.clone()}</h2>
            <p class="what">{offer.price}</p>
            <p class="small">{offer.tagline}</p>
            <p class="small">{offer.when}</p>
            <LinkButton kind=Kind::Quiet href=offer.href label=format!("Look at {}", offer.name)/>
        </li>
    }
}
