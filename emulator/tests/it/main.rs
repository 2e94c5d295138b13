//! The emulator through HTTP, as an app, a buyer and a webhook endpoint see it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod challenge;
mod chances;
mod changes;
mod codes;
mod command_line;
mod console;
mod console_buttons;
mod controls;
mod coupons;
mod coverage;
mod customers;
mod discounts;
mod expanding;
mod forms;
mod idempotency;
mod invariants;
mod invoice_items;
mod invoice_page;
mod judge;
mod lists;
mod pending_updates;
mod prices;
mod purchase;
mod refunds;
mod renewals;
mod restart;
mod running;
mod scene;
mod schema;
mod sequences;
mod sequences_of_changes;
mod sessions;
mod setup_sessions;
mod setups;
mod shapes;
mod size;
mod storms;
mod subscriptions;
mod support;
mod test_clocks;
mod time;
mod trials;
mod webhooks;
