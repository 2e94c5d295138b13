//! The emulator through HTTP, as an app, a buyer and a webhook endpoint see it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod challenge;
mod chances;
mod codes;
mod controls;
mod coupons;
mod customers;
mod discounts;
mod expanding;
mod forms;
mod idempotency;
mod lists;
mod prices;
mod purchase;
mod refunds;
mod restart;
mod sessions;
mod setups;
mod shapes;
mod size;
mod storms;
mod subscriptions;
mod support;
mod webhooks;
