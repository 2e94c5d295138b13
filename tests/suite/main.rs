//! The one integration binary: everything through HTTP, on a real Redis and the emulator.
//! `support` starts them; each module is a subject.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod accounts;
mod commands;
mod doubt;
mod one_customer;
mod purchase;
mod start;
mod statuses;
mod support;
mod sync;
mod tidy;
mod webhook;
