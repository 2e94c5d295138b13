//! What a subscriber does to their subscription. Each is a plain HTML form and ends in a redirect; a
//! field that is missing counts as empty, so that it gets a message of its own.

use leptos::prelude::*;

#[server(prefix = "/api", endpoint = "change_plan")]
pub async fn change_plan(
    #[server(default)] plan: String,
    #[server(default)] interval: String,
    #[server(default)] proration_date: String,
    #[server(default)] total: String,
) -> Result<(), ServerFnError> {
    crate::server::subscription::change_plan(&plan, &interval, &proration_date, &total).await
}

#[server(prefix = "/api", endpoint = "drop_planned_change")]
pub async fn drop_planned_change() -> Result<(), ServerFnError> {
    crate::server::subscription::drop_planned_change().await
}

#[server(prefix = "/api", endpoint = "drop_waiting_change")]
pub async fn drop_waiting_change() -> Result<(), ServerFnError> {
    crate::server::subscription::drop_waiting_change().await
}

#[server(prefix = "/api", endpoint = "cancel")]
pub async fn cancel(
    #[server(default)] end: String,
    #[server(default)] feedback: String,
    #[server(default)] comment: String,
) -> Result<(), ServerFnError> {
    crate::server::subscription::cancel(&end, &feedback, &comment).await
}

#[server(prefix = "/api", endpoint = "cancel_other")]
pub async fn cancel_other(#[server(default)] subscription: String) -> Result<(), ServerFnError> {
    crate::server::subscription::cancel_other(&subscription).await
}

#[server(prefix = "/api", endpoint = "resume")]
pub async fn resume() -> Result<(), ServerFnError> {
    crate::server::subscription::resume().await
}

#[server(prefix = "/api", endpoint = "open_portal")]
pub async fn open_portal(
    #[server(default)] flow: String,
    #[server(default)] from: String,
) -> Result<(), ServerFnError> {
    crate::server::portal::open(&flow, &from).await
}
