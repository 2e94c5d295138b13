//! What happens without being an endpoint: test cards and what they do, payments, subscriptions and their
//! first invoice, a checkout that completes, and what falls due by the clock. Knows objects and transactions,
//! never HTTP.

pub mod cards;
pub mod checkout;
pub mod customer;
pub mod discount;
pub mod due;
pub mod ending;
pub mod invoice;
pub mod load;
pub mod money;
pub mod payment;
pub mod payment_method;
pub mod period;
pub mod purchase;
pub mod setup;
pub mod setup_session;
pub mod subscription;
