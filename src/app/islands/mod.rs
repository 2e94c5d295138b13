//! The few parts that run in the browser. Each works without its script: it then leaves out what
//! only a script could do. A page with one puts `IslandScripts` at its end.

mod look_again;
mod password_input;

pub use look_again::LookAgain;
pub use password_input::PasswordInput;
