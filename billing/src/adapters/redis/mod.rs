//! The store on Redis: the one value of a customer, the bindings, the queue of due customers.

mod connection;

pub use connection::{ConnectError, RedisConnection};
