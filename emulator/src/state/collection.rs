//! All objects of one kind, in the order of their creation, with an index by customer so that a list of one
//! customer's objects does not read everybody's. Knows nothing of transactions or files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

/// A stored object: what Stripe shows, and what only the emulator knows about it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Position in the order of creation, over all kinds. An update keeps it.
    pub seq: u64,
    /// The object in Stripe's exact shape.
    pub value: Value,
    /// The emulator's own notes, never shown. `null` when there are none.
    pub private: Value,
}

#[derive(Debug, Default)]
pub struct Collection {
    records: HashMap<String, Record>,
    order: BTreeMap<u64, String>,
    by_customer: HashMap<String, BTreeSet<u64>>,
}

impl Collection {
    pub fn find(&self, id: &str) -> Option<&Record> {
        self.records.get(id)
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Stores `record`, and gives what was stored before under this id.
    pub fn put(&mut self, id: &str, record: Record) -> Option<Record> {
        let before = self.remove(id);
        if let Some(customer) = record.value["customer"].as_str() {
            self.by_customer.entry(customer.to_owned()).or_default().insert(record.seq);
        }
        self.order.insert(record.seq, id.to_owned());
        self.records.insert(id.to_owned(), record);
        before
    }

    pub fn remove(&mut self, id: &str) -> Option<Record> {
        let before = self.records.remove(id)?;
        self.order.remove(&before.seq);
        if let Some(customer) = before.value["customer"].as_str()
            && let Some(seqs) = self.by_customer.get_mut(customer)
        {
            seqs.remove(&before.seq);
        }
        Some(before)
    }

    /// Every record, newest first.
    pub fn newest_first(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.order.values().rev().filter_map(|id| self.records.get(id))
    }

    /// Every record with its id, oldest first.
    pub fn oldest_first(&self) -> impl Iterator<Item = (&String, &Record)> {
        self.order.values().filter_map(|id| self.records.get_key_value(id))
    }

    /// The records whose `customer` is this one, newest first.
    pub fn of_customer(&self, customer: &str) -> impl DoubleEndedIterator<Item = &Record> {
        let seqs = self.by_customer.get(customer).into_iter().flatten();
        seqs.rev().filter_map(|seq| self.order.get(seq)).filter_map(|id| self.records.get(id))
    }
}
