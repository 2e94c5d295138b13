//! `/account/plan/confirm?plan=…&interval=…`: what a change costs now and later, and the button
//! that makes it.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use unsplit_billing::plan::Interval;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_confirm;
use crate::app::components::{FactList, FeatureList, Glyph, Notice, PostButton, loaded};
use crate::app::view::{Confirm, ConfirmView};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let asked = use_query_map();
    let plan = asked.read_untracked().get("plan").unwrap_or_default();
    let interval = asked.read_untracked().get("interval").as_deref().and_then(Interval::parse);
    view! {
        <Title text="Confirm your change"/>
        <AccountFrame part=Part::Plan>
            {loaded(load_confirm(plan, interval.unwrap_or_default()), |view| match view {
                Confirm::Ready(view) => view! { <Ready view=*view/> }.into_any(),
                Confirm::Blocked(notice) => view! {
                    <div class="column">
                        <h1>"Change plan"</h1>
                        <Notice notice/>
                    </div>
                }
                .into_any(),
            })}
        </AccountFrame>
    }
}

#[component]
fn Ready(view: ConfirmView) -> impl IntoView {
    let lines = (!view.lines.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h2>"How that adds up"</h2>
                <div class="surface sums">
                    <FactList facts=view.lines/>
                </div>
            </section>
        }
    });
    let notes = view.notes.into_iter().map(|note| view! { <p>{note}</p> }).collect_view();
    view! {
        <div class="column">
            <h1>{view.title}</h1>
            <section class="surface" aria-label="What happens">
                <FactList facts=view.facts/>
            </section>
            {lines}
            <FeatureList title="You gain" features=view.gains glyph=Glyph::Tick/>
            <FeatureList title="You lose" features=view.losses glyph=Glyph::Info/>
            <div class="stack">{notes}</div>
            <PostButton form=view.form/>
            <p><a href="/account">"Keep everything as it is"</a></p>
        </div>
    }
}
