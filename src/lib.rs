//! The app: what a browser sees (`app`) and what runs on the server besides (`server`).
//! This is the module map, and the only file that knows which build is which.

pub mod app;
#[cfg(feature = "ssr")]
pub mod server;

/// Brings the islands of a page to life; the browser calls it once the wasm is loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
