//! How a server function ends: with 303 and the page to go to. May not decide where that is.

use axum::http::{HeaderValue, StatusCode, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// Sends the browser to `to`, a path of ours or a page of Stripe's, whatever the server function
/// returns. `leptos_axum::redirect` answers 302, which does not say that the next request is a
/// GET, and panics where the text can't stand in a header: this one then goes to `/`.
pub fn see_other(to: &str) {
    let Some(response) = use_context::<ResponseOptions>() else {
        tracing::error!("a redirect outside of a request was lost");
        return;
    };
    let location = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    response.insert_header(header::LOCATION, location);
    response.set_status(StatusCode::SEE_OTHER);
}
