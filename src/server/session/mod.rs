//! Who came back, between two requests: a session in Redis, and a cookie that points at it.
//! `store` keeps sessions, `layer` makes the cookie, `visitor` says what may be in a session,
//! `carry_flash` hands the outcome of a form to the next page, and `outage` answers when Redis
//! is down. May not know passwords, accounts or billing.

mod ask;
mod carry_flash;
mod layer;
mod local_path;
mod outage;
mod see_other;
mod store;
mod visitor;

#[cfg(test)]
mod http_tests;
#[cfg(test)]
pub(in crate::server) mod test_redis;

pub(in crate::server) use ask::{ask, ask_script};
pub use carry_flash::carry_flash;
pub use layer::session_layer;
pub use local_path::{InvalidPath, LocalPath};
pub use outage::{answer_outages, outage_page};
pub use see_other::see_other;
pub use store::{ENDED, RedisSessionStore};
pub use visitor::{SessionError, Visitor};
