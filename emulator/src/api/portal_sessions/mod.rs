//! A customer's visit to the portal begins with a session; its `url` leads to the hosted pages. Stripe cannot
//! read one back either. `flow` reads where a visit goes straight to.

mod flow;

use serde_json::{Value, json};

use super::Call;
use super::portal_configurations::read_url;
use crate::billing::portal::{self, PATH, configuration};
use crate::error::{ApiError, Place};
use crate::params::Change;
use crate::shapes::{self, Shape};
use crate::state::{Kind, ids};

const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ",
    "en-SG", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt",
    "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh",
    "zh-HK", "zh-TW",
];

/// Opens a session. The pages speak English, whatever its locale.
pub fn create(call: &mut Call) -> Result<Value, ApiError> {
    let mut params = call.take_params();
    params.refuse(&["customer_account", "on_behalf_of"])?;
    let customer = params.required_text("customer")?;
    call.tx.require(Kind::Customer, &customer, Place::Param("customer"))?;
    let default = configuration::ensure_default(call.tx);
    let id = params.text("configuration")?.unwrap_or(default);
    let used = call.tx.require(Kind::PortalConfiguration, &id, Place::Param("configuration"))?;
    if used["active"] != true {
        let message = format!("The configuration `{id}` is not active.");
        return Err(ApiError::invalid(message).param("configuration"));
    }
    let return_url = match read_url(&mut params, "return_url")? {
        Some(Change::Set(url)) => json!(url),
        _ => used["default_return_url"].clone(),
    };
    let locale = params.one_of("locale", LOCALES)?;
    let flow =
        params.children("flow_data")?.map(|data| flow::read(call.tx, data, &customer, &used)).transpose()?;
    params.finish()?;
    let id = ids::new("bps_");
    let mut session = shapes::filled(
        Shape::PortalSession,
        json!({
            "id": id,
            "configuration": used["id"],
            "created": call.tx.now(),
            "customer": customer,
            "url": format!("{}{PATH}{id}", call.tx.settings().base_url),
        }),
    );
    session["flow"] = json!(flow);
    session["locale"] = json!(locale);
    session["return_url"] = return_url;
    portal::begin(call.tx, &session);
    portal::promotion::hold_discounts(call.tx, &session);
    call.tx.emit("billing_portal.session.created", &session);
    Ok(session)
}
