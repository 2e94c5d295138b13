//! `/account/payment`: the card, and the way to Stripe's portal for whatever else there is.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{AccountFrame, Part};
use crate::app::api::pages::load_payment;
use crate::app::components::{FactList, Kind, LinkButton, Notice, PostButton, loaded};
use crate::app::view::PaymentView;

#[component]
pub fn PaymentPage() -> impl IntoView {
    view! {
        <Title text="Payment"/>
        <AccountFrame part=Part::Payment>
            {loaded(load_payment(), |view| view! { <Payment view/> })}
        </AccountFrame>
    }
}

#[component]
fn Payment(view: PaymentView) -> impl IntoView {
    let asks = view.notice.is_some();
    let kind = if asks { Kind::Quiet } else { Kind::Primary };
    let notice = view.notice.map(|notice| view! { <Notice notice/> });
    let Some((card, portal)) = view.card.zip(view.portal) else {
        return view! {
            <div class="column">
                <h1>"Payment"</h1>
                <p class="lead">"You have never paid us anything, so there is no card."</p>
                <p class="actions"><LinkButton href="/pricing" label="See plans"/></p>
            </div>
        }
        .into_any();
    };
    view! {
        <div class="column">
            {notice}
            <h1>"Payment"</h1>
            <section class="surface" aria-label="How you pay">
                <FactList facts=view.facts/>
            </section>
            <PostButton kind form=card/>
            <section class="stack">
                <h2>"Address, tax id and everything else"</h2>
                <p>"Stripe, who takes our payments, keeps these. You come back here afterwards."</p>
                <PostButton kind=Kind::Quiet form=portal/>
            </section>
        </div>
    }
    .into_any()
}
