//! Marks that come at the same time go out together: while one call of the script is under way,
//! further marks gather for the next. A mark alone goes out at once. Who is cut off while waiting
//! holds nobody up, and the mark is made all the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use redis::Script;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::inspect::EVENTS_KEPT;
use super::shards::{CHANNEL, Keys};
use super::{RedisStore, to_json, unavailable};
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
/// Where Redis takes longer than this to fail, whoever waits already would only wait for the same.
const HANGS: Duration = Duration::from_secs(1);

type Generation = Result<u64, StoreError>;

/// A mark as the script takes it, and who wants to know its generation.
struct Waiting {
    /// Customer, when it is due, the subscription it expects or nothing, `by` or `from`.
    arguments: [String; 4],
    /// As JSON.
    event: Option<String>,
    answer: oneshot::Sender<Generation>,
}

/// One line of marks for each shard, started when it is first needed.
#[derive(Clone, Default)]
pub(in crate::adapters::redis) struct Marks {
    shards: Arc<Mutex<Vec<Option<mpsc::Sender<Waiting>>>>>,
    /// Changes where a worker must look.
    here: watch::Sender<()>,
}

impl Marks {
    pub async fn mark(&self, store: &RedisStore, shard: u32, mark: &Mark) -> Generation {
        let (answer, answered) = oneshot::channel();
        let event = mark.received.as_ref().map(|event| to_json("{stripe:due}:events", event)).transpose()?;
        let waiting = Waiting { arguments: arguments(mark), event, answer };
        // Where Redis hangs nobody piles up: what is not taken is sent again by Stripe.
        self.line(store, shard).try_send(waiting).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "too many marks wait for Redis",
                TrySendError::Closed(_) => "the process is going down",
            };
            StoreError::Unavailable(why.to_owned())
        })?;
        let lost = |_| StoreError::Unavailable("the process is going down".to_owned());
        answered.await.map_err(lost)?
    }

    /// Changes whenever a mark of this process has made a customer the first of its shard.
    pub fn listen(&self) -> watch::Receiver<()> {
        self.here.subscribe()
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
            here: self.here.clone(),
        };
        tokio::spawn(gatherer.run(waiting));
        shards[index] = Some(line.clone());
        line
    }
}

fn arguments(mark: &Mark) -> [String; 4] {
    let (at, enough) = match mark.due {
        Due::By(at) => (at, "by"),
        Due::From(at) => (at, "from"),
    };
    let expects = mark.expects.as_ref().map_or("", SubscriptionId::as_str).to_owned();
    [mark.customer.to_string(), at.0.to_string(), expects, enough.to_owned()]
}

/// Takes the marks of one shard to Redis until the last store that may send some is gone.
struct Gatherer {
    redis: RedisConnection,
    durable: Durable,
    clock: Arc<dyn Clock>,
    script: Script,
    keys: Keys,
    quiet: Duration,
    here: watch::Sender<()>,
}

impl Gatherer {
    async fn run(self, mut line: mpsc::Receiver<Waiting>) {
        let mut gathered = Vec::new();
        while line.recv_many(&mut gathered, MOST).await > 0 {
            gather(&mut line, &mut gathered).await;
            let began = Instant::now();
            let own = self.durable.connection(&self.redis).await;
            if matches!(own, Ok(Some(_))) {
                take(&mut line, &mut gathered, MOST_TO_DISK);
            }
            let result = match own {
                Ok(own) => self.send(&gathered, own).await,
                Err(error) => Err(error),
            };
            if result.is_err() && began.elapsed() >= HANGS {
                take(&mut line, &mut gathered, usize::MAX);
            }
            for (waiting, number) in gathered.drain(..).zip(0..) {
                let generation = result.as_ref().map(|first| first + number).map_err(Clone::clone);
                // Nobody may be waiting any more.
                let _ = waiting.answer.send(generation);
            }
        }
    }

    /// Returns the generation of the first; the others follow.
    async fn send(&self, marks: &[Waiting], own: Option<RedisConnection>) -> Generation {
        let k = &self.keys;
        let keys = [&k.due, &k.leased, &k.entries, &k.quiet, &k.events];
        let first = rand::rng().random_range(1..LARGEST);
        let generations: Vec<String> =
            marks.iter().zip(first..).map(|(_, generation)| generation.to_string()).collect();
        let fixed = [
            self.clock.now().0.to_string(),
            CHANNEL.to_owned(),
            millis(self.quiet).to_string(),
            events(marks),
        ];
        let of_marks = marks.iter().zip(&generations).flat_map(|(mark, generation)| {
            let [customer, at, expects, enough] = &mark.arguments;
            [customer, generation, at, expects, enough]
        });
        let arguments: Vec<&str> = fixed.iter().chain(of_marks).map(String::as_str).collect();
        let wakes: u8 = match own {
            None => {
                let mut call = self.script.key(&keys[..]);
                call.arg(&arguments).invoke_async(&mut self.redis.clone()).await.map_err(unavailable)?
            }
            Some(mut own) => self.durable.to_disk(&mut own, &self.script, &keys, &arguments).await?,
        };
        if wakes == 1 {
            self.here.send_replace(());
        }
        Ok(first)
    }
}

/// Takes who waits already, up to so many in all.
fn take(line: &mut mpsc::Receiver<Waiting>, gathered: &mut Vec<Waiting>, most: usize) {
    let room = most.saturating_sub(gathered.len());
    gathered.extend(std::iter::from_fn(|| line.try_recv().ok()).take(room));
}

/// Whoever is about to mark goes along, as long as there are more. Where nobody is, it takes no time.
async fn gather(line: &mut mpsc::Receiver<Waiting>, gathered: &mut Vec<Waiting>) {
    loop {
        tokio::task::yield_now().await;
        let before = gathered.len();
        take(line, gathered, MOST);
        if gathered.len() == before {
            return;
        }
    }
}

/// The newest of the events that came, newest first, as one element of the list: one for each would cost more
/// than the marks.
fn events(marks: &[Waiting]) -> String {
    let newest: Vec<&str> =
        marks.iter().rev().filter_map(|mark| mark.event.as_deref()).take(EVENTS_KEPT).collect();
    if newest.is_empty() { String::new() } else { format!("[{}]", newest.join(",")) }
}
