//! What the billing verbs need from the world: Stripe, a store, a clock. Traits only; the
//! adapters implement them, and the verbs see nothing else.

mod budget;
mod changes;
mod invoices;
mod news;
mod queue;
mod rebuild;
mod reconciliation;
mod store;
mod stripe;
mod trials;

pub use budget::{Budget, Leave, Limit, Priority, Slowdown};
pub use changes::{
    InvoicePreview, LaterChange, PlanChange, PortalFlow, PreviewLine, Reason, SubscriptionChanges,
};
pub use invoices::{Invoice, InvoiceCopies, InvoiceLists, InvoicePage};
pub use news::{Announcements, News};
pub use queue::{Claim, Done, Due, Entry, EntryState, Mark, Queue, QueueStats, Received};
pub use rebuild::{RebuildCounts, RebuildProgress, RebuildStep, StagedConflict, StagedCustomer, Staging};
pub use reconciliation::{Cursor, Durability, PastPass, Reconciliation};
pub use store::{
    Account, AccountMode, Bindings, CheckoutAttempt, Checkouts, CustomerAttempt, Snapshots, Store, Ticket,
    Written,
};
pub use stripe::{
    CheckoutMetadata, CheckoutSession, CheckoutStatus, Customer, Listing, NewCheckout, NewPrice, Page,
    PaymentStatus, Price, Product, ProductFields, Stripe, UnreadableSubscription,
};
pub use trials::{TrialMark, Trials, TriedCards};

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

/// 128 random bits, as hex: a name that nobody else has.
pub(crate) fn random_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}
