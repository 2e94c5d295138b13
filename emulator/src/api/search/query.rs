//! Stripe's search query language: clauses `field:"value"` (equal), `field~"value"` (contains), `field>5` and the like,
//! `-` before any of them, `null` for a value that is not there, joined by AND or a space, or all by OR. Knows no
//! resource, only the fields that it is told of.

use serde_json::Value;

use crate::error::ApiError;
use crate::state::Key;

/// Stripe takes so many clauses.
const MOST: usize = 10;
/// A part of a text is found by so many characters.
const LEAST_PART: usize = 3;

/// What a field is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Whole, case and all: ids, words, booleans.
    Token,
    /// In any case, whole or in part.
    Text,
    Number,
}

/// A field by which a resource is searched, with its place in the object as a JSON pointer.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub of: &'static str,
    pub is: Type,
}

#[derive(Debug)]
pub struct Query {
    clauses: Vec<Clause>,
    any: bool,
}

#[derive(Debug)]
struct Clause {
    of: Of,
    test: Test,
    /// `None` for `null`.
    value: Option<String>,
    negated: bool,
}

#[derive(Debug)]
enum Of {
    Known(Field),
    Metadata(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    Contains,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Query {
    pub fn parse(query: &str, fields: &'static [Field]) -> Result<Query, ApiError> {
        parse(query, fields).map_err(|why| bad(query, &why))
    }

    pub fn fits(&self, object: &Value) -> bool {
        match self.any {
            true => self.clauses.iter().any(|clause| clause.fits(object)),
            false => self.clauses.iter().all(|clause| clause.fits(object)),
        }
    }

    /// A pair of metadata that whatever fits must have, if the query says so.
    pub fn pair(&self) -> Option<String> {
        if self.any { None } else { self.clauses.iter().find_map(Clause::pair) }
    }
}

impl Clause {
    fn pair(&self) -> Option<String> {
        match (&self.of, &self.value) {
            (Of::Metadata(name), Some(value))
                if self.test == Test::Equals && !self.negated && !value.is_empty() =>
            {
                Some(Key::pair(name, value))
            }
            _ => None,
        }
    }

    fn fits(&self, object: &Value) -> bool {
        self.is_true(object) != self.negated
    }

    fn is_true(&self, object: &Value) -> bool {
        let (actual, is) = match &self.of {
            Of::Known(field) => (object.pointer(field.of).unwrap_or(&Value::Null), field.is),
            Of::Metadata(key) => (&object["metadata"][key], Type::Token),
        };
        let Some(wanted) = &self.value else {
            return actual.is_null();
        };
        if is == Type::Number {
            let wanted = wanted.parse::<i64>().unwrap_or_default();
            return actual.as_i64().is_some_and(|actual| match self.test {
                Test::Equals | Test::Contains => actual == wanted,
                Test::Above => actual > wanted,
                Test::AtLeast => actual >= wanted,
                Test::Below => actual < wanted,
                Test::AtMost => actual <= wanted,
            });
        }
        let fold = |text: &str| if is == Type::Text { text.to_lowercase() } else { text.to_owned() };
        let actual = actual.as_str().map_or_else(|| shown(actual), fold);
        match self.test {
            Test::Contains => actual.contains(&fold(wanted)),
            _ => actual == fold(wanted),
        }
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { String::new() } else { value.to_string() }
}

fn bad(query: &str, why: &str) -> ApiError {
    let message = format!(
        "We were unable to parse your search query: {why} in `{query}`. Learn more about the search query language at \
         https://stripe.com/docs/search."
    );
    ApiError::invalid(message).param("query")
}

fn parse(query: &str, fields: &'static [Field]) -> Result<Query, String> {
    let mut rest = query.trim();
    let (mut clauses, mut joined) = (Vec::new(), None);
    loop {
        let (clause, after) = parse_clause(rest, fields)?;
        clauses.push(clause);
        let after = after.trim_start();
        if after.is_empty() {
            return match clauses.len() > MOST {
                true => Err(format!("there are more than {MOST} clauses")),
                false => Ok(Query { clauses, any: joined == Some(true) }),
            };
        }
        let word = |word: &str| {
            let start = after.get(..word.len())?;
            start.eq_ignore_ascii_case(word).then(|| after[word.len()..].trim_start())
        };
        let (by_or, next) = match (word("or "), word("and ")) {
            (Some(next), _) => (true, next),
            (None, Some(next)) => (false, next),
            (None, None) => (false, after),
        };
        if joined.is_some_and(|joined| joined != by_or) {
            return Err("AND and OR cannot be combined".to_owned());
        }
        joined = Some(by_or);
        rest = next;
    }
}

fn parse_clause<'q>(text: &'q str, fields: &'static [Field]) -> Result<(Clause, &'q str), String> {
    let (negated, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (of, rest) = parse_field(text, fields)?;
    let is = if let Of::Known(field) = &of { field.is } else { Type::Token };
    let (test, rest) = parse_test(rest, is)?;
    let (value, rest) = parse_value(rest, is)?;
    if test == Test::Contains && value.as_ref().is_some_and(|value| value.chars().count() < LEAST_PART) {
        return Err(format!("~ needs at least {LEAST_PART} characters"));
    }
    Ok((Clause { of, test, value, negated }, rest))
}

fn parse_test(rest: &str, is: Type) -> Result<(Test, &str), String> {
    let tests = [
        (">=", Test::AtLeast),
        ("<=", Test::AtMost),
        (">", Test::Above),
        ("<", Test::Below),
        ("=", Test::Equals),
        (":", Test::Equals),
        ("~", Test::Contains),
    ];
    let found = tests.iter().find_map(|(word, test)| Some((*test, rest.strip_prefix(word)?, *word)));
    let Some((test, rest, word)) = found else {
        return Err("a field must be followed by :, ~, >, <, >=, <= or =".to_owned());
    };
    match (is, word) {
        (_, ":") | (Type::Text, "~") => Ok((test, rest)),
        (Type::Number, word) if word != "~" => Ok((test, rest)),
        // Of metadata the whole value is compared, as is every word.
        _ => Err(format!("the field does not support {word}")),
    }
}

fn parse_field<'q>(text: &'q str, fields: &'static [Field]) -> Result<(Of, &'q str), String> {
    if let Some(rest) = text.strip_prefix("metadata[") {
        let (key, rest) = parse_quoted(rest)?;
        let rest = rest.strip_prefix(']').ok_or("a ] is missing")?;
        return Ok((Of::Metadata(key), rest));
    }
    let end = text.find(|next: char| !(next.is_ascii_alphanumeric() || matches!(next, '_' | '.')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    match fields.iter().find(|field| field.name == name) {
        Some(field) => Ok((Of::Known(*field), rest)),
        None => {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            Err(format!("unknown field `{name}`: there are {} and metadata", names.join(", ")))
        }
    }
}

/// A text in quotes, a number, or `null`.
fn parse_value(text: &str, is: Type) -> Result<(Option<String>, &str), String> {
    if let Some(rest) = text.strip_prefix("null") {
        return Ok((None, rest));
    }
    let (value, rest) = if text.starts_with(['"', '\'']) {
        parse_quoted(text)?
    } else if is == Type::Number {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        (text[..end].to_owned(), &text[end..])
    } else {
        return Err("a value must be in quotes".to_owned());
    };
    if is == Type::Number && value.parse::<i64>().is_err() {
        return Err(format!("`{value}` is no number"));
    }
    Ok((Some(value), rest))
}

/// Text in single or double quotes, where a backslash takes the next character as it is.
fn parse_quoted(text: &str) -> Result<(String, &str), String> {
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
    Err("a quote is not closed".to_owned())
}
