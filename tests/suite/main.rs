//! The one integration binary: everything through HTTP, on a real Redis and the emulator.
//! `support` starts them; each module is a subject.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod accounts;
mod budget;
mod changes;
mod cluster;
mod coalescing;
mod commands;
mod cuts;
mod doubt;
mod durability;
mod fleet;
mod idle;
mod invoices;
mod kills;
mod late_payments;
mod leaving;
mod live;
mod one_customer;
mod operations;
mod orphan;
mod purchase;
mod rebuild;
mod reconcile;
mod shutdown;
mod start;
mod statuses;
mod storm;
mod stripe_time;
mod support;
mod sync;
mod tidy;
mod tls;
mod trials;
mod webhook;
mod workers;
