//! Selling subscriptions with Stripe, with one truth and one function that writes it.
//!
//! The domain (`id`, `money`, `plan`, `subscription`, `fold`, `access`, `change`, `policy`, `event`, `error`) is pure: it
//! compiles with no feature at all, also to wasm, and may import no adapter and no runtime.
//! `ports` says what the domain needs from the world, `service` holds the verbs, and each module
//! below `adapters` joins one vendor's crate to one port. Nothing here knows a page, a session or
//! a user's password: an axum app that exists already can use this crate without ours.

pub mod access;
pub mod change;
pub mod clock;
pub mod error;
pub mod event;
pub mod fold;
pub mod id;
pub mod money;
pub mod plan;
pub mod policy;
pub mod subscription;

#[cfg(feature = "service")]
pub mod ports;
#[cfg(feature = "service")]
pub mod service;

pub mod adapters;
