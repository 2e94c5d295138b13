//! The few parts that run in the browser. Each works without its script: it then leaves out what
//! only a script could do. A page with one puts `IslandScripts` at its end.
//!
//! None takes props: what it needs it reads from the page. The first prop would bring a JSON
//! parser into the browser, and with it a third of the client (measured: 87 KB gzipped, 61 without).

mod look_again;
mod reveal_password;

pub use look_again::{LOOK_AGAIN, LookAgain};
pub use reveal_password::RevealPassword;
