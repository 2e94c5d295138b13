//! What stands around every page: the skip link, the header with its links, and the footer.

use leptos::prelude::*;

use crate::app::view::FrameView;

use super::{FlashNotice, Glyph, Icon};

/// The page's place in the header's links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    #[default]
    None,
    Pricing,
    Account,
    LogIn,
    SignUp,
}

#[component]
pub fn Frame(#[prop(optional)] section: Section, children: Children) -> impl IntoView {
    let frame = use_context::<FrameView>().unwrap_or_default();
    view! {
        <a class="skip-link" href="#content">"Skip to the content"</a>
        <header class="bar">
            <a class="brand" href="/">
                <Icon glyph=Glyph::Mark/>
                "Unsplit"
            </a>
            <nav aria-label="Main">
                <ul>
                    <NavLink href="/pricing" label="Pricing" current={section == Section::Pricing}/>
                    <Personal section signed_in=frame.signed_in/>
                </ul>
            </nav>
        </header>
        <main id="content" tabindex="-1">
            <FlashNotice/>
            {children()}
        </main>
        <footer class="foot">
            <p>"Unsplit"</p>
            {frame.test_mode.then(|| view! { <p>"Test mode: no real money moves."</p> })}
        </footer>
    }
    // A page's type names all that is in it: unerased, each page made the program grow by fifty megabytes.
    .into_any()
}

#[component]
fn NavLink(href: &'static str, label: &'static str, current: bool) -> impl IntoView {
    view! {
        <li>
            <a href=href aria-current=current.then_some("page")>
                {label}
            </a>
        </li>
    }
}

/// Log-out changes something, so it is a form and not a link.
#[component]
fn Personal(section: Section, signed_in: bool) -> impl IntoView {
    if signed_in {
        view! {
            <NavLink href="/account" label="Account" current={section == Section::Account}/>
            <li>
                <form method="post" action="/api/log_out">
                    <button type="submit" class="link-button">"Log out"</button>
                </form>
            </li>
        }
        .into_any()
    } else {
        view! {
            <NavLink href="/login" label="Log in" current={section == Section::LogIn}/>
            <NavLink href="/signup" label="Sign up" current={section == Section::SignUp}/>
        }
        .into_any()
    }
}
