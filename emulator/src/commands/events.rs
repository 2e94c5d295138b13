//! `events tail` and `events resend`: what happens in a running emulator, and what becomes of telling it. Asks
//! the controls again and again, so that the log of requests stays the app's own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Emulated, Target};
use super::failure::Failure;
use super::output::{moment, say};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Events in the order in which they came, as one may be dated before others that are known already.
const EVENTS: &str = "events?order=stored";
/// How many events are known from before, and how many deliveries are watched.
const KNOWN: usize = 1000;
const WATCHED: usize = 500;
/// How many events one look asks for; more if all of them are new.
const ASKED: usize = 100;

#[derive(Subcommand)]
pub enum Events {
    /// Print events as they happen, and what becomes of their deliveries, until Ctrl-C.
    Tail(Tail),
    /// Send an event again to every endpoint that wants it.
    Resend(Resend),
}

#[derive(Args)]
#[command(
    after_help = "Example: stripe-emulator events tail --type 'customer.subscription.*' --type invoice.paid"
)]
pub struct Tail {
    /// Only this type, `*` at the end for all that begin so. Can be given more than once.
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// One JSON object a line: `{"event": …}`, and `{"delivery": …}` for each change of a delivery.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
#[command(after_help = "Example: stripe-emulator events resend evt_1a2b3c")]
pub struct Resend {
    /// The event's id, as `events tail` prints it.
    #[arg(value_name = "EVT")]
    event: String,
    #[command(flatten)]
    target: Target,
}

impl Events {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Events::Tail(tail) => Follower::start(tail).await?.follow().await,
            Events::Resend(resend) => resend.run().await,
        }
    }
}

impl Resend {
    async fn run(self) -> Result<(), Failure> {
        let emulated = Emulated::new(self.target)?;
        let answer = emulated.post("deliveries/redeliver", &json!({ "event": self.event })).await?;
        match answer["sent"].as_u64() {
            None | Some(0) => {
                let fix = "start the emulator with --forward-to, or make a webhook endpoint that wants it";
                Err(Failure::Input(format!("{}: no endpoint wants this event; {fix}", self.event)))
            }
            Some(sent) => say(format!("{} is on its way to {sent} endpoint(s)", self.event)),
        }
    }
}

/// The newest events, oldest first, that are not `known`. Asks for more while all that came are new.
pub async fn unknown_events(emulated: &Emulated, known: &HashSet<String>) -> Result<Vec<Value>, Failure> {
    let mut limit = ASKED;
    loop {
        let found = list(emulated, EVENTS, limit).await?;
        let is_new = |event: &Value| !known.contains(id(event));
        if found.len() < limit || !found.iter().all(is_new) {
            let mut new: Vec<Value> = found.into_iter().take_while(is_new).collect();
            new.reverse();
            return Ok(new);
        }
        limit *= 10;
    }
}

/// The ids of the events that there are.
pub async fn known_events(emulated: &Emulated) -> Result<HashSet<String>, Failure> {
    let known = list(emulated, EVENTS, KNOWN).await?;
    Ok(known.iter().map(|event| id(event).to_owned()).collect())
}

async fn list(emulated: &Emulated, control: &str, limit: usize) -> Result<Vec<Value>, Failure> {
    let separator = if control.contains('?') { '&' } else { '?' };
    let mut answer = emulated.get(&format!("{control}{separator}limit={limit}")).await?;
    Ok(answer["data"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap_or_default()
}

/// What was seen so far.
struct Follower {
    emulated: Emulated,
    types: Vec<String>,
    json: bool,
    known: HashSet<String>,
    /// How often each delivery was tried, and its state.
    deliveries: HashMap<String, (u64, String)>,
}

impl Follower {
    async fn start(tail: Tail) -> Result<Follower, Failure> {
        let emulated = Emulated::new(tail.target)?;
        emulated.greet().await?;
        let known = known_events(&emulated).await?;
        let before = list(&emulated, "deliveries", WATCHED).await?;
        let deliveries = before.iter().map(|one| (id(one).to_owned(), progress(one))).collect();
        eprintln!("Waiting for events. Stop with Ctrl-C.");
        Ok(Follower { emulated, types: tail.types, json: tail.json, known, deliveries })
    }

    async fn follow(mut self) -> Result<(), Failure> {
        loop {
            for event in unknown_events(&self.emulated, &self.known).await? {
                self.known.insert(id(&event).to_owned());
                if self.wants(&event) {
                    say(if self.json { json!({ "event": event }).to_string() } else { event_line(&event) })?;
                }
            }
            for delivery in list(&self.emulated, "deliveries", WATCHED).await?.into_iter().rev() {
                self.tell(&delivery)?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn wants(&self, value: &Value) -> bool {
        let event = value["type"].as_str().unwrap_or_default();
        let fits = |pattern: &String| {
            pattern.strip_suffix('*').map_or(pattern == event, |beginning| event.starts_with(beginning))
        };
        self.types.is_empty() || self.types.iter().any(fits)
    }

    /// Tells of a delivery whose state or number of tries is new.
    fn tell(&mut self, delivery: &Value) -> Result<(), Failure> {
        let now = progress(delivery);
        let begins = now.0 == 0 && now.1 == "pending";
        let before = self.deliveries.insert(id(delivery).to_owned(), now.clone());
        if begins || before == Some(now) || !self.wants(delivery) {
            return Ok(());
        }
        say(if self.json { json!({ "delivery": delivery }).to_string() } else { delivery_line(delivery) })
    }
}

fn progress(delivery: &Value) -> (u64, String) {
    let state = delivery["state"].as_str().unwrap_or_default();
    (delivery["tried"].as_u64().unwrap_or_default(), state.to_owned())
}

fn event_line(event: &Value) -> String {
    let created = event["created"].as_i64().unwrap_or_default();
    let object = &event["data"]["object"];
    format!(
        "{}  {}  {}  {}",
        moment(created),
        event["type"].as_str().unwrap_or_default(),
        id(object),
        id(event)
    )
}

/// `    customer.created delivered to http://…: 200`.
fn delivery_line(delivery: &Value) -> String {
    let text = |field: &str| delivery[field].as_str().unwrap_or_default();
    let state = if text("state") == "pending" { "failed, to be tried again" } else { text("state") };
    let last = delivery["attempts"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null);
    let outcome = match (last["status"].as_u64(), last["error"].as_str()) {
        (Some(status), _) => format!(": {status}"),
        (None, Some(error)) => format!(": {error}"),
        (None, None) => delivery["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default(),
    };
    let tried = match delivery["tried"].as_u64() {
        Some(tried) if tried > 1 => format!(", tried {tried} times"),
        _ => String::new(),
    };
    format!("    {} {state} ({}){outcome}{tried}", text("type"), text("url"))
}
