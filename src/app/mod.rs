//! What a browser sees: the document, the routes, the pages and their parts, and the server
//! functions they post to. May not know Redis, Stripe or axum: `api` reaches them by context.

pub mod api;
pub mod components;
pub mod flash;
pub mod format;
pub mod islands;
pub mod pages;
mod shell;
pub mod view;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use pages::{
    AccountPage, CancelPage, CheckoutSuccessPage, ConfirmPage, FeaturePage, HomePage, InvoicesPage,
    LogInPage, NotFoundPage, PaymentPage, PlanPage, PricingPage, SignUpPage,
};

pub use shell::shell;

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // A page that loads something waits for it, so that its status can say how that went. Only the
    // page after checkout streams: its wait is for Stripe.
    view! {
        <Title formatter=|title: String| format!("{title} · Unsplit")/>
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/pricing") view=PricingPage ssr=SsrMode::Async/>
                <Route path=path!("/signup") view=SignUpPage ssr=SsrMode::Async/>
                <Route path=path!("/login") view=LogInPage ssr=SsrMode::Async/>
                <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async/>
                <Route path=path!("/account/plan") view=PlanPage ssr=SsrMode::Async/>
                <Route path=path!("/account/plan/confirm") view=ConfirmPage ssr=SsrMode::Async/>
                <Route path=path!("/account/payment") view=PaymentPage ssr=SsrMode::Async/>
                <Route path=path!("/account/invoices") view=InvoicesPage ssr=SsrMode::Async/>
                <Route path=path!("/account/cancel") view=CancelPage ssr=SsrMode::Async/>
                <Route path=path!("/checkout/success") view=CheckoutSuccessPage ssr=SsrMode::InOrder/>
                <Route path=path!("/app") view=FeaturePage ssr=SsrMode::Async/>
            </Routes>
        </Router>
    }
}
