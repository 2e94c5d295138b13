//! `/app`: what only a subscriber may use. Your own product goes here: keep the gate, which is
//! the one line in `api::pages::load_feature`, and put your page in place of `YearAhead`.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::app::api::pages::load_feature;
use crate::app::components::{FactList, Frame, LinkButton, Notice, loaded};
use crate::app::view::{FeatureView, YearAheadView};

#[component]
pub fn FeaturePage() -> impl IntoView {
    view! {
        <Title text="Your year ahead"/>
        <Frame>{loaded(load_feature(), |view| view! { <Feature view/> })}</Frame>
    }
}

#[component]
pub fn Feature(view: FeatureView) -> impl IntoView {
    let content = match view {
        FeatureView::Open(year) => view! { <YearAhead year=*year/> }.into_any(),
        FeatureView::Locked => view! { <Locked/> }.into_any(),
    };
    view! {
        <div class="column">
            {content}
            <p class="small">"This page is an example: your own product goes here."</p>
        </div>
    }
}

#[component]
fn YearAhead(year: YearAheadView) -> impl IntoView {
    let lead = match year.payments.len() {
        0 => "No payment is due in the next twelve months.".to_owned(),
        1 => format!("One payment for {}, {} in all.", year.plan_name, year.total),
        count => format!("{count} payments for {}, {} in all.", year.plan_name, year.total),
    };
    let list = (!year.payments.is_empty()).then(|| {
        view! {
            <section class="surface" aria-label="Payments to come">
                <FactList facts=year.payments/>
            </section>
        }
    });
    let notice = year.notice.map(|notice| view! { <Notice notice/> });
    view! {
        {notice}
        <div class="stack">
            <h1>"Your year ahead"</h1>
            <p class="lead">{lead} {year.note.map(|note| format!(" {note}"))}</p>
        </div>
        {list}
        <p class="actions">
            <LinkButton href="/account" label="Back to your account"/>
        </p>
    }
}

#[component]
fn Locked() -> impl IntoView {
    view! {
        <div class="stack">
            <h1>"Your year ahead"</h1>
            <p class="lead">"Every payment of the next twelve months, on one page. It comes with any paid plan."</p>
        </div>
        <p class="actions">
            <LinkButton href="/pricing" label="See plans"/>
        </p>
    }
}
