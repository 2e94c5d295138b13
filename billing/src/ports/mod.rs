//! What the billing verbs need from the world: Stripe, a store, a clock. Traits only; the
//! adapters implement them, and the verbs see nothing else.

mod store;
mod stripe;

pub use store::{
    Account, AccountMode, Bindings, CheckoutAttempt, Checkouts, Claim, CustomerAttempt, Done, Due, Mark,
    Queue, Received, Snapshots, Store, Ticket, Written,
};
pub use stripe::{
    CheckoutMetadata, CheckoutSession, CheckoutStatus, Customer, NewCheckout, NewPrice, PaymentStatus, Price,
    Product, ProductFields, Stripe,
};

use crate::clock::UnixMillis;

/// Where the time comes from, so that a test can run a day in a second.
pub trait Clock: Send + Sync {
    fn now(&self) -> UnixMillis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixMillis(since.map(crate::clock::millis).unwrap_or(0))
    }
}
