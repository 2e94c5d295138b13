//! Buying. Each is a plain HTML form too, and ends in a redirect.

use leptos::prelude::*;

#[server(prefix = "/api", endpoint = "start_checkout")]
pub async fn start_checkout(
    #[server(default)] plan: String,
    #[server(default)] interval: String,
) -> Result<(), ServerFnError> {
    crate::server::checkout::subscribe(&plan, &interval).await
}
