//! `cargo run -p unsplit-model --release [soak]`: explores what `cargo test` does, or a soak, with
//! all cores, and prints how many states each run has. Ends with 1 if one finds a fault.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::available_parallelism;

use unsplit_model::{BINDING_QUICK, BINDING_SOAK, Protocol, QUICK, SOAK, explore};

fn main() -> io::Result<ExitCode> {
    let soak = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("soak") => true,
        Some(other) => {
            writeln!(io::stderr(), "{other}? Give `soak`, or nothing for what the tests explore.")?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let threads = available_parallelism().map_or(1, usize::from);
    let (runs, bindings) = if soak { (SOAK, BINDING_SOAK) } else { (QUICK, BINDING_QUICK) };
    let protocol = runs.iter().map(|run| explore(run.name, Protocol(run.config), threads));
    let binding = bindings.iter().map(|run| explore(run.name, run.config, threads));
    let mut out = io::stdout();
    let (mut states, mut sound) = (0, true);
    for explored in protocol.chain(binding) {
        writeln!(out, "{explored}")?;
        states += explored.states;
        sound &= explored.is_sound();
    }
    writeln!(out, "{states} states in all")?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
