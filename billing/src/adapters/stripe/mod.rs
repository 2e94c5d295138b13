//! Stripe over async-stripe's requests, our own transport and lenient answers.
//!
//! async-stripe's own client is not used: it opens a connection for each call, shows no response
//! headers and retries every 429 (docs/dependencies.md). Its answers are not either: one field
//! that is missing kills a whole page. May import the domain and Stripe's crates only.

mod answers;
mod changes;
mod client;
mod endpoint;
mod gate;
mod invoices;
mod measures;
mod pages;
mod refusal;
mod retry;
mod settings;
mod stripe_time;
mod transport;

pub use client::StripeClient;
pub use settings::{StripeConfigError, StripeSettings, key_mode};
pub use transport::Transport;
