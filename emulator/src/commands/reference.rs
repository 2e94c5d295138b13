//! References in fixtures, `${customer:id}`, `${invoice:lines.data.0.id}`, `${.env:NAME|default}`, as Stripe's CLI
//! writes them, and parameters as form fields. Where Stripe's CLI leaves a reference standing that leads nowhere,
//! this says so: a request with it could only fail in a stranger way. `.env` is the process's environment; no file
//! is read.

use std::collections::HashMap;

use serde_json::Value;

/// The answers so far, by the names of their requests.
pub type Replies = HashMap<String, Value>;

/// The text with every reference replaced by what it leads to.
pub fn filled(text: &str, replies: &Replies) -> Result<String, String> {
    let mut rest = text;
    let mut whole = String::new();
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, after) = after.split_once('}').ok_or_else(|| format!("{text}: ${{ without }}"))?;
        whole.push_str(before);
        whole.push_str(&resolve(inner, replies)?);
        rest = after;
    }
    whole.push_str(rest);
    Ok(whole)
}

fn resolve(inner: &str, replies: &Replies) -> Result<String, String> {
    let (query, default) = match inner.split_once('|') {
        Some((query, default)) => (query, Some(default.to_owned())),
        None => (inner, None),
    };
    let (name, path) =
        query.split_once(':').ok_or_else(|| format!("${{{inner}}}: name:field is needed in it"))?;
    let (found, complaint) = if name == ".env" {
        (std::env::var(path).ok().filter(|value| !value.is_empty()), format!("{path} is not set"))
    } else {
        let reply = replies.get(name);
        let reply = reply.ok_or_else(|| format!("${{{inner}}}: no fixture named {name} came before"))?;
        (look_up(reply, path), format!("the answer of {name} has no {path}"))
    };
    found.or(default).ok_or_else(|| format!("${{{inner}}}: {complaint}"))
}

/// The text at a path of names and numbers: `data.0.id`, `data[0].id` and `data.[0].id` are the same.
fn look_up(reply: &Value, path: &str) -> Option<String> {
    let mut value = reply;
    for step in path.split(['.', '[', ']']).filter(|step| !step.is_empty()) {
        value = match value {
            Value::Array(all) => all.get(step.parse::<usize>().ok()?)?,
            other => other.get(step)?,
        };
    }
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Parameters as form fields: `items[0][price]`, `expand[]`. `null` is left out.
pub fn fields(params: &Value, replies: &Replies) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    for (name, value) in params.as_object().into_iter().flatten() {
        flatten(name.clone(), value, replies, &mut fields)?;
    }
    Ok(fields)
}

fn flatten(
    name: String,
    value: &Value,
    replies: &Replies,
    fields: &mut Vec<(String, String)>,
) -> Result<(), String> {
    match value {
        Value::Null => {}
        Value::Object(inner) => {
            for (key, value) in inner {
                flatten(format!("{name}[{key}]"), value, replies, fields)?;
            }
        }
        Value::Array(all) => {
            for (index, value) in all.iter().enumerate() {
                let inner = match value {
                    Value::Object(_) | Value::Array(_) => format!("{name}[{index}]"),
                    _ => format!("{name}[]"),
                };
                flatten(inner, value, replies, fields)?;
            }
        }
        Value::String(text) => fields.push((name, filled(text, replies)?)),
        Value::Number(number) => fields.push((name, plain(number))),
        Value::Bool(yes) => fields.push((name, yes.to_string())),
    }
    Ok(())
}

/// `25.00` becomes 25, and `3.145` stays.
fn plain(number: &serde_json::Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::{Replies, fields, filled};

    fn replies() -> Replies {
        let list = json!({ "id": "cus_1", "data": [{ "id": "a" }, { "id": "b" }], "count": 2, "none": null });
        Replies::from([("customer".to_owned(), list)])
    }

    #[test]
    fn references_lead_into_earlier_answers() {
        let filled = |text: &str| filled(text, &replies());
        assert_eq!(filled("/v1/customers/${customer:id}/x").unwrap(), "/v1/customers/cus_1/x");
        assert_eq!(filled("${customer:data.1.id}-${customer:data[0].id}").unwrap(), "b-a");
        assert_eq!(filled("${customer:count}").unwrap(), "2");
        assert_eq!(filled("${customer:none|fallback}").unwrap(), "fallback");
        assert_eq!(filled("${.env:NO_SUCH_NAME_IS_SET|x}").unwrap(), "x");
        for (text, part) in [
            ("${order:id}", "no fixture named order"),
            ("${customer:email}", "has no email"),
            ("${customer:data}", "has no data"),
            ("${customer}", "name:field"),
            ("${customer:id", "without }"),
            ("${.env:NO_SUCH_NAME_IS_SET}", "not set"),
        ] {
            assert!(filled(text).unwrap_err().contains(part), "{text}");
        }
    }

    #[test]
    fn parameters_become_form_fields() {
        let params = json!({
            "items": [{ "price": "${customer:id}" }, { "quantity": 2 }],
            "expand": ["a", "b"], "metadata": { "k": "v" }, "recurring[interval]": "month",
            "flag": true, "gone": null, "rate": 3.145, "whole": 25.0,
        });
        let mut found = fields(&params, &replies()).unwrap();
        found.sort();
        let pairs: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [
            ("expand[]", "a"),
            ("expand[]", "b"),
            ("flag", "true"),
            ("items[0][price]", "cus_1"),
            ("items[1][quantity]", "2"),
            ("metadata[k]", "v"),
            ("rate", "3.145"),
            ("recurring[interval]", "month"),
            ("whole", "25"),
        ];
        assert_eq!(pairs, expected);
    }
}
