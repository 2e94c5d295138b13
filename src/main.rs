//! Parses the command line and runs the command. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use unsplit::server::commands::Cli;

/// A webhook is read into some thousand small pieces that are dropped at once, on whichever thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("unsplit: the runtime can't be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("unsplit: {error}");
            ExitCode::FAILURE
        }
    }
}
