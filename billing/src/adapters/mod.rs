//! The only places where a vendor's crate meets the domain, one feature each.
//! An adapter may import the domain and its own vendor, and no other adapter.

#[cfg(feature = "toml")]
pub mod plans_toml;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "stripe")]
pub mod stripe;
#[cfg(feature = "axum")]
pub mod webhook;
