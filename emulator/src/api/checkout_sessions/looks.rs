//! Parameters of a session that change only the look of a page, or are shown back as they were given.

use serde_json::{Value, json};

use crate::error::ApiError;
use crate::params::Params;

/// What changes only the look of the page or is shown back as it was given.
pub fn read(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    if let Some(allow) = params.boolean("allow_promotion_codes")? {
        session["allow_promotion_codes"] = json!(allow);
    }
    for field in ["client_reference_id", "integration_identifier", "locale"] {
        if let Some(text) = params.text(field)? {
            session[field] = json!(text);
        }
    }
    let words = [
        ("billing_address_collection", &["auto", "required"][..]),
        ("payment_method_collection", &["always", "if_required"][..]),
        ("submit_type", &["auto", "book", "donate", "pay", "subscribe"][..]),
        ("origin_context", &["mobile_app", "web"][..]),
        ("customer_creation", &["always", "if_required"][..]),
    ];
    for (field, words) in words {
        if let Some(word) = params.one_of(field, words)? {
            session[field] = json!(word);
        }
    }
    for field in ["allowed_payment_method_types", "excluded_payment_method_types"] {
        if let Some(types) = params.texts(field)? {
            session[field] = json!(types);
        }
    }
    for field in ["adaptive_pricing", "phone_number_collection"] {
        if let Some(mut switch) = params.children(field)? {
            session[field] = json!({ "enabled": switch.boolean("enabled")?.unwrap_or(false) });
            switch.finish()?;
        }
    }
    if let Some(mut collection) = params.children("tax_id_collection")? {
        let enabled = collection.boolean("enabled")?.unwrap_or(false);
        let required = collection.one_of("required", &["if_supported", "never"])?;
        session["tax_id_collection"] =
            json!({ "enabled": enabled, "required": required.as_deref().unwrap_or("never") });
        collection.finish()?;
    }
    read_names(params, session)?;
    read_saved_methods(params, session)
}

/// `name_collection[business][enabled]` and the like.
fn read_names(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    let Some(mut names) = params.children("name_collection")? else {
        return Ok(());
    };
    for field in ["business", "individual"] {
        if let Some(mut name) = names.children(field)? {
            session["name_collection"][field] = json!({
                "enabled": name.boolean("enabled")?.unwrap_or(false),
                "optional": name.boolean("optional")?.unwrap_or(false),
            });
            name.finish()?;
        }
    }
    names.finish()
}

fn read_saved_methods(params: &mut Params, session: &mut Value) -> Result<(), ApiError> {
    let Some(mut options) = params.children("saved_payment_method_options")? else {
        return Ok(());
    };
    let switch = &["disabled", "enabled"];
    for field in ["payment_method_remove", "payment_method_save"] {
        if let Some(word) = options.one_of(field, switch)? {
            session["saved_payment_method_options"][field] = json!(word);
        }
    }
    if let Some(filters) = options.texts("allow_redisplay_filters")? {
        session["saved_payment_method_options"]["allow_redisplay_filters"] = json!(filters);
    }
    options.finish()
}
