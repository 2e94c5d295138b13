//! What a test stands on: an app of its own, on a database of its own of one real Redis, with an
//! emulator of its own. May not reach into the app: tests talk HTTP and look at Redis.

mod app;
mod browser;
mod redis_server;

pub use app::{App, AppOptions, Stripe, WEBHOOK_SECRET, eventually};
pub use browser::{Browser, Page};
pub use redis_server::{RedisServer, database};
