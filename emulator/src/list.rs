//! Stripe's lists: newest first, `limit`, `starting_after`, `ending_before`, `has_more`, and ranges of
//! timestamps. Filters are the resources' own business.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Key, Kind, Position, Record, Store, Tx, text};

/// The parameters that every list has, and the range of `created` that many have.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    created: Range,
}

impl Page {
    pub fn read(params: &mut Params) -> Result<Page, ApiError> {
        let limit = limit(params)?;
        let starting_after = params.text("starting_after")?;
        let ending_before = params.text("ending_before")?;
        if starting_after.is_some() && ending_before.is_some() {
            let message = "You cannot parameterize starting_after and ending_before at the same time.";
            return Err(ApiError::invalid(message).param("starting_after"));
        }
        Ok(Page { limit, starting_after, ending_before, created: Range::default() })
    }

    /// The same for a list that takes `created`.
    pub fn read_with_created(params: &mut Params) -> Result<Page, ApiError> {
        let page = Page::read(params)?;
        Ok(Page { created: Range::read(params, "created")?, ..page })
    }

    /// Without what was created before `at`.
    #[must_use]
    pub fn not_before(mut self, at: i64) -> Page {
        self.created.0.push((Bound::AtLeast, at));
        self
    }

    /// One page of the objects that `keep` lets through; with a `key`, of those that have it only. Reads from
    /// the cursor on, until the page is full.
    pub fn of(
        &self,
        tx: &Tx,
        kind: Kind,
        url: &str,
        key: Option<(Key, &str)>,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<Value, ApiError> {
        let (found, has_more) = self.find(tx, kind, key, keep)?;
        let found: Value = found.into_iter().map(Cow::into_owned).collect();
        let mut page = json!({ "object": "list", "url": url, "has_more": has_more });
        page["data"] = found;
        Ok(page)
    }

    /// The same with ids in the place of the objects, which `show` and `write` put there: for lists whose objects
    /// are shown as they are stored, without a copy of each.
    pub fn named(
        &self,
        tx: &Tx,
        kind: Kind,
        url: &str,
        key: Option<(Key, &str)>,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<Value, ApiError> {
        let (found, has_more) = self.find(tx, kind, key, keep)?;
        let ids: Vec<Value> = found.iter().map(|value| value["id"].clone()).collect();
        tx.name_page(kind);
        Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": ids }))
    }

    /// The objects of the page, and whether there are more.
    fn find<'s>(
        &self,
        tx: &'s Tx,
        kind: Kind,
        key: Option<(Key, &str)>,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<(Vec<Cow<'s, Value>>, bool), ApiError> {
        let span = self.span(tx, kind)?;
        let backwards = self.ending_before.is_some();
        let mut found = match (tx.store().collection(kind), key) {
            (None, _) => Vec::new(),
            (Some(all), Some((key, value))) => self.take(all.within_key(key, value, span), backwards, keep),
            (Some(all), None) => self.take(all.within(span), backwards, keep),
        };
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        if backwards {
            found.reverse();
        }
        Ok((found, has_more))
    }

    /// Up to one more than fit on the page, newest first or `backwards`.
    fn take<'r>(
        &self,
        newest_first: impl DoubleEndedIterator<Item = &'r Record>,
        backwards: bool,
        keep: impl Fn(&Value) -> bool,
    ) -> Vec<Cow<'r, Value>> {
        let wanted = |record: &'r Record| {
            let value = record.value();
            (value["deleted"] != true && keep(&value)).then_some(value)
        };
        let take = self.limit + 1;
        match backwards {
            true => newest_first.rev().filter_map(wanted).take(take).collect(),
            false => newest_first.filter_map(wanted).take(take).collect(),
        }
    }

    /// The positions that this page may show.
    fn span(&self, tx: &Tx, kind: Kind) -> Result<std::ops::Range<Position>, ApiError> {
        let after = cursor(tx, kind, "starting_after", self.starting_after.as_deref())?;
        let before = cursor(tx, kind, "ending_before", self.ending_before.as_deref())?;
        let (earliest, latest) = self.created.bounds();
        let end = (latest, u64::MAX);
        let from = before.map_or((earliest, 0), |(created, seq)| (earliest, 0).max((created, seq + 1)));
        Ok(from..after.map_or(end, |cursor| cursor.min(end)))
    }
}

