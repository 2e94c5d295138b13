//! The Dashboard's hand: changes a stored object directly, for states that would need time or another actor.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::{Answer, ControlError, read_body};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx};

/// Merges the body into the object (RFC 7396); `_event` names an event to emit with the change.
pub async fn patch(
    Shared(app): Shared<App>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let mut patch: Map<String, Value> = read_body(&headers, &body)?;
    let Some(kind) = Kind::parse_plural(&kind) else {
        let known: Vec<&str> = Kind::public().map(Kind::plural).collect();
        return Err(ControlError::missing(format!("kind must be one of {}", known.join(", "))));
    };
    let event = match patch.remove("_event") {
        None => None,
        Some(Value::String(event)) if !event.is_empty() => Some(event),
        Some(_) => return Err(ControlError::bad("_event must be the name of an event")),
    };
    if patch.get("id").is_some_and(|given| *given != id) {
        return Err(ControlError::bad("id cannot be changed"));
    }
    let stamp = Stamp::default();
    let patched = app.state.transact(stamp, move |tx| apply(tx, kind, &id, patch, event.as_deref())).await?;
    Ok(Json(patched))
}

fn apply(
    tx: &mut Tx,
    kind: Kind,
    id: &str,
    patch: Map<String, Value>,
    event: Option<&str>,
) -> Result<Value, ControlError> {
    let Some(mut value) = tx.copy(kind, id) else {
        return Err(ControlError::missing(format!("id: there is no {} {id}", kind.noun())));
    };
    merge(&mut value, Value::Object(patch));
    match event {
        Some(event) => {
            let before = tx.copy(kind, id).unwrap_or_default();
            tx.put(kind, value.clone());
            tx.emit_with(event, &value, crate::state::diff::previous_attributes(&before, &value));
        }
        None => tx.put(kind, value.clone()),
    }
    Ok(value)
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (name, change) in patch {
        // Stripe's objects show an absent value as null, so a null stays a field.
        merge(fields.entry(name).or_insert(Value::Null), change);
    }
}
