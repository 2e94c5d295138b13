//! Opens the next look at an outcome that is still to come, after a while. Without a script a
//! refresh in the page's `noscript` does the same.

use std::time::Duration;

use leptos::prelude::*;

/// The element that says where to look and when, for the island to read.
pub const LOOK_AGAIN: &str = "look-again";

/// Reads `data-seconds` and `data-href` of the element with the id `LOOK_AGAIN`.
#[island]
pub fn LookAgain() -> impl IntoView {
    Effect::new(move |_| {
        let Some(element) = document().get_element_by_id(LOOK_AGAIN) else { return };
        let seconds = element.get_attribute("data-seconds").and_then(|text| text.parse().ok());
        let (Some(seconds), Some(href)) = (seconds, element.get_attribute("data-href")) else { return };
        let look = move || {
            // A page that is being left cannot be loaded again, and need not be.
            let _ = window().location().replace(&href);
        };
        set_timeout(look, Duration::from_secs(seconds));
    });
}
