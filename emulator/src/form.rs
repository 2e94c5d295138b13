//! Form-encoded bodies and queries with nested keys, as Stripe reads them: `items[0][price]=x`,
//! `metadata[a]=b`, `expand[]=c`. Turns text into a tree; what the tree means is `params`' business.

use serde_json::{Map, Value};

/// A parameter: text, or named children in the order in which they came. A list is children named 0, 1, 2 …
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Text(String),
    Children(Vec<(String, Node)>),
}

/// Why a form is not read.
#[derive(Debug, PartialEq, Eq)]
pub enum BadForm {
    /// A key that cannot be read, for example `a[b`.
    Key(String),
    /// More than `MOST` fields.
    TooMany,
}

/// How deep keys may nest.
const DEPTH: usize = 10;
/// How many fields a form may have: finding the place of each takes longer the more there are. Not sure: Stripe's
/// own limit; this is the one of the library that reads forms in most programs in Ruby.
const MOST: usize = 4_096;

/// Reads `a=1&b[c]=2` into named nodes. Later values of one key win, as at Stripe.
pub fn parse(encoded: &[u8]) -> Result<Vec<(String, Node)>, BadForm> {
    let mut fields = Vec::new();
    for (at, (key, value)) in form_urlencoded::parse(encoded).enumerate() {
        if at == MOST {
            return Err(BadForm::TooMany);
        }
        let path = segments(&key)?;
        insert(&mut fields, &path, value.into_owned());
    }
    Ok(fields)
}

/// The same as JSON, for the log of requests and for comparing two requests.
pub fn to_json(fields: &[(String, Node)]) -> Value {
    let is_list =
        !fields.is_empty() && fields.iter().enumerate().all(|(i, (name, _))| *name == i.to_string());
    if is_list {
        return Value::Array(fields.iter().map(|(_, node)| node_to_json(node)).collect());
    }
    let entries = fields.iter().map(|(name, node)| (name.clone(), node_to_json(node)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn node_to_json(node: &Node) -> Value {
    match node {
        Node::Text(text) => Value::String(text.clone()),
        Node::Children(children) => to_json(children),
    }
}

/// `a[b][]` becomes a, b and "".
fn segments(key: &str) -> Result<Vec<&str>, BadForm> {
    let bad = || BadForm::Key(key.to_owned());
    let (first, mut rest) = key.find('[').map_or((key, ""), |at| key.split_at(at));
    if first.is_empty() {
        return Err(bad());
    }
    let mut path = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(bad)?;
        let (name, after) = inner.split_once(']').ok_or_else(bad)?;
        path.push(name);
        rest = after;
    }
    if path.len() > DEPTH { Err(bad()) } else { Ok(path) }
}

fn insert(fields: &mut Vec<(String, Node)>, path: &[&str], value: String) {
    let [first, rest @ ..] = path else {
        return;
    };
    let name = if first.is_empty() { list_position(fields, rest) } else { (*first).to_owned() };
    let at = fields.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        fields.push((name, Node::Text(String::new())));
        fields.len() - 1
    });
    let node = &mut fields[at].1;
    if rest.is_empty() {
        *node = Node::Text(value);
        return;
    }
    if let Node::Text(_) = node {
        *node = Node::Children(Vec::new());
    }
    if let Node::Children(children) = node {
        insert(children, rest, value);
    }
}

/// Where `[]` points: to the last element while that lacks the key that follows, else to a new one.
fn list_position(fields: &[(String, Node)], rest: &[&str]) -> String {
    if let ([key, ..], Some((name, Node::Children(children)))) = (rest, fields.last())
        && !key.is_empty()
        && !children.iter().any(|(known, _)| known == key)
    {
        return name.clone();
    }
    fields.len().to_string()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::{parse, to_json};

    fn json_of(encoded: &str) -> serde_json::Value {
        to_json(&parse(encoded.as_bytes()).unwrap())
    }

    #[test]
    fn nested_keys_become_a_tree() {
        let tree = json_of("items[0][price]=p1&items%5B1%5D%5Bprice%5D=p2&metadata[a b]=c%20d&x=1+2");
        let expected =
            json!({"items": [{"price": "p1"}, {"price": "p2"}], "metadata": {"a b": "c d"}, "x": "1 2"});
        assert_eq!(tree, expected);
    }

    #[test]
    fn brackets_without_a_number_append() {
        assert_eq!(json_of("expand[]=a&expand[]=b"), json!({"expand": ["a", "b"]}));
        let tree = json_of("i[][price]=p1&i[][quantity]=1&i[][price]=p2");
        assert_eq!(tree, json!({"i": [{"price": "p1", "quantity": "1"}, {"price": "p2"}]}));
    }

    #[test]
    fn a_broken_key_is_refused() {
        assert!(parse(b"a[b=1").is_err());
        assert!(parse(b"[b]=1").is_err());
        assert!(parse(b"a[b]c=1").is_err());
    }
}
