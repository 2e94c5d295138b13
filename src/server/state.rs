//! What every handler and server function has at hand.

use std::sync::Arc;

use axum::extract::FromRef;
use cookie::Key;
use leptos::config::LeptosOptions;
use unsplit_billing::ports::Clock;
use unsplit_billing::service::Billing;

use super::auth::Accounts;
use super::config::Config;
use super::health::Health;
use super::live::Listeners;

#[derive(Clone)]
pub struct AppState {
    pub billing: Arc<Billing>,
    pub auth: Arc<Accounts>,
    pub config: Arc<Config>,
    pub health: Arc<Health>,
    pub live: Arc<Listeners>,
    pub clock: Arc<dyn Clock>,
    /// Signs the cookies that hold more than a session's id.
    pub cookie_key: Key,
    pub leptos: LeptosOptions,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
