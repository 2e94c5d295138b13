//! The document around every page.

use leptos::config::LeptosOptions;
use leptos::hydration::AutoReload;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use super::App;

/// What leptos calls for each request.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    // Only islands come alive in the browser: nothing of the rest is sent along for them.
    if let Some(shared) = Owner::current_shared_context() {
        shared.set_is_hydrating(false);
    }
    let style = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    let head = view! {
        <AutoReload options=options.clone()/>
        <MetaTags/>
    };
    provide_context(options);
    document(style, head, view! { <App/> })
}

/// `style` is the address of the style sheet.
pub(super) fn document(style: String, head: impl IntoView, body: impl IntoView) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="stylesheet" href=style/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                {head}
            </head>
            <body>{body}</body>
        </html>
    }
}
