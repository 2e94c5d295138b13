//! Sign up, log in, log out: server functions, each of which is also a plain HTML form that ends
//! in a redirect. A field that is missing counts as empty, so that it gets its own message.

use leptos::prelude::*;

#[server(prefix = "/api", endpoint = "sign_up")]
pub async fn sign_up(
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<(), ServerFnError> {
    use crate::server::auth::{Form, enter};
    enter(Form::SignUp, &email, &password).await
}

#[server(prefix = "/api", endpoint = "log_in")]
pub async fn log_in(
    #[server(default)] email: String,
    #[server(default)] password: String,
) -> Result<(), ServerFnError> {
    use crate::server::auth::{Form, enter};
    enter(Form::LogIn, &email, &password).await
}

#[server(prefix = "/api", endpoint = "log_out")]
pub async fn log_out() -> Result<(), ServerFnError> {
    crate::server::auth::leave().await
}
