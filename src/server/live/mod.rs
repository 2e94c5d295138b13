//! Live pages: one stream of server-sent events for a browser that looks at its account, over which it
//! hears that there is something new, and that the log-in has ended. docs/live.md tells it from end to end.
//!
//! `listeners` knows who waits for what in this process, `follow` hears Redis for all of them, and `stream`
//! is the route. None says what is new: the browser loads the page again, by the way that it always has.

mod follow;
mod listeners;
mod stream;

pub use follow::follow;
pub use listeners::{Ear, Listeners, Topic};
pub use stream::live;

use std::time::Duration;

/// How the streams are kept.
#[derive(Debug, Clone, Copy)]
pub struct LiveSettings {
    /// Each looks this often by itself, whether the log-in still holds and whether there is something
    /// new, and says something, so that proxies keep the connection.
    pub look_every: Duration,
    /// Then a stream ends, and the browser opens another one: maybe on another replica.
    pub lasts: Duration,
    /// Of one user in one process. A browser has one, however many its tabs.
    pub most_of_a_user: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(25),
            lasts: Duration::from_secs(4 * 60 * 60),
            most_of_a_user: 20,
        }
    }
}
