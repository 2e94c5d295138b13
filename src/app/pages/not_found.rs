//! Any address that is none of ours.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::app::components::{Frame, LinkButton};

#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <Frame>
            <div class="column">
                <h1>"There is no page here"</h1>
                <p class="lead">"The address may have a typo, or the page has moved."</p>
                <p class="actions">
                    <LinkButton href="/" label="Go to the start"/>
                </p>
            </div>
        </Frame>
    }
}
