//! Sends deliveries and retries them. One task owns all of it, so that stopping the emulator stops every
//! attempt; what is pending stays in the journal and goes on at the next start.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use super::attempts::Attempt;
use super::{Draw, Mode, secret, signature};
use crate::state::{Durability, Kind, Stamp, State, StoreError, machine_now, text};

/// How long an endpoint may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The wait before the first retry. It doubles up to `LONGEST_WAIT`: shorter than Stripe's, so that
/// development heals quickly.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After this many seconds a delivery has failed.
const GIVE_UP_AFTER: i64 = 3 * 24 * 3600;

/// How many attempts run at once.
const AT_ONCE: usize = 64;

/// What the controls can ask of the dispatcher.
#[derive(Debug)]
pub enum Command {
    /// Send these now, one after the other, whatever the mode.
    Send(Vec<String>),
    /// Stop all attempts.
    Stop(oneshot::Sender<()>),
}

pub struct Dispatcher {
    courier: Courier,
    new: mpsc::UnboundedReceiver<Draw>,
    commands: mpsc::UnboundedReceiver<Command>,
}

impl Dispatcher {
    pub fn new(
        state: State,
        new: mpsc::UnboundedReceiver<Draw>,
        commands: mpsc::UnboundedReceiver<Command>,
    ) -> Result<Dispatcher, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .user_agent("Stripe/1.0 (+https://stripe.com/docs/webhooks)")
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let courier = Courier { state, client, permits: Arc::new(Semaphore::new(AT_ONCE)) };
        Ok(Dispatcher { courier, new, commands })
    }

    /// Runs until it is stopped.
    pub async fn run(mut self) {
        let mut attempts = JoinSet::new();
        let unfinished = unfinished(&self.courier.state);
        attempts.spawn(self.courier.clone().send_in_order(unfinished));
        loop {
            tokio::select! {
                Some(draw) = self.new.recv() => self.courier.set_out(draw, &mut attempts),
                Some(command) = self.commands.recv() => match command {
                    Command::Send(ids) => {
                        attempts.spawn(self.courier.clone().send_in_order(ids));
                    }
                    Command::Stop(done) => {
                        attempts.shutdown().await;
                        let _ = done.send(());
                        return;
                    }
                },
                Some(_) = attempts.join_next() => {}
                else => return,
            }
        }
    }
}

/// Deliveries that a former run left pending or held.
fn unfinished(state: &State) -> Vec<String> {
    state.read(|store| {
        let all = store.collection(Kind::Delivery).into_iter().flat_map(|all| all.oldest_first());
        let open = all.filter(|(_, record)| matches!(text(&record.value(), "state"), "pending" | "held"));
        open.map(|(id, _)| id.clone()).collect()
    })
}

/// Carries deliveries to their endpoints; clones share the client and the bound on attempts at once.
#[derive(Clone)]
struct Courier {
    state: State,
    client: reqwest::Client,
    permits: Arc<Semaphore>,
}

impl Courier {
    /// Sends one after the other, whatever the mode. What failed is then retried like any other, all at once.
    async fn send_in_order(self, ids: Vec<String>) {
        for id in &ids {
            self.attempt(id).await;
        }
        let mut retries = JoinSet::new();
        for id in ids {
            retries.spawn(self.clone().retry(id));
        }
        retries.join_all().await;
    }

    /// Sends new deliveries of one transaction as chance has it: all at once if nobody asked for more.
    fn set_out(&self, draw: Draw, attempts: &mut JoinSet<()>) {
        for id in draw.dropped {
            let state = self.state.clone();
            attempts.spawn(async move { lose(&state, &id).await });
        }
        if draw.in_turn {
            attempts.spawn(self.clone().deliver_in_turn(draw.sent));
            return;
        }
        for (id, wait) in draw.sent {
            attempts.spawn(self.clone().deliver(id, wait));
        }
    }

    async fn deliver_in_turn(self, sent: Vec<(String, Duration)>) {
        let mut failed = JoinSet::new();
        for (id, wait) in sent {
            tokio::time::sleep(wait).await;
            if !hold_if_asked(&self.state, &id).await && self.attempt(&id).await == Next::Retry {
                failed.spawn(self.clone().retry(id));
            }
        }
        failed.join_all().await;
    }

    async fn deliver(self, id: String, wait: Duration) {
        tokio::time::sleep(wait).await;
        if !hold_if_asked(&self.state, &id).await && self.attempt(&id).await == Next::Retry {
            self.retry(id).await;
        }
    }

