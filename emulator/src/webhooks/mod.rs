//! Webhooks: which endpoints an event goes to, and its way there. `sign` makes the signature, `dispatch` sends
//! and retries, `attempts` remembers what came of it, `chances` has some of them lost or late where a test asks.
//! Deliveries are stored with their event, so that a crash loses none.

mod attempts;
mod chances;
mod dispatch;
mod sign;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::chances::{Chances, Dice, Draw};
pub use self::dispatch::{Command, Dispatcher};
pub use self::sign::signature;
use crate::state::{Kind, Store, text};

/// What happens to events now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Sent at once.
    #[default]
    Normal,
    /// Kept, and sent in order when the mode is normal again.
    Held,
    /// Never sent.
    Dropped,
}

impl Mode {
    pub fn drops(self) -> bool {
        self == Mode::Dropped
    }
}

/// Whether Stripe has events of this type, by its library for this API version; `*` stands for all.
pub fn is_event_type(word: &str) -> bool {
    word == "*" || include_str!("event_types.txt").lines().any(|known| known == word)
}

/// An endpoint that wants an event.
#[derive(Clone, Debug)]
pub struct Target {
    /// `we_…`, or `forward:<url>` for one that was given at start.
    pub endpoint: String,
    pub url: String,
}

/// The endpoints that want events of this type.
pub fn targets(store: &Store, event: &str) -> Vec<Target> {
    let forwards = store
        .settings
        .forwards
        .iter()
        .map(|forward| Target { endpoint: format!("forward:{}", forward.url), url: forward.url.clone() });
    let endpoints = store.collection(Kind::WebhookEndpoint).into_iter().flat_map(|all| all.oldest_first());
    let wanting = endpoints
        .filter(|(_, record)| wants(&record.value(), event))
        .map(|(id, record)| Target { endpoint: id.clone(), url: text(&record.value(), "url").to_owned() });
    forwards.chain(wanting).collect()
}

fn wants(endpoint: &Value, event: &str) -> bool {
    let enabled = endpoint["enabled_events"].as_array().into_iter().flatten();
    endpoint["status"] == "enabled" && enabled.into_iter().any(|pattern| pattern == "*" || pattern == event)
}

/// The secret that an endpoint's deliveries are signed with; `None` if the endpoint is gone.
pub fn secret(store: &Store, endpoint: &str) -> Option<String> {
    if let Some(url) = endpoint.strip_prefix("forward:") {
        let forward = store.settings.forwards.iter().find(|forward| forward.url == url);
        return forward.map(|forward| forward.secret.clone());
    }
    let record = store.find(Kind::WebhookEndpoint, endpoint)?;
    record.private()["secret"].as_str().map(str::to_owned)
}

/// A new delivery of an event to an endpoint.
pub fn delivery(event: &str, event_type: &str, target: &Target, mode: Mode) -> Value {
    let state = match mode {
        Mode::Normal => "pending",
        Mode::Held => "held",
        Mode::Dropped => "failed",
    };
    json!({
        "id": format!("{event}:{}", target.endpoint),
        "event": event,
        "type": event_type,
        "endpoint": target.endpoint,
        "url": target.url,
        "state": state,
        "reason": if mode.drops() { json!("dropped") } else { Value::Null },
        "attempts": [],
        "tried": 0,
    })
}
