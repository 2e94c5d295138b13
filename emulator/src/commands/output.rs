//! Lines for whoever ran the command, on stdout, each sent as soon as it is whole. Errors are not its business.

use std::fmt::Display;
use std::io::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::failure::Failure;

/// Prints a line.
pub fn say(line: impl Display) -> Result<(), Failure> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// Seconds since 1970 as `2027-01-31T09:30:00Z`.
pub fn moment(at: i64) -> String {
    let text = OffsetDateTime::from_unix_timestamp(at).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_else(|| at.to_string())
}
