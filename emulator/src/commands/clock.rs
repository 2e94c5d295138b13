//! `clock`: shows the emulator's time and moves it forward. Months and dates become seconds here, because the
//! control knows seconds only.

use clap::{Args, Subcommand};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::client::{Emulated, Target};
use super::failure::Failure;
use super::output::{moment, say};
use super::span::Span;

#[derive(Subcommand)]
pub enum Clock {
    /// Print the emulator's time.
    #[command(after_help = "Example: stripe-emulator clock show")]
    Show(Show),
    /// Move the clock forward; what becomes due happens at once.
    #[command(
        after_help = "Examples: stripe-emulator clock advance 1mo\n          stripe-emulator clock advance 3d12h"
    )]
    Advance(Advance),
    /// Move the clock forward to a moment.
    #[command(
        after_help = "Examples: stripe-emulator clock to 2027-01-31T09:30:00Z\n          stripe-emulator clock to 2027-01-31"
    )]
    To(To),
    /// Let the clock go faster than time, or as fast again.
    #[command(
        after_help = "Examples: stripe-emulator clock speed 86400    a day a second\n          stripe-emulator clock speed 1"
    )]
    Speed(Speed),
}

#[derive(Args)]
pub struct Speed {
    /// How many of its seconds pass in a second.
    #[arg(value_name = "N")]
    speed: u32,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub struct Show {
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub struct Advance {
    /// How far, in s, min, h, d, w, mo and y; months and years by the calendar.
    #[arg(value_name = "SPAN", value_parser = Span::parse)]
    span: Span,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
pub struct To {
    /// An RFC 3339 date and time, or a date for its beginning in UTC.
    #[arg(value_name = "DATE", value_parser = parse_moment, allow_hyphen_values = false)]
    moment: i64,
    #[command(flatten)]
    target: Target,
}

impl Clock {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Clock::Show(show) => say(moment(Emulated::new(show.target)?.greet().await?)),
            Clock::Advance(advance) => {
                let emulated = Emulated::new(advance.target)?;
                let now = emulated.greet().await?;
                let to = advance.span.after(now);
                let to = to.ok_or_else(|| Failure::Input("no calendar goes that far".to_owned()))?;
                go(&emulated, now, to).await
            }
            Clock::Speed(speed) => {
                let emulated = Emulated::new(speed.target)?;
                let answer = emulated.post("clock", &json!({ "speed": speed.speed })).await?;
                say(format!("{} times as fast as time", answer["speed"]))
            }
            Clock::To(to) => {
                let emulated = Emulated::new(to.target)?;
                let now = emulated.greet().await?;
                if to.moment < now {
                    let (wanted, now) = (moment(to.moment), moment(now));
                    let message =
                        format!("it is {now} in the emulator, after {wanted}, and time only goes forward");
                    return Err(Failure::Input(message));
                }
                go(&emulated, now, to.moment).await
            }
        }
    }
}

async fn go(emulated: &Emulated, now: i64, to: i64) -> Result<(), Failure> {
    let answer = emulated.post("clock", &json!({ "advance_seconds": to - now })).await?;
    say(moment(answer["now"].as_i64().unwrap_or(to)))
}

fn parse_moment(text: &str) -> Result<i64, String> {
    let whole = if text.len() == "2027-01-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    OffsetDateTime::parse(&whole, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| "a date like 2027-01-31 or 2027-01-31T09:30:00Z is needed".to_owned())
}
