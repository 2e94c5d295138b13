//! Loads the page again after a while, for an outcome that is still to come. Without a script a
//! refresh in the page's `noscript` does the same.

use std::time::Duration;

use leptos::prelude::*;

#[island]
pub fn LookAgain(seconds: u32, href: String) -> impl IntoView {
    Effect::new(move |_| {
        let href = href.clone();
        let look = move || {
            // A page that is being left cannot be loaded again, and need not be.
            let _ = window().location().replace(&href);
        };
        set_timeout(look, Duration::from_secs(u64::from(seconds)));
    });
    view! { <p class="small">"This page looks again by itself."</p> }
}
