//! What runs on the server besides the pages: configuration, the router and its middlewares,
//! sessions and accounts, the checkout form, the commands, and the private Redis and emulator of
//! `unsplit dev`. It wires adapters to `unsplit_billing`; it may not talk to Stripe itself.

pub mod auth;
pub mod checkout;
pub mod commands;
pub mod config;
pub mod confirm;
pub mod flash;
pub mod gate;
pub mod health;
pub mod invoices;
pub mod log;
pub mod metrics;
pub mod portal;
pub mod purchase;
pub mod render;
pub mod router;
pub mod run;
pub mod security;
pub mod serve;
pub mod session;
mod state;
pub mod subscription;

pub use state::AppState;
