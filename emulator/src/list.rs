//! Stripe's lists: newest first, `limit`, `starting_after`, `ending_before`, `has_more`, and ranges of
//! timestamps. Filters are the resources' own business.

use serde_json::{Value, json};

use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Record, Tx};

/// The parameters that every list has.
#[derive(Debug)]
pub struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
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
        Ok(Page { limit, starting_after, ending_before })
    }

    /// One page of the objects that `keep` lets through; with `customer`, of that customer's only.
    pub fn of(
        &self,
        tx: &Tx,
        kind: Kind,
        url: &str,
        customer: Option<&str>,
        keep: impl Fn(&Value) -> bool,
    ) -> Result<Value, ApiError> {
        let after = cursor(tx, kind, "starting_after", self.starting_after.as_deref())?;
        let before = cursor(tx, kind, "ending_before", self.ending_before.as_deref())?;
        let wanted = |record: &&Record| {
            after.is_none_or(|seq| record.seq < seq)
                && before.is_none_or(|seq| record.seq > seq)
                && record.value["deleted"] != true
                && keep(&record.value)
        };
        let take = self.limit + 1;
        let all = tx.store().collection(kind);
        let mut found: Vec<&Record> = match (all, customer, before) {
            (None, ..) => Vec::new(),
            (Some(all), Some(customer), None) => {
                all.of_customer(customer).filter(wanted).take(take).collect()
            }
            (Some(all), Some(customer), Some(_)) => {
                all.of_customer(customer).rev().filter(wanted).take(take).collect()
            }
            (Some(all), None, None) => all.newest_first().filter(wanted).take(take).collect(),
            (Some(all), None, Some(_)) => all.newest_first().rev().filter(wanted).take(take).collect(),
        };
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        if before.is_some() {
            found.reverse();
        }
        let data: Vec<&Value> = found.into_iter().map(|record| &record.value).collect();
        Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
    }
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
fn cursor(tx: &Tx, kind: Kind, param: &str, id: Option<&str>) -> Result<Option<u64>, ApiError> {
    let Some(id) = id else {
        return Ok(None);
    };
    let record = tx.store().find(kind, id).ok_or_else(|| ApiError::no_such(kind, id, Place::Param(param)))?;
    Ok(Some(record.seq))
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

    pub fn contains(&self, value: i64) -> bool {
        self.0.iter().all(|(bound, limit)| match bound {
            Bound::Exactly => value == *limit,
            Bound::Above => value > *limit,
            Bound::AtLeast => value >= *limit,
            Bound::Below => value < *limit,
            Bound::AtMost => value <= *limit,
        })
    }
}
