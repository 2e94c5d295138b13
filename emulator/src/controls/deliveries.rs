//! Webhooks under control: who got what, holding back, dropping, sending again.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State as Shared};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, ControlError, Limit, newest, read_body};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx, text};
use crate::webhooks::{self, Chances, Command, Mode};

pub async fn list(Shared(app): Shared<App>, Query(limit): Query<Limit>) -> Answer {
    let (mode, chances) = app.state.read(|store| {
        let dice = store.settings.dice.as_ref();
        (store.settings.mode, dice.map(|dice| dice.chances.clone()))
    });
    Ok(Json(json!({ "mode": mode, "chances": chances, "data": newest(&app, Kind::Delivery, limit.count()) })))
}

/// `{"mode": "normal" | "held" | "dropped"}`, and with normal the fields of `Chances`. Back to normal sends what
/// was held, in order.
pub async fn set_mode(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let (mode, chances) = read_mode(read_body(&headers, &body)?)?;
    app.state.set_mode(mode, chances);
    let mut released = Vec::new();
    if mode == Mode::Normal {
        released = app.state.transact(Stamp::default(), |tx| Ok::<_, ControlError>(release(tx))).await?;
        let _ = app.dispatcher.send(Command::Send(released.clone()));
    }
    Ok(Json(json!({ "mode": mode, "released": released.len() })))
}

fn read_mode(mut body: Map<String, Value>) -> Result<(Mode, Option<Chances>), ControlError> {
    let mode = body.remove("mode").ok_or_else(|| ControlError::bad("mode is missing"))?;
    let mode = serde_json::from_value(mode).map_err(|error| ControlError::bad(format!("mode: {error}")))?;
    if body.is_empty() {
        return Ok((mode, None));
    }
    let chances: Chances =
        serde_json::from_value(Value::Object(body)).map_err(|error| ControlError::bad(error.to_string()))?;
    chances.check().map_err(ControlError::bad)?;
    match mode {
        Mode::Normal => Ok((mode, Some(chances))),
        Mode::Held | Mode::Dropped => Err(ControlError::bad("mode must be normal to deliver by chance")),
    }
}

fn release(tx: &mut Tx) -> Vec<String> {
    let all = tx.store().collection(Kind::Delivery).into_iter().flat_map(|all| all.oldest_first());
    let held = all.filter(|(_, record)| record.value()["state"] == "held");
    let held: Vec<Value> = held.map(|(_, record)| record.value().into_owned()).collect();
    held.into_iter()
        .map(|mut delivery| {
            let id = text(&delivery, "id").to_owned();
            delivery["state"] = json!("pending");
            tx.put(Kind::Delivery, delivery);
            id
        })
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeliver {
    event: String,
}

/// Sends an event again, now and whatever the mode, to every endpoint that wants it.
pub async fn redeliver(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let Redeliver { event } = read_body(&headers, &body)?;
    let ids = app.state.transact(Stamp::default(), move |tx| again(tx, &event)).await?;
    let sent = ids.len();
    let _ = app.dispatcher.send(Command::Send(ids));
    Ok(Json(json!({ "sent": sent })))
}

fn again(tx: &mut Tx, event: &str) -> Result<Vec<String>, ControlError> {
    let Some(value) = tx.find(Kind::Event, event) else {
        return Err(ControlError::missing(format!("event: there is no event {event}")));
    };
    let event_type = text(&value, "type").to_owned();
    let targets = webhooks::targets(tx.store(), &event_type);
    let ids = targets.iter().map(|target| {
        let fresh = webhooks::delivery(event, &event_type, target, Mode::Normal);
        let id = text(&fresh, "id").to_owned();
        let mut delivery = tx.copy(Kind::Delivery, &id).unwrap_or(fresh);
        delivery["state"] = json!("pending");
        tx.put(Kind::Delivery, delivery);
        id
    });
    Ok(ids.collect())
}