    /// Waits and tries again until the delivery is no longer pending.
    async fn retry(self, id: String) {
        let mut wait = self.first_wait();
        while is_pending(&self.state, &id) {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            if hold_if_asked(&self.state, &id).await || self.attempt(&id).await == Next::Done {
                return;
            }
        }
    }

    fn first_wait(&self) -> Duration {
        let asked = self.state.read(|store| store.settings.dice.as_ref()?.chances.retry_ms);
        asked.map_or(FIRST_WAIT, Duration::from_millis)
    }

    async fn attempt(&self, id: &str) -> Next {
        let _permit = self.permits.acquire().await;
        let Some((url, secret, body)) = self.state.read(|store| {
            let delivery = store.find(Kind::Delivery, id)?.value();
            let event = store.find(Kind::Event, text(&delivery, "event"))?.value();
            let secret = secret(store, text(&delivery, "endpoint"));
            Some((text(&delivery, "url").to_owned(), secret, event.to_string()))
        }) else {
            return Next::Done;
        };
        let Some(secret) = secret else {
            change(&self.state, id, |delivery, _| {
                delivery["state"] = json!("failed");
                delivery["reason"] = json!("the endpoint is gone");
            })
            .await;
            return Next::Done;
        };
        let at = machine_now();
        let request = self
            .client
            .post(&url)
            .header("stripe-signature", signature(&secret, at, &body))
            .header("content-type", "application/json; charset=utf-8")
            .body(body);
        record(&self.state, id, Attempt::make(request, at).await).await
    }
}

fn is_pending(state: &State, id: &str) -> bool {
    state.read(|store| store.find(Kind::Delivery, id).is_some_and(|one| one.value()["state"] == "pending"))
}

/// While events are held back, a pending delivery becomes a held one. True if it did.
async fn hold_if_asked(state: &State, id: &str) -> bool {
    if state.read(|store| store.settings.mode) != Mode::Held {
        return false;
    }
    // Asked again under the lock, so that a delivery is not put aside just after the others were let go.
    let now = change(state, id, |delivery, mode| {
        if mode == Mode::Held {
            delivery["state"] = json!("held");
        }
    });
    now.await == "held"
}

/// A delivery that gets lost: nobody tries, and its event waits for it no longer.
async fn lose(state: &State, id: &str) {
    let lost = change(state, id, |delivery, _| {
        delivery["state"] = json!("failed");
        delivery["reason"] = json!("lost by chance");
    });
    lost.await;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Done,
    Retry,
}

async fn record(state: &State, id: &str, attempt: Attempt) -> Next {
    let (at, delivered) = (attempt.at(), attempt.is_delivered());
    let state_now = change(state, id, move |delivery, _| {
        let first = delivery["attempts"][0]["at"].as_i64().unwrap_or(at);
        attempt.add_to(delivery);
        delivery["reason"] = Value::Null;
        delivery["state"] = match delivered {
            true => json!("delivered"),
            false if at - first > GIVE_UP_AFTER => json!("failed"),
            false => json!("pending"),
        };
    })
    .await;
    if state_now == "pending" { Next::Retry } else { Next::Done }
}

/// Changes a delivery, counts it off its event when it is through, and gives its state.
async fn change(state: &State, id: &str, edit: impl FnOnce(&mut Value, Mode) + Send + 'static) -> String {
    let (state, id) = (state.clone(), id.to_owned());
    let task = tokio::task::spawn_blocking(move || {
        state.transact_now(Stamp::default(), Durability::Lazy, |tx| {
            let Some(mut delivery) = tx.copy(Kind::Delivery, &id) else {
                return Ok::<_, StoreError>(String::new());
            };
            let before = text(&delivery, "state").to_owned();
            edit(&mut delivery, tx.settings().mode);
            let after = text(&delivery, "state").to_owned();
            let lost = delivery["reason"] == "lost by chance";
            if before != after && (after == "delivered" || lost) {
                count_off(tx, text(&delivery, "event"));
            }
            tx.put(Kind::Delivery, delivery);
            Ok(after)
        })
    });
    task.await.ok().and_then(Result::ok).unwrap_or_default()
}

fn count_off(tx: &mut crate::state::Tx, event: &str) {
    if let Some(mut event) = tx.copy(Kind::Event, event) {
        event["pending_webhooks"] = json!((event["pending_webhooks"].as_i64().unwrap_or(1) - 1).max(0));
        tx.put(Kind::Event, event);
    }
}
