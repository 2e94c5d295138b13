//! `/account` and its parts, each a page with a URL of its own, so that back, reload and a link
//! from an e-mail work.

mod cancel;
mod confirm;
mod invoices;
mod overview;
mod payment;
mod plan;

use leptos::prelude::*;

use crate::app::components::{Frame, Section};

pub use cancel::CancelPage;
pub use confirm::ConfirmPage;
pub use invoices::InvoicesPage;
pub use overview::AccountPage;
pub use payment::PaymentPage;
pub use plan::PlanPage;

/// Which part of the account one is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Overview,
    Plan,
    Payment,
    Invoices,
    Cancel,
}

const PARTS: [(Part, &str, &str); 5] = [
    (Part::Overview, "/account", "Overview"),
    (Part::Plan, "/account/plan", "Change plan"),
    (Part::Payment, "/account/payment", "Payment"),
    (Part::Invoices, "/account/invoices", "Invoices"),
    (Part::Cancel, "/account/cancel", "Cancel"),
];

/// The frame of all of them, with the way to the others.
#[component]
pub fn AccountFrame(part: Part, children: Children) -> impl IntoView {
    let link = move |(this, href, label): (Part, &'static str, &'static str)| {
        view! {
            <li>
                <a href=href aria-current={(this == part).then_some("page")}>
                    {label}
                </a>
            </li>
        }
    };
    view! {
        <Frame section=Section::Account>
            <nav class="parts" aria-label="Your account">
                <ul>{PARTS.into_iter().map(link).collect_view()}</ul>
            </nav>
            {children()}
        </Frame>
    }
    .into_any()
}
