//! GET /v1/customers/search: Stripe's query language as far as customers need it. Clauses `field:"value"`
//! (equal), `field~"value"` (contains) and `-` before either, joined by AND. Unlike Stripe's, this search sees
//! what was written a moment ago.

use serde_json::{Value, json};

use super::Call;
use crate::error::ApiError;
use crate::list;
use crate::state::{Key, Kind, Record, Store, text};

pub fn customers(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let query = params.required_text("query")?;
    let limit = list::limit(&mut params)?;
    let page = params.text("page")?;
    params.finish()?;
    let clauses = parse(&query)?;
    let after = page.as_deref().map(read_page).transpose()?;
    let found: Vec<&Record> = candidates(call.tx.store(), &clauses)
        .filter(|record| after.is_none_or(|seq| record.seq < seq) && *record.field("deleted") != true)
        .filter(|record| clauses.iter().all(|clause| clause.fits(&record.value())))
        .take(limit + 1)
        .collect();
    let has_more = found.len() > limit;
    let next = found.get(limit.saturating_sub(1)).filter(|_| has_more).map(|record| record.seq.to_string());
    let data: Vec<_> = found.iter().take(limit).map(|record| record.value()).collect();
    Ok(json!({
        "object": "search_result",
        "url": "/v1/customers/search",
        "has_more": has_more,
        "data": data,
        "next_page": next,
    }))
}

/// The customers that can fit, newest first: by an index where a clause allows it, otherwise all.
fn candidates<'s>(store: &'s Store, clauses: &[Clause]) -> Box<dyn Iterator<Item = &'s Record> + 's> {
    let Some(all) = store.collection(Kind::Customer) else {
        return Box::new(std::iter::empty());
    };
    match clauses.iter().find_map(Clause::pair) {
        Some(pair) => Box::new(all.by_key(Key::Metadata, &pair).collect::<Vec<_>>().into_iter()),
        None => Box::new(all.newest_first()),
    }
}

fn read_page(page: &str) -> Result<u64, ApiError> {
    page.parse().map_err(|_| ApiError::invalid(format!("Invalid page: {page}")).param("page"))
}

#[derive(Debug, PartialEq, Eq)]
struct Clause {
    field: Field,
    test: Test,
    value: String,
    negated: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Field {
    Text(String),
    Metadata(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    Contains,
}

impl Clause {
    /// The pair of metadata that a customer must have to fit, if the clause says so.
    fn pair(&self) -> Option<String> {
        match &self.field {
            Field::Metadata(name) if self.test == Test::Equals && !self.negated && !self.value.is_empty() => {
                Some(Key::pair(name, &self.value))
            }
            _ => None,
        }
    }

    fn fits(&self, customer: &Value) -> bool {
        let (actual, exact_case) = match &self.field {
            Field::Text(field) => (text(customer, field), false),
            Field::Metadata(key) => (text(&customer["metadata"], key), true),
        };
        let fold = |text: &str| if exact_case { text.to_owned() } else { text.to_lowercase() };
        let (actual, wanted) = (fold(actual), fold(&self.value));
        let fits = match self.test {
            Test::Equals => actual == wanted,
            Test::Contains => actual.contains(&wanted),
        };
        fits != self.negated
    }
}

fn bad(query: &str, why: &str) -> ApiError {
    let message = format!(
        "We were unable to parse your search query: {why} in `{query}`. Learn more about the search query language at \
         https://stripe.com/docs/search."
    );
    ApiError::invalid(message).param("query")
}

fn parse(query: &str) -> Result<Vec<Clause>, ApiError> {
    let mut rest = query.trim();
    let mut clauses = Vec::new();
    loop {
        let (clause, after) = parse_clause(rest).map_err(|why| bad(query, why))?;
        clauses.push(clause);
        let after = after.trim_start();
        if after.is_empty() {
            return Ok(clauses);
        }
        let joined = after.get(..4).filter(|word| word.eq_ignore_ascii_case("and "));
        rest = match joined {
            Some(_) => after[4..].trim_start(),
            None => {
                return Err(bad(
                    query,
                    "clauses must be joined by AND (OR is not supported by stripe-emulator)",
                ));
            }
        };
    }
}

fn parse_clause(text: &str) -> Result<(Clause, &str), &'static str> {
    let (negated, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (field, rest) = parse_field(text)?;
    let mut chars = rest.chars();
    let test = match chars.next() {
        Some(':') => Test::Equals,
        Some('~') => Test::Contains,
        _ => return Err("a field must be followed by : or ~"),
    };
    let (value, rest) = parse_quoted(chars.as_str())?;
    Ok((Clause { field, test, value, negated }, rest))
}

fn parse_field(text: &str) -> Result<(Field, &str), &'static str> {
    if let Some(rest) = text.strip_prefix("metadata[") {
        let (key, rest) = parse_quoted(rest)?;
        let rest = rest.strip_prefix(']').ok_or("a ] is missing")?;
        return Ok((Field::Metadata(key), rest));
    }
    for name in ["email", "name", "phone"] {
        if let Some(rest) = text.strip_prefix(name) {
            return Ok((Field::Text(name.to_owned()), rest));
        }
    }
    Err("unknown field: customers are searched by email, name, phone and metadata")
}

/// Text in single or double quotes, where a backslash takes the next character as it is.
fn parse_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut chars = text.chars();
    let quote =
        chars.next().filter(|quote| matches!(quote, '\'' | '"')).ok_or("a value must be in quotes")?;
    let mut value = String::new();
    while let Some(next) = chars.next() {
        match next {
            '\\' => value.extend(chars.next()),
            next if next == quote => return Ok((value, chars.as_str())),
            next => value.push(next),
        }
    }
    Err("a quote is not closed")
}
