//! Orders a decline for a subscription's next renewal.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ControlError, read_body};
use crate::billing::cards::Decline;
use crate::billing::ordered_decline;
use crate::billing::subscription::has_ended;
use crate::server::App;
use crate::state::{Kind, Stamp, Tx};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    subscription: String,
    decline_code: Option<String>,
}

/// `{"subscription": "sub_…", "decline_code": "insufficient_funds"}`; `generic_decline` if no code is said.
pub async fn decline(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let Order { subscription, decline_code } = read_body(&headers, &body)?;
    let word = decline_code.unwrap_or_else(|| "generic_decline".to_owned());
    let Some(decline) = Decline::by_word(&word) else {
        return Err(ControlError::bad(format!(
            "decline_code must be one of {}",
            Decline::words().join(", ")
        )));
    };
    let answer = json!({ "subscription": subscription, "decline_code": word });
    app.state.transact(Stamp::default(), move |tx| order(tx, &subscription, decline)).await?;
    Ok(Json(answer))
}

fn order(tx: &mut Tx, subscription: &str, decline: Decline) -> Result<(), ControlError> {
    match tx.find(Kind::Subscription, subscription).map(|it| has_ended(&it)) {
        None => Err(ControlError::missing(format!("subscription: there is no {subscription}"))),
        Some(true) => Err(ControlError::bad("subscription: it has ended, so that it is not renewed")),
        Some(false) => {
            ordered_decline::order(tx, subscription, decline);
            Ok(())
        }
    }
}
