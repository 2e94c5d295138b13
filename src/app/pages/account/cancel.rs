//! `/account/cancel`: what ends and when, before anything does.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_leaving;
use crate::app::components::{FeatureList, Glyph, Kind, Notice, SubmitButton, loaded};
use crate::app::view::{LeavingView, REASONS};

#[component]
pub fn CancelPage() -> impl IntoView {
    view! {
        <Title text="Cancel plan"/>
        <AccountFrame part=Part::Cancel>
            {loaded(load_leaving(), |view| view! { <Leaving view/> })}
        </AccountFrame>
    }
}

#[component]
fn Leaving(view: LeavingView) -> impl IntoView {
    if let Some(notice) = view.blocked {
        return view! {
            <div class="column">
                <h1>"Cancel plan"</h1>
                <Notice notice/>
            </div>
        }
        .into_any();
    }
    let name = view.name.clone();
    view! {
        <div class="column form leaving">
            <h1>{format!("Cancel {name}?")}</h1>
            <FeatureList title="What ends with it" features=view.losses glyph=Glyph::Info/>
            <form method="post" action="/api/cancel" class="surface">
                <When later=view.later now=view.now/>
                <Why/>
                <SubmitButton kind=Kind::Danger label=format!("Cancel {name}")/>
            </form>
            <p><a href="/account">{format!("Keep {name}")}</a></p>
        </div>
    }
    .into_any()
}

#[component]
fn When(later: Option<String>, now: Option<String>) -> impl IntoView {
    let only = later.is_none();
    let choice = |value: &'static str, label: &'static str, text: String, checked: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="end" value=value checked=checked/>
                <span>
                    <strong>{label}</strong>
                    <br/>
                    {text}
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="stack">
            <legend>"When"</legend>
            {later.map(|text| choice("later", "When the period ends", text, true))}
            {now.map(|text| choice("now", "Now", text, only))}
        </fieldset>
    }
}

#[component]
fn Why() -> impl IntoView {
    let option = |(value, label)| view! { <option value=value>{label}</option> };
    view! {
        <div class="field">
            <label for="feedback">"Why? (You need not say.)"</label>
            <div class="input">
                <select id="feedback" name="feedback">
                    <option value="">"I'd rather not say"</option>
                    {REASONS.into_iter().map(option).collect_view()}
                </select>
            </div>
        </div>
        <div class="field">
            <label for="comment">"Anything we should know?"</label>
            <div class="input">
                <textarea id="comment" name="comment" rows="3" maxlength="500"></textarea>
            </div>
        </div>
    }
}
