//! Why a command did not do its work, in words that say what to do. Printed on stderr by `main`, and nowhere else.

/// A command that failed. Each is exit code 1; wrong arguments are clap's business and exit with 2.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(
        "no emulator answers at {url}. Start one with `stripe-emulator serve`, or say where it is with --url"
    )]
    NobodyThere { url: String },
    #[error(
        "what answers at {url} is no stripe-emulator. Start one with `stripe-emulator serve`, or say where it is with --url"
    )]
    Stranger { url: String },
    #[error("the URL {url} cannot be used: {reason}")]
    BadUrl { url: String, reason: String },
    #[error("the emulator at {url} did not answer to the end: {reason}")]
    Lost { url: String, reason: String },
    #[error("the emulator refused: {0}")]
    Refused(String),
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Start(#[from] stripe_emulator::StartError),
    #[error("cannot write: {0}")]
    Output(std::io::Error),
    /// Whoever read the output has had enough, as `head` does.
    #[error("nobody reads the output")]
    Unread,
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::Unread,
            _ => Failure::Output(error),
        }
    }
}
