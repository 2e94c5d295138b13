//! Marks that come at the same time go out together: while one call of the script is under way,
//! further marks gather for the next. A mark alone goes out at once. Who is cut off while waiting
//! holds nobody up, and the mark is made all the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use redis::Script;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::shards::{CHANNEL, Keys};
use super::{RedisStore, unavailable};
use crate::adapters::redis::RedisConnection;
use crate::adapters::redis::durable::Durable;
use crate::clock::millis;
use crate::error::StoreError;
use crate::id::SubscriptionId;
use crate::ports::{Clock, Due, Mark};

/// How many marks may wait for their turn.
const LONGEST_LINE: usize = 20_000;
/// Lua's JSON keeps fourteen digits.
const LARGEST: u64 = 90_000_000_000_000;

/// As many as one call takes; what is more waits for the next.
const MOST: usize = 256;
/// As many as wait for the disk together, which may take a second.
const MOST_TO_DISK: usize = 2048;
type Answer = oneshot::Sender<Result<u64, StoreError>>;
type Waiting = (Mark, Option<String>, Answer);

/// One for each shard, started when it is first needed.
#[derive(Clone, Default)]
pub(in crate::adapters::redis) struct Marks {
    shards: Arc<Mutex<Vec<Option<mpsc::Sender<Waiting>>>>>,
}

impl Marks {
    /// `event` is what is kept of the event for people, as JSON.
    pub async fn mark(
        &self,
        store: &RedisStore,
        shard: u32,
        mark: Mark,
        event: Option<String>,
    ) -> Result<u64, StoreError> {
        let (answer, answered) = oneshot::channel();
        // Where Redis hangs nobody piles up: what is not taken is sent again by Stripe.
        self.line(store, shard).try_send((mark, event, answer)).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "too many marks wait for Redis",
                TrySendError::Closed(_) => "the process is going down",
            };
            StoreError::Unavailable(why.to_owned())
        })?;
        let lost = |_| StoreError::Unavailable("the process is going down".to_owned());
        answered.await.map_err(lost)?
    }

    fn line(&self, store: &RedisStore, shard: u32) -> mpsc::Sender<Waiting> {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        let index = usize::try_from(shard).unwrap_or(0);
        if shards.len() <= index {
            shards.resize(index + 1, None);
        }
        if let Some(line) = shards[index].as_ref().filter(|line| !line.is_closed()) {
            return line.clone();
        }
        let (line, waiting) = mpsc::channel(LONGEST_LINE);
        let gatherer = Gatherer {
            redis: store.redis.clone(),
            durable: store.durable.clone(),
            clock: store.clock.clone(),
            script: store.scripts.queue.mark.clone(),
            keys: Keys::of(shard),
            quiet: store.queue.quiet,
        };
        tokio::spawn(gatherer.run(waiting));
        shards[index] = Some(line.clone());
        line
    }
}

/// Takes the marks of one shard to Redis until the last store that may send some is gone.
struct Gatherer {
    redis: RedisConnection,
    durable: Durable,
    clock: Arc<dyn Clock>,
    script: Script,
    keys: Keys,
    quiet: Duration,
}

impl Gatherer {
    async fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut gathered = Vec::new();
        while waiting.recv_many(&mut gathered, MOST).await > 0 {
            let own = self.durable.connection(&self.redis).await;
            if matches!(own, Ok(Some(_))) {
                gathered.extend(std::iter::from_fn(|| waiting.try_recv().ok()).take(MOST_TO_DISK - MOST));
            }
            let result = match own {
                Ok(own) => self.send(&gathered, own).await,
                Err(error) => Err(error),
            };
            for (number, (_, _, answer)) in gathered.drain(..).enumerate() {
                let generation = match &result {
                    Ok(generations) => generations
                        .get(number)
                        .copied()
                        .ok_or_else(|| StoreError::Unavailable("the answer was cut short".to_owned())),
                    Err(error) => Err(error.clone()),
                };
                // Nobody may be waiting any more.
                let _ = answer.send(generation);
            }
        }
    }

    async fn send(&self, marks: &[Waiting], own: Option<RedisConnection>) -> Result<Vec<u64>, StoreError> {
        let k = &self.keys;
        let keys = [&k.due, &k.leased, &k.entries, &k.quiet, &k.events];
        let arguments = self.arguments(marks);
        match own {
            None => {
                let mut call = self.script.key(&keys[..]);
                call.arg(&arguments).invoke_async(&mut self.redis.clone()).await.map_err(unavailable)
            }
            Some(mut own) => self.durable.to_disk(&mut own, &self.script, &keys, &arguments).await,
        }
    }

    fn arguments(&self, marks: &[Waiting]) -> Vec<String> {
        let mut arguments = vec![self.clock.now().0.to_string(), CHANNEL.to_owned()];
        arguments.push(rand::rng().random_range(1..LARGEST).to_string());
        arguments.push(millis(self.quiet).to_string());
        for (mark, event, _) in marks {
            let (at, enough) = match mark.due {
                Due::By(at) => (at, "by"),
                Due::From(at) => (at, "from"),
            };
            let expects = mark.expects.as_ref().map_or("", SubscriptionId::as_str);
            arguments.extend([mark.customer.to_string(), at.0.to_string(), expects.to_owned()]);
            arguments.extend([enough.to_owned(), event.clone().unwrap_or_default()]);
        }
        arguments
    }
}
