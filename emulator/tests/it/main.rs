//! The emulator through HTTP, as an app, a buyer and a webhook endpoint see it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod challenge;
mod chances;
mod changes;
mod controls;
mod customers;
mod expanding;
mod forms;
mod idempotency;
mod invoice_items;
mod invoice_page;
mod lists;
mod pending_updates;
mod prices;
mod purchase;
mod renewals;
mod restart;
mod schedules;
mod schedules_input;
mod schedules_phases;
mod schedules_time;
mod sessions;
mod shapes;
mod size;
mod storms;
mod subscriptions;
mod support;
mod test_clocks;
mod time;
mod trials;
mod webhooks;
