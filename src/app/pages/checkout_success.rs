//! `/checkout/success`: where Stripe sends the buyer back to. The page streams in order: the
//! frame and a calm line at once, the outcome when the sync is done. Who looks, and whether there
//! is anything to look at, the server has decided before.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::app::api::pages::load_success;
use crate::app::components::{FactList, Frame, IslandScripts, Kind, LinkButton, Pill, loaded};
use crate::app::flash::Tone;
use crate::app::islands::{LOOK_AGAIN, LookAgain};
use crate::app::view::{self, OpenPaymentView, PurchaseView, SuccessView};

#[component]
pub fn CheckoutSuccessPage() -> impl IntoView {
    // Whatever fails, the buyer has perhaps paid: that comes first.
    let outcome = async { Ok(load_success().await.unwrap_or(SuccessView::Unreachable)) };
    view! {
        <Title text="Your purchase"/>
        <Frame>
            <div class="column">
                <p class="waiting">"Checking your payment with Stripe…"</p>
                {loaded(outcome, |view| view! { <Outcome view/> })}
            </div>
        </Frame>
    }
}

#[component]
pub fn Outcome(view: SuccessView) -> impl IntoView {
    let outcome = match view {
        SuccessView::Active(purchase) => view! { <Active purchase/> }.into_any(),
        SuccessView::NeedsPayment(payment) => view! { <NeedsPayment payment/> }.into_any(),
        SuccessView::NoAccess { plan_name } => view! { <NoAccess plan_name/> }.into_any(),
        SuccessView::Processing { received } => view! { <Processing received/> }.into_any(),
        SuccessView::Unreachable => view! { <Unreachable/> }.into_any(),
        SuccessView::Ended => view! { <Ended/> }.into_any(),
        SuccessView::NotPaid => view! { <NotPaid/> }.into_any(),
    };
    view! { <div class="column result">{outcome}</div> }
}

#[component]
fn Active(purchase: PurchaseView) -> impl IntoView {
    let pill = view::Pill { label: "Active".to_owned(), tone: Tone::Good };
    let receipt = purchase
        .receipt_url
        .map(|href| view! { <LinkButton kind=Kind::Quiet href label="See the receipt"/> });
    view! {
        <div class="top">
            <Pill pill/>
            <h1>{format!("Thank you. You're on {}", purchase.plan_name)}</h1>
            <p class="lead">"Everything in your plan is switched on."</p>
        </div>
        <section class="surface" aria-label="What you bought">
            <FactList facts=purchase.facts/>
        </section>
        <p class="actions">
            <LinkButton href="/account" label="Go to your account"/>
            {receipt}
        </p>
    }
}

#[component]
fn NeedsPayment(payment: OpenPaymentView) -> impl IntoView {
    let pay = payment.pay_url.map(|href| view! { <LinkButton href label="Finish paying"/> });
    let kind = if pay.is_some() { Kind::Quiet } else { Kind::Primary };
    view! {
        <h1>{format!("{} needs your attention", payment.plan_name)}</h1>
        <p class="lead">"Its payment isn't complete. Your account page says where it stands and what you can do."</p>
        <p class="actions">
            {pay}
            <LinkButton kind href="/account" label="Go to your account"/>
        </p>
    }
}

#[component]
fn NoAccess(plan_name: String) -> impl IntoView {
    view! {
        <h1>{format!("{plan_name} isn't switched on")}</h1>
        <p class="lead">"Your account page says where it stands and what you can do."</p>
        <p class="actions">
            <LinkButton href="/account" label="Go to your account"/>
        </p>
    }
}

#[component]
fn Ended() -> impl IntoView {
    view! {
        <h1>"This plan has ended"</h1>
        <p class="lead">"What your last checkout bought isn't running any more. You won't be charged for it again."</p>
        <p class="actions">
            <LinkButton href="/account" label="Go to your account"/>
            <LinkButton kind=Kind::Quiet href="/pricing" label="See plans"/>
        </p>
    }
}

#[component]
fn Processing(received: bool) -> impl IntoView {
    let (title, text) = if received {
        (
            "Your payment has arrived",
            "Your plan is being switched on, which can take a moment. There is nothing you need to do.",
        )
    } else {
        (
            "Your payment is on its way",
            "It isn't confirmed yet, which can take a moment. There is nothing you need to do, and you won't pay twice.",
        )
    };
    view! {
        <h1>{title}</h1>
        <p class="lead">{text}</p>
        <Again label="Look now"/>
    }
}

#[component]
fn Unreachable() -> impl IntoView {
    view! {
        <h1>"Your payment is safe"</h1>
        <p class="lead">
            "We can't find out how it stands right now. If you have paid, your plan starts by itself as soon as we \
             can, and you won't be charged twice."
        </p>
        <Again label="Try again"/>
    }
}

#[component]
fn NotPaid() -> impl IntoView {
    view! {
        <h1>"You haven't been charged"</h1>
        <p class="lead">"No payment was made in this checkout. You can choose a plan again at any time."</p>
        <p class="actions">
            <LinkButton href="/pricing" label="See plans"/>
        </p>
    }
}

/// Looks again by hand, and by itself, by script or without: at first soon, then ever more rarely,
/// as a bank may take days.
#[component]
fn Again(label: &'static str) -> impl IntoView {
    let looks = use_query_map().read_untracked().get("look").and_then(|look| look.parse::<u32>().ok());
    let looks = looks.unwrap_or_default();
    let seconds = FIRST_LOOK << looks.min(7);
    let href = format!("/checkout/success?look={}", looks.saturating_add(1));
    let by_itself = (looks < LOOKS).then(|| {
        view! {
            <p class="small" id=LOOK_AGAIN data-seconds=seconds.to_string() data-href=href.clone()>
                "This page looks again by itself."
            </p>
            <LookAgain/>
            <noscript>
                <meta http-equiv="refresh" content=format!("{seconds};url={href}")/>
            </noscript>
            <IslandScripts/>
        }
    });
    view! {
        <p class="actions">
            <LinkButton href="/checkout/success" label/>
        </p>
        {by_itself}
    }
}

/// Seconds.
const FIRST_LOOK: u32 = 3;
/// After an hour or so nobody is there any more.
const LOOKS: u32 = 15;
