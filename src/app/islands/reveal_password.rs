//! A button that shows what was typed as a password, and hides it again.

use leptos::prelude::*;

/// Stands beside the input with the id `password`, which works without it.
#[island]
pub fn RevealPassword() -> impl IntoView {
    let (shown, set_shown) = signal(false);
    // Without a script the button could do nothing, so it is not there.
    let (alive, set_alive) = signal(false);
    Effect::new(move |_| set_alive.set(true));
    Effect::new(move |_| {
        let kind = if shown.get() { "text" } else { "password" };
        if let Some(input) = document().get_element_by_id("password") {
            // Only a name that no attribute may have would fail.
            let _ = input.set_attribute("type", kind);
        }
    });
    view! {
        <button
            type="button"
            class="reveal"
            aria-controls="password"
            hidden=move || !alive.get()
            on:click=move |_| set_shown.update(|shown| *shown = !*shown)
        >
            {move || if shown.get() { "Hide" } else { "Show" }}
            <span class="visually-hidden">" password"</span>
        </button>
    }
}
