//! The port `Stripe` over HTTP: against the emulator where it can play the case, else against a
//! server that answers what the test says and remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod stripe {
    pub mod limits;
    pub mod lists;
    pub mod pages;
    pub mod scripted;
}
