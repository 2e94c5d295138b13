//! `/account`: what you have, what it costs and when, what you can do now.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_account;
use crate::app::components::{
    FactList, FeatureList, Glyph, Kind, LinkButton, Notice, Pill, PostButton, loaded,
};
use crate::app::view::{AccountView, OtherView};

#[component]
pub fn AccountPage() -> impl IntoView {
    view! {
        <Title text="Your account"/>
        <AccountFrame part=Part::Overview>
            {loaded(load_account(), |view| view! { <Account view/> })}
        </AccountFrame>
    }
}

#[component]
pub fn Account(view: AccountView) -> impl IntoView {
    // One main action a page: the notice's, where it has one.
    let asks = view.notice.as_ref().is_some_and(|notice| notice.action.is_some() || notice.form.is_some());
    let kind = if asks { Kind::Quiet } else { Kind::Primary };
    let facts = (!view.facts.is_empty()).then(|| {
        view! {
            <section class="surface" aria-label="Your plan in detail">
                <FactList facts=view.facts/>
            </section>
        }
    });
    let notice = view.notice.map(|notice| view! { <Notice notice/> });
    let more = view.more.into_iter().map(|link| view! { <a href=link.href>{link.label}</a> }).collect_view();
    view! {
        <div class="column account">
            {notice}
            <div class="top">
                <Pill pill=view.pill/>
                <h1>{view.headline}</h1>
                <p class="small">"Signed in as " <bdi>{view.email}</bdi></p>
            </div>
            {facts}
            <Others others=view.others/>
            <FeatureList title=format!("{} includes", view.plan_name) features=view.includes glyph=Glyph::Tick/>
            <p class="actions">
                <LinkButton kind href=view.next.href label=view.next.label/>
                {more}
            </p>
        </div>
    }
}

#[component]
fn Others(others: Vec<OtherView>) -> impl IntoView {
    let one = |other: OtherView| {
        let cancel = other.cancel.map(|form| view! { <PostButton kind=Kind::Danger form/> });
        view! {
            <li class="surface stack">
                <h3>{other.title}</h3>
                <p>{other.text}</p>
                {cancel}
            </li>
        }
    };
    (!others.is_empty()).then(|| {
        view! {
            <section class="stack">
                <h2>"Also running"</h2>
                <ul class="stack">{others.into_iter().map(one).collect_view()}</ul>
            </section>
        }
    })
}