/// Puts the objects in the place of the ids on a page that has named them.
pub fn show(store: &Store, kind: Kind, page: &mut Value) {
    for one in page["data"].as_array_mut().into_iter().flatten() {
        if let Some(record) = one.as_str().and_then(|id| store.collection(kind)?.find_again(id)) {
            *one = record.value().into_owned();
        }
    }
}

/// The same as text, right from what is stored.
pub fn write(store: &Store, kind: Kind, page: &Value) -> serde_json::Result<Vec<u8>> {
    let ids = page["data"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let records = ids.filter_map(|id| store.collection(kind)?.find_again(id));
    let written = Written {
        object: "list",
        data: records.map(Record::value).collect(),
        has_more: page["has_more"] == true,
        url: text(page, "url"),
    };
    serde_json::to_vec(&written)
}

/// A page as it is written.
#[derive(Serialize)]
struct Written<'s> {
    object: &'static str,
    data: Vec<Cow<'s, Value>>,
    has_more: bool,
    url: &'s str,
}

/// `limit`, 1 to 100, 10 if absent.
pub fn limit(params: &mut Params) -> Result<usize, ApiError> {
    let limit = params.integer("limit")?.unwrap_or(10);
    match usize::try_from(limit) {
        Ok(limit @ 1..=100) => Ok(limit),
        _ => {
            let bound = if limit < 1 { "greater than or equal to 1" } else { "less than or equal to 100" };
            let error = ApiError::invalid(format!("This value must be {bound}."));
            Err(error.code("parameter_invalid_integer").param("limit"))
        }
    }
}

/// The position of the object that a page starts after or ends before.
fn cursor(tx: &Tx, kind: Kind, param: &str, id: Option<&str>) -> Result<Option<Position>, ApiError> {
    let Some(id) = id else {
        return Ok(None);
    };
    let record = tx.store().find(kind, id).ok_or_else(|| ApiError::no_such(kind, id, Place::Param(param)))?;
    Ok(Some(record.position()))
}

/// A filter on a timestamp: `created=5` or `created[gte]=3&created[lt]=9`.
#[derive(Debug, Default)]
pub struct Range(Vec<(Bound, i64)>);

#[derive(Clone, Copy, Debug)]
enum Bound {
    Exactly,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Range {
    /// Whether nothing was asked for.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub fn read(params: &mut Params, name: &str) -> Result<Range, ApiError> {
        if !params.has(name) {
            return Ok(Range::default());
        }
        let mut as_text = params.clone();
        if let Ok(Some(text)) = as_text.text(name) {
            let exact = params.parse_integer(name, &text)?;
            *params = as_text;
            return Ok(Range(vec![(Bound::Exactly, exact)]));
        }
        let Some(mut range) = params.children(name)? else {
            return Ok(Range::default());
        };
        let words =
            [("gt", Bound::Above), ("gte", Bound::AtLeast), ("lt", Bound::Below), ("lte", Bound::AtMost)];
        let mut bounds = Vec::new();
        for (word, bound) in words {
            bounds.extend(range.integer(word)?.map(|value| (bound, value)));
        }
        range.finish()?;
        Ok(Range(bounds))
    }

    /// Whether a field of an object is in it. Without a filter everything is; with one, `null` is not.
    pub fn has(&self, field: &Value) -> bool {
        let (from, to) = self.bounds();
        self.0.is_empty() || field.as_i64().is_some_and(|at| (from..=to).contains(&at))
    }

    /// The earliest and the latest timestamp that are in it.
    fn bounds(&self) -> (i64, i64) {
        self.0.iter().fold((i64::MIN, i64::MAX), |(from, to), (bound, limit)| match bound {
            Bound::Exactly => (from.max(*limit), to.min(*limit)),
            Bound::Above => (from.max(limit.saturating_add(1)), to),
            Bound::AtLeast => (from.max(*limit), to),
            Bound::Below => (from, to.min(limit.saturating_sub(1))),
            Bound::AtMost => (from, to.min(*limit)),
        })
    }
}
