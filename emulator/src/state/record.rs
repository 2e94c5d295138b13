//! One stored object: its JSON, or what its JSON is made from when somebody looks. Loaded objects are patterns, and
//! events keep their snapshot as text, because a hundred thousand of either as JSON would fill the memory of a small
//! machine.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

/// Where an object stands in Stripe's order: by `created`, then by the order in which it came. Objects without
/// `created` stand at 0.
pub type Position = (i64, u64);

/// A stored object: what Stripe shows, and what only the emulator knows about it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Position in the order of creation, over all kinds. An update keeps it.
    pub seq: u64,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Own {
        value: Value,
        private: Value,
    },
    Loaded {
        pattern: Arc<Pattern>,
        number: usize,
    },
    /// An event, whose `data` nobody looks for anything by.
    Event {
        rest: Value,
        data: Box<str>,
    },
}

/// Many objects that differ by their number only. In its texts `PADDED` stands for the number with eight
/// digits and `PLAIN` for the number as it is.
#[derive(Debug)]
pub struct Pattern {
    pub value: Value,
    pub private: Value,
    /// `seq` of the number 0.
    pub first_seq: u64,
    /// How much `seq` grows from one number to the next.
    pub stride: u64,
}

impl Pattern {
    pub const PADDED: char = '\u{1}';
    pub const PLAIN: char = '\u{2}';
}

impl Record {
    /// `private` is `null` when the emulator has no notes of its own.
    pub fn new(seq: u64, mut value: Value, private: Value) -> Record {
        if value["object"] == "event" && value["data"].is_object() {
            let data = value["data"].take().to_string().into_boxed_str();
            return Record { seq, body: Body::Event { rest: value, data } };
        }
        Record { seq, body: Body::Own { value, private } }
    }

    pub fn loaded(pattern: Arc<Pattern>, number: usize) -> Record {
        let seq = pattern.first_seq + pattern.stride * number as u64;
        Record { seq, body: Body::Loaded { pattern, number } }
    }

    /// The pattern and the number, if it was loaded and has not changed since.
    pub fn loaded_from(&self) -> Option<(&Arc<Pattern>, usize)> {
        match &self.body {
            Body::Loaded { pattern, number } => Some((pattern, *number)),
            _ => None,
        }
    }

    pub fn id(&self) -> String {
        self.field("id").as_str().unwrap_or_default().to_owned()
    }

    /// The object in Stripe's exact shape.
    pub fn value(&self) -> Cow<'_, Value> {
        match &self.body {
            Body::Own { value, .. } => Cow::Borrowed(value),
            Body::Loaded { pattern, number } => Cow::Owned(filled(&pattern.value, *number)),
            Body::Event { rest, data } => {
                let mut value = rest.clone();
                value["data"] = read(data);
                Cow::Owned(value)
            }
        }
    }

    /// One field of the object, without making the rest of it.
    pub fn field(&self, name: &str) -> Cow<'_, Value> {
        match &self.body {
            Body::Own { value, .. } => Cow::Borrowed(&value[name]),
            Body::Loaded { pattern, number } => Cow::Owned(filled(&pattern.value[name], *number)),
            Body::Event { data, .. } if name == "data" => Cow::Owned(read(data)),
            Body::Event { rest, .. } => Cow::Borrowed(&rest[name]),
        }
    }

    /// One field as it is stored: in a loaded object's texts the number is still missing, and an event has no `data`.
    pub fn raw(&self, name: &str) -> &Value {
        match &self.body {
            Body::Own { value, .. } => &value[name],
            Body::Loaded { pattern, .. } => &pattern.value[name],
            Body::Event { rest, .. } => &rest[name],
        }
    }

    /// The emulator's own notes, never shown. `null` when there are none.
    pub fn private(&self) -> &Value {
        match &self.body {
            Body::Own { private, .. } => private,
            Body::Loaded { pattern, .. } => &pattern.private,
            Body::Event { .. } => &Value::Null,
        }
    }

    /// What is left of a deleted object has its `created` in the notes, so that a page can still start after it.
    pub fn position(&self) -> Position {
        let created = self.field("created").as_i64().or_else(|| self.private()["created"].as_i64());
        (created.unwrap_or_default(), self.seq)
    }
}

/// What was written as text here is read as it was.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn filled(pattern: &Value, number: usize) -> Value {
    match pattern {
        Value::String(text) if text.contains([Pattern::PADDED, Pattern::PLAIN]) => {
            let text = text.replace(Pattern::PADDED, &format!("{number:08}"));
            Value::String(text.replace(Pattern::PLAIN, &number.to_string()))
        }
        Value::Array(elements) => elements.iter().map(|element| filled(element, number)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, number))).collect()
        }
        other => other.clone(),
    }
}
