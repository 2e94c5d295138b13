//! Events, to read: what happened, with a snapshot of the object as it was then.

use serde_json::Value;

use super::Call;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::state::{Kind, number, text};

/// How many types a request may ask for.
const MOST_TYPES: usize = 20;
/// How long events are listed, in seconds.
const LISTED_FOR: i64 = 30 * 24 * 3600;

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::Event, call.id(), Place::Path)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read_with_created(&mut params)?;
    let one = params.text("type")?;
    let many = params.texts("types")?;
    let delivered = params.boolean("delivery_success")?;
    params.finish()?;
    if one.is_some() && many.is_some() {
        let message = "You may only specify one of these parameters: type, types.";
        return Err(ApiError::invalid(message).param("types"));
    }
    if many.as_ref().is_some_and(|types| types.len() > MOST_TYPES) {
        let message = format!("You may only filter by up to {MOST_TYPES} event types.");
        return Err(ApiError::invalid(message).param("types"));
    }
    let page = page.not_before(call.tx.now() - LISTED_FOR);
    page.named(call.tx, Kind::Event, "/v1/events", None, |event| {
        let is = |pattern: &String| fits(pattern, text(event, "type"));
        one.as_ref().is_none_or(is)
            && many.as_ref().is_none_or(|types| types.iter().any(is))
            && delivered.is_none_or(|delivered| (number(event, "pending_webhooks") == 0) == delivered)
    })
}

/// `customer.*` fits every event whose name begins so.
fn fits(pattern: &str, event: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == event, |prefix| event.starts_with(prefix))
}
