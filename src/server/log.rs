//! Where the log goes.

use std::io::IsTerminal;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// Logs to stderr until what is returned is dropped: JSON where nobody looks at it, text on a
/// terminal. RUST_LOG says how much. A thread of its own writes, so that no request waits for whoever reads the
/// log; where that one hangs, lines are left out.
pub fn log_to_stderr(default: &str) -> WorkerGuard {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{default},tower_sessions_core=error")));
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second call, as a test may make, keeps the first one's settings.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.with_ansi(false).json().try_init()
    };
    guard
}
