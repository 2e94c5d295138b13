//! Webhook endpoints. The secret is told once, in the answer to the request that made the endpoint.
//!
//! Not sure: Stripe's words for an event that it does not have.

use serde_json::{Value, json};

use super::Call;
use crate::API_VERSION;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::state::{Kind, ids, text};
use crate::webhooks::is_event_type;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["connect"])?;
    let url = read_url(&mut params)?.ok_or_else(|| ApiError::missing_param("url"))?;
    let events = read_events(&mut params)?.ok_or_else(|| ApiError::missing_param("enabled_events"))?;
    params.one_of("api_version", &[API_VERSION])?;
    let mut endpoint = json!({
        "id": ids::new("we_"),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": null,
        "created": call.tx.now(),
        "description": null,
        "enabled_events": events,
        "livemode": false,
        "metadata": {},
        "status": "enabled",
        "url": url,
    });
    read(params, &mut endpoint)?;
    let (id, secret) = (text(&endpoint, "id").to_owned(), ids::new("whsec_"));
    call.tx.put_with(Kind::WebhookEndpoint, &id, endpoint.clone(), json!({ "secret": secret }));
    endpoint["secret"] = json!(secret);
    Ok(endpoint)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    call.tx.require(Kind::WebhookEndpoint, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let mut endpoint = call.tx.require(Kind::WebhookEndpoint, call.id(), Place::Path)?;
    if let Some(url) = read_url(&mut params)? {
        endpoint["url"] = json!(url);
    }
    if let Some(events) = read_events(&mut params)? {
        endpoint["enabled_events"] = json!(events);
    }
    if let Some(disabled) = params.boolean("disabled")? {
        endpoint["status"] = json!(if disabled { "disabled" } else { "enabled" });
    }
    read(params, &mut endpoint)?;
    call.tx.put(Kind::WebhookEndpoint, endpoint.clone());
    Ok(endpoint)
}

pub fn delete(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    let id = call.id().to_owned();
    call.tx.require(Kind::WebhookEndpoint, &id, Place::Path)?;
    call.tx.remove(Kind::WebhookEndpoint, &id);
    Ok(json!({ "id": id, "object": "webhook_endpoint", "deleted": true }))
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    params.finish()?;
    page.of(call.tx, Kind::WebhookEndpoint, "/v1/webhook_endpoints", None, |_| true)
}

fn read_events(params: &mut Params) -> Result<Option<Vec<String>>, ApiError> {
    let events = params.texts("enabled_events")?;
    let unknown = events.iter().flatten().enumerate().find(|(_, event)| !is_event_type(event));
    match unknown {
        None => Ok(events),
        Some((at, event)) => {
            let param = format!("enabled_events[{at}]");
            let message = format!(
                "Invalid {param}: {event} is not a type of event. All of them are at \
                 https://docs.stripe.com/api/events/types; * stands for every one."
            );
            Err(ApiError::invalid(message).param(param))
        }
    }
}

fn read_url(params: &mut Params) -> Result<Option<String>, ApiError> {
    let url = params.text("url")?;
    match &url {
        Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => {
            let message = "Invalid URL: An explicit scheme (such as https) must be provided.";
            Err(ApiError::invalid(message).code("url_invalid").param("url"))
        }
        _ => Ok(url),
    }
}

fn read(mut params: Params, endpoint: &mut Value) -> Result<(), ApiError> {
    if let Some(description) = params.clearable("description")? {
        endpoint["description"] = match description {
            Change::Set(text) => json!(text),
            Change::Clear => Value::Null,
        };
    }
    endpoint["metadata"] = params.metadata(&endpoint["metadata"])?;
    params.finish()
}
