//! `flow_data`: the one thing that a visit to the portal is for, and where it goes on afterwards. Refuses flows
//! that the configuration or the subscription does not allow, in Stripe's words where they are known.

use serde_json::{Value, json};

use crate::api::portal_configurations::read_url;
use crate::api::subscription_change::{read_price, read_quantity};
use crate::billing::portal::change;
use crate::billing::portal::configuration::allows;
use crate::billing::portal::wish::Wish;
use crate::billing::subscription::has_ended;
use crate::error::{ApiError, Place};
use crate::params::{Change, Params};
use crate::state::{Kind, Tx, text};

const TYPES: &[&str] = &[
    "customer_update",
    "payment_method_update",
    "subscription_cancel",
    "subscription_update",
    "subscription_update_confirm",
];

/// Reads `flow_data` into a session's `flow`.
pub fn read(tx: &Tx, mut data: Params, customer: &str, configuration: &Value) -> Result<Value, ApiError> {
    let kind = data.one_of("type", TYPES)?;
    let kind = kind.ok_or_else(|| ApiError::missing_param("flow_data[type]"))?;
    let mut flow = json!({
        "after_completion": read_after_completion(data.children("after_completion")?)?,
        "customer_update": null,
        "subscription_cancel": null,
        "subscription_update": null,
        "subscription_update_confirm": null,
        "type": kind,
    });
    let of = Visitor { tx, customer, configuration };
    match kind.as_str() {
        "customer_update" => {
            of.ensure_on("customer_update", "The customer cannot be updated because the customer update")?;
            flow[&kind] = json!({});
        }
        "payment_method_update" => {
            let what = "The payment method cannot be updated because the payment method update";
            of.ensure_on("payment_method_update", what)?;
        }
        "subscription_cancel" => flow[&kind] = of.read_cancel(hash(&mut data, &kind)?)?,
        "subscription_update" => flow[&kind] = of.read_update(hash(&mut data, &kind)?)?,
        _ => flow[&kind] = of.read_confirm(hash(&mut data, &kind)?)?,
    }
    data.finish()?;
    Ok(flow)
}

fn hash(data: &mut Params, name: &str) -> Result<Params, ApiError> {
    data.children(name)?.ok_or_else(|| ApiError::missing_param(&data.full_name(name)))
}

fn read_after_completion(given: Option<Params>) -> Result<Value, ApiError> {
    let mut after = json!({ "hosted_confirmation": null, "redirect": null, "type": "portal_homepage" });
    let Some(mut given) = given else {
        return Ok(after);
    };
    let kind = given.one_of("type", &["hosted_confirmation", "portal_homepage", "redirect"])?;
    let kind = kind.ok_or_else(|| ApiError::missing_param(&given.full_name("type")))?;
    match kind.as_str() {
        "hosted_confirmation" => {
            let mut page = given.children("hosted_confirmation")?.unwrap_or_default();
            after[&kind] = json!({ "custom_message": page.text("custom_message")? });
            page.finish()?;
        }
        "redirect" => {
            let mut redirect = hash(&mut given, "redirect")?;
            let Some(Change::Set(url)) = read_url(&mut redirect, "return_url")? else {
                return Err(ApiError::missing_param(&redirect.full_name("return_url")));
            };
            redirect.finish()?;
            after[&kind] = json!({ "return_url": url });
        }
        _ => {}
    }
    after["type"] = json!(kind);
    given.finish()?;
    Ok(after)
}

/// Who visits, and what they may do.
struct Visitor<'v, 's> {
    tx: &'v Tx<'s>,
    customer: &'v str,
    configuration: &'v Value,
}

impl Visitor<'_, '_> {
    fn ensure_on(&self, feature: &str, what: &str) -> Result<(), ApiError> {
        if allows(self.configuration, feature) {
            return Ok(());
        }
        Err(ApiError::invalid(format!("{what} feature in the portal configuration is disabled.")))
    }

    fn read_cancel(&self, mut given: Params) -> Result<Value, ApiError> {
        given.refuse(&["retention"])?;
        let what = "This subscription cannot be canceled because the subscription cancellation";
        self.ensure_on("subscription_cancel", what)?;
        let subscription = self.read_subscription(&mut given)?;
        given.finish()?;
        let id = text(&subscription, "id");
        if has_ended(&subscription) {
            return Err(ApiError::invalid(format!("The subscription `{id}` has already been canceled.")));
        }
        if !subscription["cancel_at"].is_null() {
            let message = format!("The subscription `{id}` is already set to be canceled at period end.");
            return Err(ApiError::invalid(message));
        }
        Ok(json!({ "retention": null, "subscription": id }))
    }

    fn read_update(&self, mut given: Params) -> Result<Value, ApiError> {
        let subscription = self.read_updatable(&mut given)?;
        given.finish()?;
        Ok(json!({ "subscription": subscription["id"] }))
    }

    fn read_confirm(&self, mut given: Params) -> Result<Value, ApiError> {
        given.refuse(&["discounts"])?;
        let subscription = self.read_updatable(&mut given)?;
        let param = given.full_name("items");
        let items = given.list("items")?.unwrap_or_default();
        given.finish()?;
        let Ok([mut item]) = <[Params; 1]>::try_from(items) else {
            let message = "You must specify exactly one subscription item to update.";
            return Err(ApiError::invalid(message).param(param));
        };
        let (id, known) = (item.required_text("id")?, &subscription["items"]["data"][0]);
        if known["id"] != *id {
            let message = format!("No such subscription item: '{id}'");
            return Err(ApiError::invalid(message).code("resource_missing").param(item.full_name("id")));
        }
        let price = read_price(self.tx, &mut item)?;
        let quantity = read_quantity(&mut item)?;
        item.finish()?;
        let mut shown = json!({ "id": id, "price": price.map(|price| price["id"].clone()) });
        if let Some(quantity) = quantity {
            shown["quantity"] = json!(quantity);
        }
        let wish = Wish::of_flow(&shown, &subscription);
        if wish.is_as_it_is(&subscription) {
            let message = "Cannot update the subscription because there are no changes to confirm.";
            return Err(ApiError::invalid(message));
        }
        change::ensure_offered(self.tx, self.configuration, &subscription, &wish)?;
        Ok(json!({ "discounts": null, "items": [shown], "subscription": subscription["id"] }))
    }

    fn read_updatable(&self, given: &mut Params) -> Result<Value, ApiError> {
        let what = "This subscription cannot be updated because the subscription update";
        self.ensure_on("subscription_update", what)?;
        let subscription = self.read_subscription(given)?;
        match change::obstacle(self.tx, &subscription) {
            None => Ok(subscription),
            Some(why) => {
                Err(ApiError::invalid(format!("This subscription cannot be updated because {why}.")))
            }
        }
    }

    fn read_subscription(&self, given: &mut Params) -> Result<Value, ApiError> {
        let id = given.required_text("subscription")?;
        let param = given.full_name("subscription");
        let subscription = self.tx.require(Kind::Subscription, &id, Place::Param(&param))?;
        match subscription["customer"] == *self.customer {
            true => Ok(subscription),
            false => Err(ApiError::no_such(Kind::Subscription, &id, Place::Param(&param))),
        }
    }
}
