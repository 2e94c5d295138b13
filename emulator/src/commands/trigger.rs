//! `trigger`: causes an event by making the objects it takes, as Stripe's CLI does. What each takes is in
//! `triggers.json`, in the format of fixtures. Whether the event happened is looked up and not assumed.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use super::client::{Emulated, Target};
use super::events::{known_events, unknown_events};
use super::failure::Failure;
use super::fixtures::{Step, run_all};
use super::output::say;

/// How often the event is looked for, and how long between two looks.
const LOOKS: usize = 50;
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Args)]
#[command(after_help = "Example: stripe-emulator trigger checkout.session.completed\n\
                        Without an event it lists those that it knows.")]
pub struct Trigger {
    /// The event's type, for example customer.subscription.created.
    #[arg(value_name = "EVENT")]
    event: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
struct Book {
    steps: Vec<Step>,
    /// The names of the steps that an event takes, in order.
    events: BTreeMap<String, Vec<String>>,
}

impl Book {
    fn read() -> Result<Book, Failure> {
        let read = serde_json::from_str(include_str!("triggers.json"));
        read.map_err(|error| Failure::Input(format!("triggers.json: {error}")))
    }

    /// The steps to an event, or which events are known.
    fn steps(&self, event: &str) -> Result<Vec<Step>, Failure> {
        let Some(names) = self.events.get(event) else {
            let message =
                format!("{event} is not an event that can be triggered. Known are:\n{}", self.known());
            return Err(Failure::Input(message));
        };
        let step = |name: &String| self.steps.iter().find(|step| step.name == *name).cloned();
        Ok(names.iter().filter_map(step).collect())
    }

    fn known(&self) -> String {
        self.events.keys().map(|event| format!("  {event}")).collect::<Vec<_>>().join("\n")
    }
}

impl Trigger {
    pub async fn run(self) -> Result<(), Failure> {
        let book = Book::read()?;
        let Some(event) = self.event else {
            return say(book.known());
        };
        let steps = book.steps(&event)?;
        let emulated = Emulated::new(self.target)?;
        emulated.greet().await?;
        let known = known_events(&emulated).await?;
        run_all(&emulated, &steps).await?;
        let found = wait_for(&emulated, &known, &event).await?;
        say(format!("{event} happened: {found}"))
    }
}

/// The id of the newest event of this type that was not known. Waits a little, because some follow a moment after
/// the request, when the emulator looks at what is due.
async fn wait_for(emulated: &Emulated, known: &HashSet<String>, event: &str) -> Result<String, Failure> {
    for _ in 0..LOOKS {
        let happened = unknown_events(emulated, known).await?;
        if let Some(found) = happened.iter().rev().find(|one| one["type"] == *event) {
            return Ok(found["id"].as_str().unwrap_or_default().to_owned());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Failure::Input(format!("the requests went through, but {event} did not happen")))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::Book;

    #[test]
    fn every_step_that_an_event_names_is_there() {
        let book = Book::read().unwrap();
        for (event, names) in &book.events {
            assert_eq!(book.steps(event).unwrap().len(), names.len(), "{event}");
        }
    }
}
