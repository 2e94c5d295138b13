//! The command line. Each command reads its configuration, does its work and ends; `serve` and
//! `dev` end when they are told to.

#[cfg(feature = "emulator")]
mod dev;
mod plans;
mod queue;
mod rebuild;
mod reconcile;
mod sync;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use unsplit_billing::id::CustomerId;

use super::config::{Config, variable};
use super::log::log_to_stderr;
use super::run::StartError;
use super::serve::{serve, stop_signal};

/// Subscriptions with Stripe: one truth in Redis, one function that writes it.
#[derive(Parser)]
#[command(name = "unsplit", version, about, after_help = "The environment is described in .env.example.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the app against the Redis and the Stripe account of the environment.
    Serve,
    /// Run everything here: a private Redis, a Stripe emulator, and the app.
    #[cfg(feature = "emulator")]
    Dev(dev::Dev),
    /// The plans that are sold.
    Plans {
        #[command(subcommand)]
        command: PlansCommand,
    },
    /// Fetch a customer's subscriptions from Stripe, write the one value, and show it before and after.
    Sync {
        /// The customer's id at Stripe, cus_…
        #[arg(value_parser = customer_id)]
        customer: CustomerId,
    },
    /// List the customers that are due, in flight and failing, and the last events.
    Queue {
        /// How many of each are listed.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
        most: u16,
    },
    /// Go through Stripe's events now, and mark every customer that may have been missed.
    Reconcile,
    /// Make everything that Redis knows of Stripe again, from Stripe alone. May be interrupted.
    Rebuild,
}

#[derive(Subcommand)]
enum PlansCommand {
    /// Make Stripe's products and prices what plans.toml says. Repeating it changes nothing.
    Push,
}

impl Cli {
    /// # Errors
    /// `StartError`: one line that says what to do.
    pub async fn run(self) -> Result<(), StartError> {
        // A missing .env is usual; a broken one is told.
        match dotenvy::dotenv() {
            Err(error) if !error.not_found() => return Err(StartError::new(format!(".env: {error}"))),
            _ => {}
        }
        // Dropped at the end, which writes what is not written yet.
        let _log = log_to_stderr(match &self.command {
            Command::Serve => "info",
            #[cfg(feature = "emulator")]
            Command::Dev(_) => dev::LOGGED,
            _ => "warn",
        });
        match self.command {
            Command::Serve => serve(Config::from_env()?, stop_signal()).await,
            #[cfg(feature = "emulator")]
            Command::Dev(dev) => dev.run().await,
            Command::Plans { command: PlansCommand::Push } => plans::push(joined()?).await,
            Command::Sync { customer } => sync::sync(joined()?, &customer).await,
            Command::Queue { most } => queue::queue(joined()?, most.into()).await,
            Command::Reconcile => reconcile::reconcile(joined()?).await,
            Command::Rebuild => rebuild::rebuild(joined()?).await,
        }
    }
}

/// The ids of other objects look alike, and each would get a value of its own.
fn customer_id(text: &str) -> Result<CustomerId, String> {
    if !text.starts_with("cus_") {
        return Err("a customer's id starts with cus_".to_owned());
    }
    CustomerId::parse(text).map_err(|error| error.to_string())
}

/// The configuration of a command that joins what runs: the environment, or `unsplit dev`'s.
fn joined() -> Result<Config, StartError> {
    let running = PathBuf::from(".data/dev.env");
    if variable("STRIPE_SECRET_KEY").is_none() && running.exists() {
        dotenvy::from_path(&running)
            .map_err(|error| StartError::new(format!("{}: {error}", running.display())))?;
    }
    Ok(Config::with(super::config::Provided::default())?)
}
