//! Typed reading of parameters. A reader takes what it knows; `finish` refuses whatever is left, with Stripe's
//! `parameter_unknown`. Every error names the parameter in full, for example `items[0][price]`.

use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::form::Node;

#[derive(Clone, Debug, Default)]
pub struct Params {
    prefix: String,
    fields: Vec<(String, Node)>,
}

/// What a request says about a field that can be emptied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    Set(T),
    /// The request sent an empty string.
    Clear,
}

impl<T: Into<Value>> Change<T> {
    /// The value to store: `null` when cleared.
    pub fn into_json(self) -> Value {
        match self {
            Change::Set(value) => value.into(),
            Change::Clear => Value::Null,
        }
    }
}

impl Params {
    pub fn new(fields: Vec<(String, Node)>) -> Params {
        Params { prefix: String::new(), fields }
    }

    /// The name as Stripe writes it in errors.
    pub fn full_name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.prefix) }
    }

    /// The parameters that nobody has read yet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// A text that stays to be read.
    pub fn peek(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(known, node)| match node {
            Node::Text(text) if known == name => Some(text.as_str()),
            _ => None,
        })
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// Refuses whatever no one has read.
    pub fn finish(self) -> Result<(), ApiError> {
        let left: Vec<String> = self.fields.iter().map(|(name, _)| self.full_name(name)).collect();
        if left.is_empty() { Ok(()) } else { Err(ApiError::unknown_params(&left)) }
    }

    /// Refuses parameters that Stripe has and this emulator does not, in words that say so.
    pub fn refuse(&self, names: &[&str]) -> Result<(), ApiError> {
        match names.iter().find(|name| self.has(name)) {
            Some(name) => Err(ApiError::unsupported(&self.full_name(name))),
            None => Ok(()),
        }
    }

    /// A text that, if given, is not empty.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.clearable(name)? {
            None => Ok(None),
            Some(Change::Set(text)) => Ok(Some(text)),
            Some(Change::Clear) => Err(self.empty(name)),
        }
    }

    /// A text, where an empty one clears the field.
    pub fn clearable(&mut self, name: &str) -> Result<Option<Change<String>>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Ok(Some(Change::Clear)),
            Some(Node::Text(text)) => Ok(Some(Change::Set(text))),
            Some(Node::Children(_)) => {
                let name = self.full_name(name);
                Err(ApiError::invalid(format!("Invalid string: {name} must be a string")).param(name))
            }
        }
    }

    pub fn required_text(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name)?.ok_or_else(|| ApiError::missing_param(&self.full_name(name)))
    }

    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        self.text(name)?.map(|text| self.parse_integer(name, &text)).transpose()
    }

    /// An integer from `least` to `most`.
    pub fn integer_within(&mut self, name: &str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
        let given = self.integer(name)?;
        let bound = match given {
            Some(given) if given < least => format!("greater than or equal to {least}"),
            Some(given) if given > most => format!("less than or equal to {most}"),
            _ => return Ok(given),
        };
        let error = ApiError::invalid(format!("This value must be {bound}."));
        Err(error.code("parameter_invalid_integer").param(self.full_name(name)))
    }

    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                // Stripe gives this one no code: stripe-python issue 487.
                Err(ApiError::invalid(format!("Invalid boolean: {other}")).param(self.full_name(name)))
            }
        }
    }

    /// One of the words that Stripe knows for this parameter.
    pub fn one_of(&mut self, name: &str, words: &[&str]) -> Result<Option<String>, ApiError> {
        let text = self.text(name)?;
        match &text {
            Some(text) if !words.contains(&text.as_str()) => {
                let full = self.full_name(name);
                Err(ApiError::invalid(format!("Invalid {full}: must be one of {}", words.join(", ")))
                    .param(full))
            }
            _ => Ok(text),
        }
    }

    /// A list of texts: `ids[]=a&ids[]=b`.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let Some(mut list) = self.children(name)? else {
            return Ok(None);
        };
        let names: Vec<String> = list.fields.iter().map(|(name, _)| name.clone()).collect();
        names.iter().map(|name| list.required_text(name)).collect::<Result<_, _>>().map(Some)
    }

    /// A hash of parameters: `recurring[interval]=month`. The caller finishes it.
    pub fn children(&mut self, name: &str) -> Result<Option<Params>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Children(fields)) => Ok(Some(Params { prefix: self.full_name(name), fields })),
            Some(Node::Text(_)) => {
                let full = self.full_name(name);
                Err(ApiError::invalid(format!("Invalid object: {full} must be a hash or a list")).param(full))
            }
        }
    }

    /// A list of hashes: `items[0][price]=a`. The caller finishes each.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Params>>, ApiError> {
        let Some(mut list) = self.children(name)? else {
            return Ok(None);
        };
        let names: Vec<String> = list.fields.iter().map(|(name, _)| name.clone()).collect();
        let items: Result<Vec<_>, _> = names.iter().map(|name| list.children(name)).collect();
        Ok(Some(items?.into_iter().flatten().collect()))
    }

    /// `current` with the request's metadata merged in: an empty value removes a key, an empty `metadata` all.
    pub fn metadata(&mut self, current: &Value) -> Result<Value, ApiError> {
        let mut merged = current.as_object().cloned().unwrap_or_default();
        match self.take("metadata") {
            None => {}
            Some(Node::Text(text)) if text.is_empty() => merged = Map::new(),
            Some(Node::Text(_)) => {
                let error = ApiError::invalid("Invalid object: metadata must be a hash");
                return Err(error.param(self.full_name("metadata")));
            }
            Some(Node::Children(fields)) => {
                for (key, node) in fields {
                    let full = format!("{}[{key}]", self.full_name("metadata"));
                    merge(&mut merged, key, node, &full)?;
                }
            }
        }
        if merged.len() > 50 {
            let message = format!(
                "Metadata can have up to 50 keys, but you've set {}. Email us at support+metadata@stripe.com for more \
                 information.",
                merged.len()
            );
            return Err(ApiError::invalid(message).param(self.full_name("metadata")));
        }
        Ok(Value::Object(merged))
    }

    pub fn parse_integer(&self, name: &str, text: &str) -> Result<i64, ApiError> {
        text.parse().map_err(|_| {
            let error = ApiError::invalid(format!("Invalid integer: {text}"));
            error.code("parameter_invalid_integer").param(self.full_name(name))
        })
    }

    fn empty(&self, name: &str) -> ApiError {
        let name = self.full_name(name);
        let message = format!(
            "You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; \
             however '{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty \
             value."
        );
        ApiError::invalid(message).code("parameter_invalid_empty").param(name)
    }

    fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.fields.iter().position(|(known, _)| known == name)?;
        Some(self.fields.remove(at).1)
    }
}

fn merge(merged: &mut Map<String, Value>, key: String, node: Node, full: &str) -> Result<(), ApiError> {
    let Node::Text(text) = node else {
        return Err(ApiError::invalid("Metadata values must be strings.").param(full));
    };
    for (what, given, most) in [("key", &key, 40), ("value", &text, 500)] {
        let length = given.chars().count();
        if length > most {
            let message = format!(
                "Metadata {what}s can have up to {most} characters, but you passed in a {what} that is {length} \
                 characters. Invalid {what}: {given}"
            );
            return Err(ApiError::invalid(message).param(full));
        }
    }
    if text.is_empty() {
        merged.remove(&key);
    } else {
        merged.insert(key, json!(text));
    }
    Ok(())
}
