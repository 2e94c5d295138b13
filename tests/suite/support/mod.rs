//! What a test stands on: an app of its own, on a database of its own of one real Redis, with an
//! emulator of its own. May not reach into the app: tests talk HTTP and look at Redis.

mod app;
mod browser;
mod catalog;
mod load;
mod place;
#[expect(dead_code, reason = "shared with the store's contract, which kills more")]
mod redis_cluster;
mod redis_server;
mod redis_tls;
mod replica;
mod signed;
mod slow_line;
mod stream;
mod stripe;

pub use app::{App, AppOptions, GOOD, WEBHOOK_SECRET, eventually, tuning, without_time};
pub use browser::{Browser, Page};
pub use catalog::plans_with;
pub use load::Load;
pub use place::{Place, finished};
pub use redis_cluster::{Access, RedisCluster};
pub use redis_server::{RedisServer, database, free_port};
pub use redis_tls::{Door, PASSWORD, RedisTls, USER};
pub use replica::Replica;
pub use signed::{Delivery, event};
pub use slow_line::SlowLine;
pub use stream::Stream;
pub use stripe::{KEY, Stripe};
pub use unsplit::server::run::Tuning;
