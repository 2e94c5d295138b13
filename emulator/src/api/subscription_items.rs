//! A subscription's items, one at a time. What they change is a change of the subscription.

use serde_json::{Value, json};

use super::Call;
use super::subscription_change::{self, UNSUPPORTED_OF_ITEMS};
use crate::billing::change::{self, ItemChange, items_of};
use crate::billing::update;
use crate::error::{ApiError, Place};
use crate::params::Params;
use crate::state::{Kind, Tx, text};

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let id = params.required_text("subscription")?;
    let subscription = call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?;
    if !params.has("price") && !params.has("price_data") {
        return Err(ApiError::missing_param("price"));
    }
    let changed = apply(call.tx, subscription, None, params)?;
    items_of(&changed).pop().ok_or_else(|| no_such(&id))
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let (_, item) = find(call.tx, call.id())?;
    Ok(item)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let params = call.take_params();
    let (subscription, _) = find(call.tx, call.id())?;
    let changed = apply(call.tx, subscription, Some(call.id().to_owned()), params)?;
    items_of(&changed)
        .into_iter()
        .find(|item| text(item, "id") == call.id())
        .ok_or_else(|| no_such(call.id()))
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let (subscription, _) = find(call.tx, call.id())?;
    let gone = ItemChange { id: Some(call.id().to_owned()), deleted: true, ..ItemChange::default() };
    change_items(call.tx, subscription, gone, &mut params)?;
    params.finish()?;
    Ok(json!({ "id": call.id(), "object": "subscription_item", "deleted": true }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let limit = crate::list::limit(&mut params)?;
    let id = params.required_text("subscription")?;
    let after = params.text("starting_after")?;
    let before = params.text("ending_before")?;
    params.finish()?;
    if after.is_some() && before.is_some() {
        let message = "You cannot parameterize starting_after and ending_before at the same time.";
        return Err(ApiError::invalid(message).param("starting_after"));
    }
    let subscription = call.tx.require(Kind::Subscription, &id, Place::Param("subscription"))?;
    let items = items_of(&subscription);
    let position = |id: &str| items.iter().position(|item| text(item, "id") == id).ok_or_else(|| no_such(id));
    let from = after.as_deref().map(position).transpose()?.map_or(0, |at| at + 1);
    let until = before.as_deref().map(position).transpose()?.unwrap_or(items.len());
    let (from, until, has_more) = match before {
        Some(_) => (until.saturating_sub(limit), until, until > limit),
        None => (from, items.len().min(from + limit), items.len() > from + limit),
    };
    Ok(json!({
        "object": "list",
        "data": items[from..until],
        "has_more": has_more,
        "url": "/v1/subscription_items",
    }))
}

fn apply(
    tx: &mut Tx,
    subscription: Value,
    id: Option<String>,
    mut params: Params,
) -> Result<Value, ApiError> {
    params.refuse(UNSUPPORTED_OF_ITEMS)?;
    let wanted = subscription_change::read_change(tx, &mut params, &subscription, id)?;
    let changed = change_items(tx, subscription, wanted, &mut params)?;
    params.finish()?;
    Ok(changed)
}

fn change_items(
    tx: &mut Tx,
    subscription: Value,
    wanted: ItemChange,
    params: &mut Params,
) -> Result<Value, ApiError> {
    params.refuse(&["billing_cycle_anchor", "trial_end"])?;
    let mut change = subscription_change::read(tx, params)?;
    change.items.push(wanted);
    let how = subscription_change::read_how(params, change.prorate)?;
    let subscription = subscription_change::make_way(tx, subscription)?;
    let planned = change::plan(tx, &subscription, &change)?;
    update::apply(tx, &planned, how)
}

/// An item and the subscription that has it.
fn find(tx: &Tx, id: &str) -> Result<(Value, Value), ApiError> {
    let subscription = tx.with_item(id).ok_or_else(|| no_such(id))?.into_owned();
    let item = items_of(&subscription).into_iter().find(|item| text(item, "id") == id);
    Ok((subscription, item.ok_or_else(|| no_such(id))?))
}

fn no_such(id: &str) -> ApiError {
    let message = format!("Invalid subscription_item id: {id}");
    ApiError::new(axum::http::StatusCode::NOT_FOUND, "invalid_request_error", message)
        .code("resource_missing")
        .param("item")
}
