//! Everything the emulator knows, in memory: the collections, when each thing is next due, and the settings
//! of this run. Changes go through a transaction (`tx`); this module only keeps the indexes right.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::{CLOCK, Clock};
use super::collection::Collection;
use super::due::{self, Due};
use super::kind::Kind;
use super::record::Record;
use crate::Webhook;
use crate::webhooks::{Dice, Mode};

/// What belongs to this run and is not stored.
#[derive(Debug, Default)]
pub struct Settings {
    /// Where the hosted pages are, without a slash at the end.
    pub base_url: String,
    /// Endpoints given on the command line, which get every event.
    pub forwards: Vec<Webhook>,
    /// Whether events are sent, held back or dropped.
    pub mode: Mode,
    /// What befalls them on the way, if a test asked for it.
    pub dice: Option<Dice>,
}

#[derive(Debug, Default)]
pub struct Store {
    collections: BTreeMap<Kind, Collection>,
    /// What time brings about, by the test clock whose time it is; "" for the emulator's own.
    due: BTreeMap<String, BTreeSet<Due>>,
    next_seq: u64,
    pub clock: Clock,
    pub settings: Settings,
}

impl Store {
    pub fn find(&self, kind: Kind, id: &str) -> Option<&Record> {
        self.collections.get(&kind)?.find(id)
    }

    /// All objects of a kind, if there ever was one.
    pub fn collection(&self, kind: Kind) -> Option<&Collection> {
        self.collections.get(&kind)
    }

    /// The account every object belongs to. There is exactly one.
    pub fn account_id(&self) -> String {
        let accounts = self.collections.get(&Kind::Account);
        accounts.and_then(|all| all.oldest_first().next()).map(|(id, _)| id.clone()).unwrap_or_default()
    }

    /// How many records were looked at since the start.
    pub fn looked_at(&self) -> u64 {
        self.collections.values().map(Collection::looked_at).sum()
    }

    pub fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq
    }

    /// Stores or removes a record and keeps the indexes in step. Gives what was there before.
    pub fn set(&mut self, kind: Kind, id: &str, record: Option<Record>) -> Option<Record> {
        if kind == Kind::Setting && id == CLOCK {
            let setting = record.as_ref().map(|record| record.value().into_owned());
            self.clock = setting.map_or_else(Clock::default, |setting| Clock::of_setting(&setting));
        }
        self.next_seq = self.next_seq.max(record.as_ref().map_or(0, |record| record.seq));
        let is_due = record.as_ref().and_then(|record| due::at(kind, record));
        let collection = self.collections.entry(kind).or_default();
        let before = match record {
            Some(record) => collection.put(id, record),
            None => collection.remove(id),
        };
        let was_due = before.as_ref().and_then(|before| due::at(kind, before));
        if let Some((clock, at)) = was_due {
            let left = self.due.get_mut(&clock);
            if left.is_some_and(|due| due.remove(&(at, kind, id.to_owned())) && due.is_empty()) {
                self.due.remove(&clock);
            }
        }
        if let Some((clock, at)) = is_due {
            self.due.entry(clock).or_default().insert((at, kind, id.to_owned()));
        }
        before
    }

    /// A store that knows this one's account and nothing else.
    pub fn account_alone(&self) -> Store {
        let account = self.account_id();
        let mut alone = Store::default();
        alone.set(Kind::Account, &account, self.find(Kind::Account, &account).cloned());
        alone
    }

    /// The first thing that is due until then by a test clock, or by the emulator's own for "".
    pub fn next_due(&self, clock: &str, until: i64) -> Option<Due> {
        let first = self.due.get(clock)?.first()?;
        (first.0 <= until).then(|| first.clone())
    }

    /// Leaves something alone until it changes again.
    pub fn forget_due(&mut self, clock: &str, due: &Due) {
        if let Some(all) = self.due.get_mut(clock) {
            all.remove(due);
        }
    }

    /// Every record, oldest first within its kind, accounts before all else.
    pub fn everything(&self) -> impl Iterator<Item = (Kind, &String, &Record)> {
        self.collections
            .iter()
            .flat_map(|(kind, all)| all.oldest_first().map(move |(id, record)| (*kind, id, record)))
    }
}
