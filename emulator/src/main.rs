//! The program: reads the command line, does what it says, and tells on stderr why it could not.

mod commands;

use std::process::ExitCode;

use clap::Parser;
use commands::{Cli, Failure};

/// An answer is hundreds of short-lived pieces on any thread, which glibc's malloc is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match commands::run(Cli::parse()).await {
        Ok(()) | Err(Failure::Unread) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("stripe-emulator: {failure}");
            ExitCode::FAILURE
        }
    }
}
