//! What was written, for whoever shows it to somebody.

use futures::stream::BoxStream;

use crate::id::{CustomerId, UserId};

/// What may look different now. It says nothing of what is there: look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The customer's value was written, whether or not it says something else than before.
    Customer(CustomerId),
    /// The user was bound to a customer.
    User(UserId),
    /// Anything may have been written: news were lost.
    Any,
}

/// What all processes write.
pub trait Announcements: Send + Sync {
    /// Begins with `Any`. News may be lost, but then `Any` follows once they come again.
    fn news(&self) -> BoxStream<'static, News>;
}
