//! Parses the command line and runs the command. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use unsplit::server::commands::Cli;

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
