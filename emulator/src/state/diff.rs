//! What an update changed, in the form of an event's `previous_attributes`: only the keys that differ, with
//! their old values, following nested hashes but taking lists whole.

use serde_json::{Map, Value};

/// The old values of everything that differs between `before` and `after`; `None` if nothing does.
/// A key that is new in `after` shows as `null`.
pub fn previous_attributes(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return None;
    };
    let mut changed = Map::new();
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        let (was, is) = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
        if was == is {
            continue;
        }
        let nested = previous_attributes(was, is).unwrap_or_else(|| was.clone());
        changed.insert(key.clone(), nested);
    }
    (!changed.is_empty()).then_some(Value::Object(changed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::previous_attributes;

    #[test]
    fn only_what_changed_is_told() {
        let before = json!({"a": 1, "metadata": {"x": "1", "y": "2"}, "list": [1, 2]});
        let after = json!({"a": 1, "metadata": {"x": "1", "y": "3", "z": "4"}, "list": [1]});
        let expected = json!({"metadata": {"y": "2", "z": null}, "list": [1, 2]});
        assert_eq!(previous_attributes(&before, &after), Some(expected));
        assert_eq!(previous_attributes(&after, &after), None);
    }
}
