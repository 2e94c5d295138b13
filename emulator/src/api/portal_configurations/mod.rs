//! The customer portal's configurations: what a customer may do there. `features` reads what they say of each
//! feature, `products` what may be subscribed to instead. One of them is the default from the start.

mod features;
mod products;

use serde_json::{Value, json};

use self::features::Of;
use super::Call;
use super::urls;
use crate::billing::portal::configuration;
use crate::error::{ApiError, Place};
use crate::list::Page;
use crate::params::{Change, Params};
use crate::shapes::{self, Shape};
use crate::state::diff::previous_attributes;
use crate::state::{Kind, Tx, ids, text};

const KIND: Kind = Kind::PortalConfiguration;

pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    configuration::ensure_default(call.tx);
    let mut params = call.take_params();
    if !params.has("features") {
        return Err(ApiError::missing_param("features"));
    }
    let now = call.tx.now();
    let mut built = shapes::filled(
        Shape::PortalConfiguration,
        json!({ "id": ids::new("bpc_"), "created": now, "updated": now }),
    );
    let mut products = Value::Null;
    read(call.tx, Of::New, &mut params, &mut built, &mut products)?;
    params.finish()?;
    let id = text(&built, "id").to_owned();
    call.tx.put_with(KIND, &id, built.clone(), json!({ "products": products }));
    call.tx.emit("billing_portal.configuration.created", &built);
    Ok(built)
}

pub fn retrieve(call: &mut Call) -> Result<Value, ApiError> {
    call.take_params().finish()?;
    configuration::ensure_default(call.tx);
    call.tx.require(KIND, call.id(), Place::Path)
}

pub fn update(call: &mut Call) -> Result<Value, ApiError> {
    configuration::ensure_default(call.tx);
    let mut params = call.take_params();
    let before = call.tx.require(KIND, call.id(), Place::Path)?;
    let notes = call.tx.private(KIND, call.id()).clone();
    let (mut after, mut products) = (before.clone(), notes["products"].clone());
    if let Some(active) = params.boolean("active")? {
        if before["is_default"] == true && !active {
            // Stripe refuses this too; in which words is not known.
            let message = "You cannot deactivate the default configuration.";
            return Err(ApiError::invalid(message).param("active"));
        }
        after["active"] = json!(active);
    }
    read(call.tx, Of::Known, &mut params, &mut after, &mut products)?;
    params.finish()?;
    if after == before && products == notes["products"] {
        return Ok(after);
    }
    after["updated"] = json!(call.tx.now());
    let id = text(&after, "id").to_owned();
    call.tx.put_with(KIND, &id, after.clone(), json!({ "products": products }));
    // Products are not shown, so that a change of them alone has no old values to tell of.
    let previous = previous_attributes(&before, &after).unwrap_or_else(|| json!({}));
    call.tx.emit_with("billing_portal.configuration.updated", &after, Some(previous));
    Ok(after)
}

pub fn list(call: &mut Call) -> Result<Value, ApiError> {
    configuration::ensure_default(call.tx);
    let mut params = call.take_params();
    let page = Page::read(&mut params)?;
    let active = params.boolean("active")?;
    let is_default = params.boolean("is_default")?;
    params.finish()?;
    page.of(call.tx, KIND, "/v1/billing_portal/configurations", None, |it| {
        active.is_none_or(|active| it["active"] == active)
            && is_default.is_none_or(|is_default| it["is_default"] == is_default)
    })
}

/// What a new configuration and a changed one may say.
fn read(
    tx: &Tx,
    of: Of,
    params: &mut Params,
    built: &mut Value,
    products: &mut Value,
) -> Result<(), ApiError> {
    built["metadata"] = params.metadata(&built["metadata"])?;
    if let Some(name) = params.clearable("name")? {
        built["name"] = name.into_json();
    }
    if let Some(url) = read_url(params, "default_return_url")? {
        built["default_return_url"] = url.into_json();
    }
    if let Some(mut profile) = params.children("business_profile")? {
        if let Some(headline) = profile.clearable("headline")? {
            built["business_profile"]["headline"] = headline.into_json();
        }
        for field in ["privacy_policy_url", "terms_of_service_url"] {
            if let Some(url) = read_url(&mut profile, field)? {
                built["business_profile"][field] = url.into_json();
            }
        }
        profile.finish()?;
    }
    if let Some(mut page) = params.children("login_page")? {
        // There is no mail here that a link to log in could come by.
        if page.boolean("enabled")?.unwrap_or(false) {
            return Err(ApiError::unsupported("login_page[enabled]"));
        }
        page.finish()?;
    }
    if let Some(given) = params.children("features")? {
        features::read(tx, of, given, &mut built["features"], products)?;
    }
    Ok(())
}

/// A web address, where an empty one clears the field.
pub fn read_url(params: &mut Params, name: &str) -> Result<Option<Change<String>>, ApiError> {
    let change = params.clearable(name)?;
    if let Some(Change::Set(url)) = &change {
        urls::ensure_web(url, &params.full_name(name))?;
    }
    Ok(change)
}
