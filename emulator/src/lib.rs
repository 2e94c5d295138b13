//! A Stripe for subscriptions that runs offline, in one process: Stripe's API over HTTP, its hosted checkout
//! page, and signed webhooks. For development and tests; no money ever moves here.
//!
//! The way of a request: `v1` (the pipeline) → `api` (a file a resource) → `state` (one transaction) → answer.
//! `billing` is what happens without being an endpoint: payments, invoices, a checkout that completes. `hosted`
//! is what a buyer sees, `controls` what a test or a developer may do to the emulator itself.

mod api;
mod billing;
mod browser;
mod controls;
mod error;
mod expand;
mod faults;
mod form;
mod hosted;
mod idempotency;
mod keys;
mod limits;
mod list;
mod params;
mod pdf;
mod requests;
mod server;
mod shapes;
mod state;
mod v1;
mod webhooks;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use self::limits::RateLimits;
pub use self::server::Emulator;
pub use self::state::clock::FASTEST;

/// The version of Stripe's API that is served; any other is refused.
pub const API_VERSION: &str = "2026-09-30.endive";

/// The secret key when none is chosen.
pub const DEFAULT_SECRET_KEY: &str = "sk_test_emulator";

/// How to run the emulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where the state is kept; `None` keeps it in memory only.
    pub data_dir: Option<PathBuf>,
    /// The only API key that is accepted.
    pub secret_key: String,
    /// Endpoints that get every event from the start, like `stripe listen --forward-to`.
    pub webhooks: Vec<Webhook>,
    /// From when on a request gets a 429; no limits unless told.
    pub rate_limits: RateLimits,
    /// How many of the clock's seconds pass in a second, 1 to `FASTEST`. `None` leaves the clock as it is: at the
    /// speed that the data directory tells of, else at the machine's.
    pub speed: Option<i64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 12111)),
            data_dir: None,
            secret_key: DEFAULT_SECRET_KEY.to_owned(),
            webhooks: Vec::new(),
            rate_limits: RateLimits::default(),
            speed: None,
        }
    }
}

/// An endpoint that events are sent to, and the secret that signs them.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
}

/// Why the emulator did not start, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("port {} is in use: another program listens on {address}. Stop it, or choose another port", address.port())]
    PortInUse { address: SocketAddr },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot write to the data directory {}: {source}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("the data directory {} is in use by another emulator. Stop that one, or choose another directory", path.display())]
    DataDirInUse { path: PathBuf },
    #[error("cannot read the state in {} line {line}: {reason}. Repair the line, or remove the file to start empty", path.display())]
    Unreadable { path: PathBuf, line: usize, reason: String },
    #[error("cannot store the first state: {0}")]
    State(String),
    #[error("the clock's speed must be 1 to {FASTEST}, not {0}")]
    Speed(i64),
    #[error("cannot set up the HTTP client for webhooks: {0}")]
    Client(String),
}
