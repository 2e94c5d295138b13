//! A password's input with a button that shows what was typed.

use leptos::prelude::*;

#[island]
pub fn PasswordInput(autocomplete: String, described_by: Option<String>, invalid: bool) -> impl IntoView {
    let (shown, set_shown) = signal(false);
    // Without a script the button could do nothing, so it is not there.
    let (alive, set_alive) = signal(false);
    Effect::new(move |_| set_alive.set(true));
    view! {
        <input
            id="password"
            name="password"
            type=move || if shown.get() { "text" } else { "password" }
            autocomplete=autocomplete
            autocapitalize="none"
            spellcheck="false"
            required
            aria-describedby=described_by
            aria-invalid=invalid.then_some("true")
        />
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
