//! Loads `public/live.js`, which keeps a page of the account up to date while somebody looks at it. Two
//! kilobytes by hand: the islands' wasm would be thirty times as much for one `EventSource`. The page is
//! complete without it.

use leptos::prelude::*;
use leptos_meta::Script;

#[component]
pub fn LiveScript() -> impl IntoView {
    view! { <Script type_="module" src="/live.js"/> }
}
