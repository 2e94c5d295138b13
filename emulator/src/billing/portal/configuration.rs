//! The portal's default configuration, and what a configuration allows.

use serde_json::{Value, json};

use crate::shapes::{self, Shape};
use crate::state::{Kind, Tx, ids, number, text};

/// The reasons that the default configuration lets a customer choose from.
const REASONS: &[&str] = &["too_expensive", "missing_features", "switched_service", "unused", "other"];

/// The id of the default configuration. In Stripe's test mode it is made when somebody saves the portal's
/// settings in the Dashboard; here it is there from the start, and as old as the account. What it allows is what
/// the Dashboard begins with, as far as that is known: all but changing subscriptions.
pub fn ensure_default(tx: &mut Tx) -> String {
    let all = tx.store().collection(Kind::PortalConfiguration);
    let oldest = all.and_then(|all| all.oldest_first().next());
    if let Some((id, record)) = oldest
        && *record.field("is_default") == true
    {
        return id.clone();
    }
    let account = tx.store().account_id();
    let created = tx.find(Kind::Account, &account).map_or(0, |account| number(&account, "created"));
    let mut configuration = shapes::filled(
        Shape::PortalConfiguration,
        json!({ "id": ids::new("bpc_"), "created": created, "updated": created }),
    );
    configuration["is_default"] = json!(true);
    let features = &mut configuration["features"];
    features["customer_update"] =
        json!({ "allowed_updates": ["name", "email", "address", "phone", "tax_id"], "enabled": true });
    features["invoice_history"]["enabled"] = json!(true);
    features["payment_method_update"]["enabled"] = json!(true);
    features["subscription_cancel"]["enabled"] = json!(true);
    features["subscription_cancel"]["cancellation_reason"] =
        json!({ "enabled": true, "feedback_options": null, "options": REASONS });
    let id = text(&configuration, "id").to_owned();
    tx.put(Kind::PortalConfiguration, configuration);
    id
}

/// Whether a feature is on.
pub fn allows(configuration: &Value, feature: &str) -> bool {
    configuration["features"][feature]["enabled"] == true
}

/// The products that a configuration offers; they are kept beside it.
pub fn products(tx: &Tx, configuration: &str) -> Vec<Value> {
    tx.private(Kind::PortalConfiguration, configuration)["products"].as_array().cloned().unwrap_or_default()
}
