//! `/`: what it does, how it looks, one thing to do.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::app::components::{FactList, Frame, Glyph, Icon, LinkButton, Pill};
use crate::app::flash::Tone;
use crate::app::view;

#[component]
pub fn HomePage() -> impl IntoView {
    view! {
        <Title text="Subscriptions you can trust"/>
        <Frame>
            <div class="home">
                <div class="hero">
                    <div class="column">
                        <h1>"What you pay for is what you have."</h1>
                        <p class="lead">
                            "Unsplit keeps one record of every subscription, always as Stripe has it. \
                             Pay, and your plan is there. Cancel, and you know the day it ends."
                        </p>
                        <p class="actions">
                            <LinkButton href="/pricing" label="See plans"/>
                        </p>
                    </div>
                    <Sample/>
                </div>
                <ul class="promises">
                    <Promise glyph=Glyph::Refresh title="Never out of step">
                        "Late news from Stripe, a crash, ten clicks at once: your plan still comes out right."
                    </Promise>
                    <Promise glyph=Glyph::Words title="In plain words">
                        "What you have, what it costs and when, and what you can do now. Nothing else."
                    </Promise>
                    <Promise glyph=Glyph::Lock title="Your card stays with Stripe">
                        "You pay on Stripe's own page. Your card number never reaches us."
                    </Promise>
                </ul>
            </div>
        </Frame>
    }
}

#[component]
fn Promise(glyph: Glyph, title: &'static str, children: Children) -> impl IntoView {
    view! {
        <li>
            <Icon glyph/>
            <h2>{title}</h2>
            <p>{children()}</p>
        </li>
    }
}

/// An account page as it will be, with made-up facts.
#[component]
fn Sample() -> impl IntoView {
    let facts =
        [("Price", "$12 a month"), ("Next payment", "$12 on 3 March 2027"), ("Card", "Visa ending in 4242")];
    let facts = facts.map(|(label, value)| (label.to_owned(), value.to_owned()));
    let pill = view::Pill { label: "Active".to_owned(), tone: Tone::Good };
    view! {
        <figure class="sample">
            <div class="surface stack">
                <p class="actions"><Pill pill/></p>
                <p class="headline">"Pro, renews on 3 March 2027 for $12"</p>
                <FactList facts=facts.to_vec()/>
            </div>
            <figcaption class="small">"An account, as its owner sees it"</figcaption>
        </figure>
    }
}
