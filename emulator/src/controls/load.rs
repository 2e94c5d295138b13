//! Loading many paying customers at once; `billing::load` makes them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, ControlError, read_body};
use crate::billing::load::{self, Load};
use crate::server::App;
use crate::state::{Kind, Stamp, Tx};

/// As many as a machine of moderate size holds.
const MOST: usize = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    customers: usize,
    /// The id or the lookup key of an active, recurring price.
    price: String,
    #[serde(default = "default_prefix")]
    prefix: String,
    /// Whether `metadata.userId` is `<prefix><number>`.
    #[serde(default = "yes")]
    metadata_user: bool,
}

fn default_prefix() -> String {
    "load".to_owned()
}

fn yes() -> bool {
    true
}

impl Order {
    fn check(&self) -> Result<(), ControlError> {
        let is_word = self.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !(1..=24).contains(&self.prefix.len()) || !is_word {
            return Err(ControlError::bad("prefix must be 1 to 24 letters, digits and underscores"));
        }
        match self.customers {
            1..=MOST => Ok(()),
            _ => Err(ControlError::bad(format!("customers must be 1 to {MOST}"))),
        }
    }
}

/// Makes the customers, without events and deliveries. All of them or none: a data directory gets one line for them.
pub async fn run(Shared(app): Shared<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let order: Order = read_body(&headers, &body)?;
    order.check()?;
    let loaded = app.state.transact(Stamp::default(), move |tx| load_into(tx, &order)).await?;
    Ok(Json(loaded))
}

fn load_into(tx: &mut Tx, order: &Order) -> Result<Value, ControlError> {
    let Some(price) = price(tx, &order.price) else {
        let message =
            format!("price: {} is neither an active recurring price nor its lookup key", order.price);
        return Err(ControlError::bad(message));
    };
    let load = Load {
        customers: order.customers,
        price,
        prefix: order.prefix.clone(),
        with_user: order.metadata_user,
    };
    let (first, last) = (load.customer_id(0), load.customer_id(order.customers - 1));
    if tx.find(Kind::Customer, &first).is_some() {
        return Err(ControlError::bad(format!("prefix: {} is taken, {first} exists", order.prefix)));
    }
    load::run(tx, &load);
    Ok(json!({ "customers": order.customers, "first": first, "last": last }))
}

fn price(tx: &Tx, wanted: &str) -> Option<Value> {
    let by_lookup_key = || {
        let mut all = tx.store().collection(Kind::Price)?.newest_first();
        all.find(|price| *price.field("lookup_key") == *wanted).map(|price| price.value().into_owned())
    };
    let price = tx.copy(Kind::Price, wanted).or_else(by_lookup_key)?;
    (price["active"] == true && !price["recurring"].is_null()).then_some(price)
}
