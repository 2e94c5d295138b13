//! What a line of the journal says: one object as it is now, or many that differ by their number only. Loaded objects
//! are written as their pattern with the numbers that are left of it, so that a hundred thousand take one line.
//! Writes and reads no file itself.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::Kind;
use super::record::{Pattern, Record};
use super::store::Store;

/// One object as a line of the journal has it. Without `value` it was deleted. With `many` it stands for all objects
/// of a pattern, `id` is empty and `seq` is that of the number 0.
#[derive(Serialize, Deserialize)]
pub struct Change {
    pub kind: Kind,
    pub id: String,
    pub seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub private: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    many: Option<Many>,
}

/// Which objects of a pattern there are.
#[derive(Serialize, Deserialize)]
struct Many {
    /// How much `seq` grows from one number to the next.
    stride: u64,
    /// In order, and none twice.
    numbers: Vec<Range<usize>>,
}

impl Change {
    /// The change that makes `id` what it is now.
    pub fn of(kind: Kind, id: &str, record: Option<&Record>) -> Change {
        let seq = record.map_or(0, |record| record.seq);
        let value = record.map(|record| record.value().into_owned());
        let private = record.map_or(Value::Null, |record| record.private().clone());
        Change { kind, id: id.to_owned(), seq, value, private, many: None }
    }

    pub fn apply(self, store: &mut Store) {
        let Change { kind, id, seq, value, private, many } = self;
        match (many, value) {
            (Some(Many { stride, numbers }), Some(value)) => {
                let pattern = Arc::new(Pattern { value, private, first_seq: seq, stride });
                for number in numbers.into_iter().flatten() {
                    let record = Record::loaded(Arc::clone(&pattern), number);
                    store.set(kind, &record.id(), Some(record));
                }
            }
            (_, value) => {
                store.set(kind, &id, value.map(|value| Record::new(seq, value, private)));
            }
        }
    }
}

/// Gathers what was loaded, to be written pattern by pattern.
#[derive(Default)]
pub struct Loaded(Vec<(Kind, Arc<Pattern>, Vec<Range<usize>>)>);

impl Loaded {
    /// Takes the record if it is one of a pattern; gives whether it was.
    pub fn take(&mut self, kind: Kind, record: &Record) -> bool {
        let Some((pattern, number)) = record.loaded_from() else {
            return false;
        };
        let alone = Range { start: number, end: number + 1 };
        let known = self.0.iter_mut().find(|(_, known, _)| Arc::ptr_eq(known, pattern));
        match known.map(|(_, _, numbers)| numbers) {
            None => self.0.push((kind, Arc::clone(pattern), vec![alone])),
            Some(numbers) => match numbers.last_mut() {
                Some(last) if last.end == number => last.end += 1,
                _ => numbers.push(alone),
            },
        }
        true
    }

    pub fn into_changes(self) -> impl Iterator<Item = Change> {
        self.0.into_iter().map(|(kind, pattern, numbers)| Change {
            kind,
            id: String::new(),
            seq: pattern.first_seq,
            value: Some(pattern.value.clone()),
            private: pattern.private.clone(),
            many: Some(Many { stride: pattern.stride, numbers }),
        })
    }
}
