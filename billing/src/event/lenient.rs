//! Reads the few fields of an event that matter straight from its text: of some five kilobytes a
//! hundred bytes are used, and a tree of all of it would cost most of a webhook's time. Whatever is
//! missing, or of another type than expected, counts as nothing: it is no reason to lose an event.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// An event (https://docs.stripe.com/api/events/object).
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawEvent<'a> {
    pub id: Field<'a>,
    #[serde(rename = "type")]
    pub kind: Field<'a>,
    pub created: Field<'a>,
    pub livemode: Field<'a>,
    pub data: Object<RawData<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawData<'a> {
    pub object: Object<RawObject<'a>>,
    pub previous_attributes: Object<RawPrevious<'a>>,
}

/// What the event is about, as far as any of the tracked ones has it.
#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawObject<'a> {
    pub id: Field<'a>,
    pub customer: Field<'a>,
    pub subscription: Field<'a>,
    pub parent: Object<RawParent<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawPrevious<'a> {
    pub customer: Field<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawParent<'a> {
    pub subscription_details: Object<RawDetails<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct RawDetails<'a> {
    pub subscription: Field<'a>,
}

/// An object whose fields are read; anything else in its place is one without fields.
#[derive(Default)]
pub(super) struct Object<T>(pub T);

/// A text, a whole number or a truth value. Of an object its `id` is taken: Stripe may expand what
/// is an id otherwise.
#[derive(Default)]
pub(super) enum Field<'a> {
    Text(Cow<'a, str>),
    Number(i64),
    Flag(bool),
    #[default]
    Nothing,
}

impl Field<'_> {
    pub fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<i64> {
        match self {
            Field::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match self {
            Field::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyObject(PhantomData)).map(Object)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyField)
    }
}

/// What serde calls for whatever a value turns out to be, where that says nothing to us.
macro_rules! nothing_of {
    ($nothing:expr; $($visit:ident: $type:ty),*) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("JSON")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }

        $(fn $visit<E>(self, _: $type) -> Result<Self::Value, E> {
            Ok($nothing)
        })*
    };
}

struct AnyObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for AnyObject<T> {
    type Value = T;

    nothing_of!(T::default(); visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_str: &str);

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

struct AnyField;

impl<'de> Visitor<'de> for AnyField {
    type Value = Field<'de>;

    nothing_of!(Field::Nothing;);

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Field::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Field::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Field::Nothing, Field::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut id = Field::Nothing;
        while let Some(name) = fields.next_key::<Field>()? {
            if name.text() == Some("id") {
                id = fields.next_value()?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(id)
    }
}
