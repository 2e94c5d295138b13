//! What pages ask the server for, and what their forms post to: one server function a verb, by
//! noun, each at most a few lines over `crate::server`.

pub mod accounts;
pub mod checkout;
pub mod pages;
pub mod subscription;
