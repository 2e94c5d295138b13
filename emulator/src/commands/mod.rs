//! The command line: its words, and a file for each group of commands. All but `serve` talk to a running emulator
//! over HTTP, as a test would.

mod client;
mod clock;
mod controls;
mod events;
mod failure;
mod fixtures;
mod output;
mod reference;
mod serve;
mod span;
mod trigger;

use clap::{Parser, Subcommand};

pub use self::failure::Failure;

/// A Stripe for subscriptions that runs offline, for development and tests.
#[derive(Parser)]
#[command(
    name = "stripe-emulator",
    version,
    after_help = "Start one in one terminal with `stripe-emulator serve`, and try \
                  `stripe-emulator trigger customer.subscription.created` in another. \
                  A page for people is at http://127.0.0.1:12111/_emulator."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an emulator until Ctrl-C.
    Serve(serve::Serve),
    /// Follow events, or send one again.
    #[command(subcommand)]
    Events(events::Events),
    /// Cause an event by making the objects it takes.
    Trigger(trigger::Trigger),
    /// Show the clock, or move it forward.
    #[command(subcommand)]
    Clock(clock::Clock),
    /// Run the requests of a file in the format of Stripe's CLI.
    Fixtures(fixtures::Fixtures),
    /// Order failures, or forget them.
    #[command(subcommand)]
    Faults(controls::Faults),
    /// Have the next renewal of a subscription declined, once and whatever its card.
    DeclineRenewal(controls::DeclineRenewal),
    /// Forget everything but the account.
    Reset(controls::Reset),
    /// Make many paying customers at once.
    Load(controls::Load),
}

/// Does what the command line says.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(serve) => serve.run().await,
        Command::Events(events) => events.run().await,
        Command::Trigger(trigger) => trigger.run().await,
        Command::Clock(clock) => clock.run().await,
        Command::Fixtures(fixtures) => fixtures.run().await,
        Command::Faults(faults) => faults.run().await,
        Command::DeclineRenewal(decline) => decline.run().await,
        Command::Reset(reset) => reset.run().await,
        Command::Load(load) => load.run().await,
    }
}
