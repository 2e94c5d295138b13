//! The emulator's state: one store behind one lock, one transaction at a time, each written to the journal
//! before anyone hears of its result. That makes every request atomic, double submits and idempotency keys
//! included, at the price of doing one thing at a time, which a development server can pay.

mod change;
pub mod clock;
mod collection;
pub mod diff;
pub mod due;
pub mod ids;
mod journal;
mod kind;
mod record;
mod settings;
mod store;
mod tx;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use self::clock::machine_now;
pub use self::collection::{Collection, Key};
pub use self::due::Due;
pub use self::journal::Durability;
use self::journal::Journal;
pub use self::kind::Kind;
pub use self::record::{Pattern, Position, Record};
pub use self::settings::{AfterRetries, BillingSettings};
pub use self::store::{Settings, Store};
pub use self::tx::{Stamp, Tx};
use crate::StartError;
use crate::billing::due::{self as what_is_due, Done};
use crate::webhooks::{Chances, Dice, Draw, Mode};

/// The state could not be written, or the task that wrote it died. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("the emulator could not store its state: {0}")]
pub struct StoreError(String);

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> StoreError {
        StoreError(error.to_string())
    }
}

/// Why a snapshot was not restored, in words that say what to do.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(
        "line {line} of the snapshot cannot be read: {why}. Send what GET /_emulator/snapshot gave, as it is"
    )]
    Unreadable { line: usize, why: String },
    #[error("the snapshot has no account. Send what GET /_emulator/snapshot gave, as it is")]
    Empty,
    #[error("the state could not be written: {0}")]
    Write(io::Error),
}

#[derive(Debug)]
struct Inner {
    store: Store,
    journal: Option<Journal>,
    closed: bool,
}

impl Inner {
    /// Puts another store in the place of this one, on disk first: an error or a crash leaves the old or the new
    /// one, and never a mixture. The settings of this run stay.
    fn replace(&mut self, mut fresh: Store) -> io::Result<()> {
        self.journal.as_mut().map_or(Ok(()), |journal| journal.rewrite(&fresh))?;
        fresh.settings = std::mem::take(&mut self.store.settings);
        self.store = fresh;
        Ok(())
    }
}

/// A handle to the state; clones share it.
#[derive(Clone, Debug)]
pub struct State {
    inner: Arc<Mutex<Inner>>,
    deliveries: mpsc::UnboundedSender<Draw>,
}

impl State {
    /// Reads the state from `data_dir`, or starts empty. `deliveries` hears which deliveries a transaction brings.
    pub fn open(
        data_dir: Option<&Path>,
        settings: Settings,
        deliveries: mpsc::UnboundedSender<Draw>,
    ) -> Result<State, StartError> {
        let mut store = Store::default();
        let journal = data_dir.map(|path| Journal::open(path, &mut store)).transpose()?;
        store.settings = settings;
        let state =
            State { inner: Arc::new(Mutex::new(Inner { store, journal, closed: false })), deliveries };
        state.ensure_account().map_err(|error| StartError::State(error.to_string()))?;
        Ok(state)
    }

    /// Runs a transaction, on a thread that may block where there is a file. What has become due happens first; if
    /// `run` fails, everything it did is undone.
    pub async fn transact<T, E>(
        &self,
        stamp: Stamp,
        run: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        // Without a file there is nothing to wait for, and another thread would cost more than most requests.
        if !self.is_kept() {
            return self.transact_now(stamp, Durability::Lazy, run);
        }
        let state = self.clone();
        let task = tokio::task::spawn_blocking(move || state.transact_now(stamp, Durability::Flushed, run));
        task.await.unwrap_or_else(|error| Err(StoreError(error.to_string()).into()))
    }

    /// The same on this thread.
    pub fn transact_now<T, E: From<StoreError>>(
        &self,
        stamp: Stamp,
        durability: Durability,
        run: impl FnOnce(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(StoreError("it has been stopped".to_owned()).into());
        }
        let Inner { store, journal, .. } = &mut *inner;
        loop {
            let mut tx = Tx::begin(store, Stamp::default());
            let done = what_is_due::run(&mut tx);
            commit(tx, journal, Durability::Lazy, &self.deliveries)?;
            if done == Done::All {
                break;
            }
        }
        let mut tx = Tx::begin(store, stamp);
        let result = run(&mut tx)?;
        commit(tx, journal, durability, &self.deliveries)?;
        Ok(result)
    }

    /// Whether the state survives a restart.
    pub fn is_kept(&self) -> bool {
        self.lock().journal.is_some()
    }

    /// Looks at the state without changing it.
    pub fn read<T>(&self, look: impl FnOnce(&Store) -> T) -> T {
        look(&self.lock().store)
    }

    /// Changes how events are delivered from now on.
    pub fn set_mode(&self, mode: Mode, chances: Option<Chances>) {
        let settings = &mut self.lock().store.settings;
        settings.mode = mode;
        settings.dice = chances.map(Dice::new);
    }

    /// Forgets everything but the account, and how deliveries go. After an error nothing is forgotten.
    pub fn reset(&self) -> io::Result<()> {
        let mut inner = self.lock();
        let fresh = inner.store.account_alone();
        inner.replace(fresh)?;
        let settings = &mut inner.store.settings;
        (settings.mode, settings.dice) = (Mode::default(), None);
        Ok(())
    }

    /// Everything as lines of text, to be restored here or elsewhere.
    pub fn snapshot(&self) -> io::Result<Vec<u8>> {
        self.read(journal::snapshot)
    }

    /// Puts what a snapshot has in the place of everything. What was there is lost; what this run listens and sends
    /// to stays.
    pub fn restore(&self, lines: &[u8]) -> Result<(), RestoreError> {
        let fresh =
            journal::read_snapshot(lines).map_err(|(line, why)| RestoreError::Unreadable { line, why })?;
        if fresh.account_id().is_empty() {
            return Err(RestoreError::Empty);
        }
        self.lock().replace(fresh).map_err(RestoreError::Write)
    }

    /// Lets go of the data directory. Nothing can be changed afterwards.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.journal = None;
    }

    /// Lets the clock go at this speed from now on, on this thread.
    pub fn set_speed(&self, speed: i64) -> Result<(), StoreError> {
        self.transact_now(Stamp::default(), Durability::Flushed, |tx| {
            let clock = tx.store().clock.at_speed(speed);
            tx.put(Kind::Setting, clock.setting());
            Ok(())
        })
    }

    fn ensure_account(&self) -> Result<(), StoreError> {
        if !self.read(Store::account_id).is_empty() {
            return Ok(());
        }
        self.transact_now(Stamp::default(), Durability::Flushed, |tx| {
            let account = json!({ "id": ids::new("acct_"), "object": "account", "created": tx.now() });
            tx.put(Kind::Account, account);
            Ok(())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn commit(
    tx: Tx,
    journal: &mut Option<Journal>,
    durability: Durability,
    deliveries: &mpsc::UnboundedSender<Draw>,
) -> Result<(), StoreError> {
    if let Some(journal) = journal {
        let changes = tx.changes();
        if !changes.is_empty() {
            journal.append(&changes, durability).map_err(|error| StoreError(error.to_string()))?;
        }
    }
    // A dispatcher that is gone means that the emulator stops; the journal keeps what is pending.
    if let Some(draw) = tx.commit() {
        let _ = deliveries.send(draw);
    }
    Ok(())
}

/// The string in a field, or "" if there is none.
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The integer in a field, or 0 if there is none.
pub fn number(value: &Value, field: &str) -> i64 {
    value[field].as_i64().unwrap_or_default()
}
