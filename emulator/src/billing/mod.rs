//! What happens without being an endpoint: test cards and what they do, payments, subscriptions and their
//! invoices, a checkout that completes, and what falls due by the clock. Knows objects and transactions,
//! never HTTP.

pub mod cancellation;
pub mod cards;
pub mod change;
pub mod charges;
pub mod checkout;
pub mod collect;
pub mod customer;
pub mod debits;
pub mod discount;
pub mod due;
pub mod ending;
pub mod invoice;
pub mod invoice_item;
pub mod invoice_page;
pub mod load;
pub mod money;
pub mod payment;
pub mod payment_method;
pub mod pending_update;
pub mod period;
pub mod portal;
pub mod preview;
pub mod proration;
pub mod purchase;
pub mod renewal;
pub mod schedule;
pub mod setup;
pub mod setup_session;
pub mod standing;
pub mod subscription;
pub mod test_clock;
pub mod trial;
pub mod update;
