//! All objects of one kind, in Stripe's order, with indexes so that a list reads its page and not everything.
//! Counts the records that are looked at, for the log of requests. Knows nothing of transactions or files.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::record::{Position, Record};

/// A field that objects are found by without reading all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Customer,
    Email,
    /// The event that a delivery carries.
    Event,
    Invoice,
    TestClock,
    /// A pair of the object's metadata, as `Key::pair` writes it.
    Metadata,
}

impl Key {
    const FIELDS: [(Key, &str); 5] = [
        (Key::Customer, "customer"),
        (Key::Email, "email"),
        (Key::Event, "event"),
        (Key::Invoice, "invoice"),
        (Key::TestClock, "test_clock"),
    ];

    /// This key with a value, if there is one.
    pub fn of(self, value: Option<&str>) -> Option<(Key, &str)> {
        value.map(|value| (self, value))
    }

    /// What `Key::Metadata` is looked up with.
    pub fn pair(name: &str, value: &str) -> String {
        format!("{name}\n{value}")
    }
}

#[derive(Debug, Default)]
pub struct Collection {
    records: HashMap<String, Record>,
    order: BTreeMap<Position, String>,
    by_key: HashMap<(Key, String), BTreeSet<Position>>,
    looked_at: Cell<u64>,
}

impl Collection {
    pub fn find(&self, id: &str) -> Option<&Record> {
        self.count();
        self.records.get(id)
    }

    /// A record that was looked at a moment ago, and is not counted again.
    pub fn find_again(&self, id: &str) -> Option<&Record> {
        self.records.get(id)
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// How many records were looked at, ever.
    pub fn looked_at(&self) -> u64 {
        self.looked_at.get()
    }

    /// Stores `record`, and gives what was stored before under this id.
    pub fn put(&mut self, id: &str, record: Record) -> Option<Record> {
        let before = self.remove(id);
        let position = record.position();
        for key in keys(&record) {
            self.by_key.entry(key).or_default().insert(position);
        }
        self.order.insert(position, id.to_owned());
        self.records.insert(id.to_owned(), record);
        before
    }

    pub fn remove(&mut self, id: &str) -> Option<Record> {
        let before = self.records.remove(id)?;
        let position = before.position();
        self.order.remove(&position);
        for key in keys(&before) {
            if let Some(positions) = self.by_key.get_mut(&key) {
                positions.remove(&position);
                if positions.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
        Some(before)
    }

    /// Every record, newest first.
    pub fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.order.values().rev().filter_map(|id| self.find(id))
    }

    /// Every record with its id, oldest first.
    pub fn oldest_first(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.order.values().filter_map(|id| Some((id, self.find(id)?)))
    }

    /// The records whose positions are in `span`, newest first.
    pub fn within(&self, span: Range<Position>) -> impl DoubleEndedIterator<Item = &Record> {
        let found = (!span.is_empty()).then(|| self.order.range(span));
        found.into_iter().flatten().rev().filter_map(|(_, id)| self.find(id))
    }

    /// The same, of those records only whose `key` is `value`.
    pub fn within_key(
        &self,
        key: Key,
        value: &str,
        span: Range<Position>,
    ) -> impl DoubleEndedIterator<Item = &Record> {
        let positions = self.by_key.get(&(key, value.to_owned())).filter(|_| !span.is_empty());
        let found = positions.map(|positions| positions.range(span));
        let ids = found.into_iter().flatten().rev().filter_map(|position| self.order.get(position));
        ids.filter_map(|id| self.find(id))
    }

    /// The records whose `key` is `value`, newest first.
    pub fn by_key(&self, key: Key, value: &str) -> impl DoubleEndedIterator<Item = &Record> {
        self.within_key(key, value, (i64::MIN, 0)..(i64::MAX, u64::MAX))
    }

    fn count(&self) {
        self.looked_at.set(self.looked_at.get() + 1);
    }
}

fn keys(record: &Record) -> Vec<(Key, String)> {
    let metadata = record.field("metadata");
    let pairs = metadata.as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some((Key::Metadata, Key::pair(name, value.as_str()?))));
    let field = |(key, name): (Key, &str)| Some((key, record.field(name).as_str()?.to_owned()));
    pairs.chain(Key::FIELDS.into_iter().filter_map(field)).collect()
}
