//! The emulator through HTTP, as an app, a buyer and a webhook endpoint see it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod challenge;
mod chances;
mod command_line;
mod console;
mod console_buttons;
mod controls;
mod customers;
mod expanding;
mod forms;
mod idempotency;
mod lists;
mod prices;
mod purchase;
mod restart;
mod running;
mod sessions;
mod shapes;
mod size;
mod storms;
mod subscriptions;
mod support;
mod webhooks;
