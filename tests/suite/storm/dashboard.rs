//! What people do in Stripe's Dashboard while the app looks away.

use reqwest::Method;
use serde_json::{Value, json};

use super::schedule::Change;
use super::storm::{email, user};
use super::world::World;

/// A customer of this user, whom the app does not know yet.
pub async fn create(world: &World, number: usize) -> String {
    let (user, email) = (user(number), email(number));
    let form = [("metadata[userId]", user.as_str()), ("email", email.as_str())];
    let customer = world.call(Method::POST, "/v1/customers", &form).await.unwrap();
    customer["id"].as_str().unwrap().to_owned()
}

/// A subscription that did not come from a checkout.
///
/// # Errors
/// Stripe's refusal, as of a customer who was deleted meanwhile.
pub async fn subscribe(world: &World, customer: &str, plan: &str) -> Result<String, String> {
    let card = attach(world, customer, "visa").await?;
    let prices = world.list(&format!("/v1/prices?lookup_keys[]={plan}_monthly")).await;
    let form = [
        ("customer", customer),
        ("items[0][price]", prices[0]["id"].as_str().unwrap()),
        ("default_payment_method", &card),
    ];
    let subscription = world.call(Method::POST, "/v1/subscriptions", &form).await?;
    let id = subscription["id"].as_str().unwrap().to_owned();
    world.dashboard.lock().await.entry(customer.to_owned()).or_default().push(id.clone());
    Ok(id)
}

async fn attach(world: &World, customer: &str, card: &str) -> Result<String, String> {
    let path = format!("/v1/payment_methods/pm_card_{card}/attach");
    let attached = world.call(Method::POST, &path, &[("customer", customer)]).await?;
    Ok(attached["id"].as_str().unwrap().to_owned())
}

/// Changes something, and says what.
pub async fn change(world: &World, customer: &str, change: Change) -> String {
    let changed = match change {
        Change::Subscribe(plan) => subscribe(world, customer, plan).await,
        Change::DeleteCustomer => {
            let path = format!("/v1/customers/{customer}");
            world.call(Method::DELETE, &path, &[]).await.map(|_| "gone".to_owned())
        }
        change => patch(world, customer, change).await,
    };
    changed
        .map_or_else(|refusal| format!("{customer}: {}", message(&refusal)), |id| format!("{customer}: {id}"))
}

fn message(refusal: &str) -> String {
    serde_json::from_str::<Value>(refusal).unwrap_or_default()["error"]["message"].to_string()
}

/// Changes the newest live subscription. No fault meets this, so that it can happen while one holds
/// an answer back. One at a time: what has ended must not come back.
async fn patch(world: &World, customer: &str, change: Change) -> Result<String, String> {
    let card = match change {
        Change::Card(card) => Some(attach(world, customer, card).await?),
        _ => None,
    };
    let subscriptions = world.dashboard.lock().await;
    for id in subscriptions.get(customer).into_iter().flatten().rev() {
        let path = format!("objects/subscriptions/{id}");
        let now = world.control(&path, &json!({})).await;
        if !is_live(&now) {
            continue;
        }
        let (mut patch, event) = match change {
            Change::Status(status) => (json!({ "status": status }), "updated"),
            Change::Cancel => {
                let at = &now["created"];
                (json!({ "status": "canceled", "canceled_at": at, "ended_at": at }), "deleted")
            }
            Change::CancelLater => {
                let later = now["cancel_at_period_end"] != true;
                (json!({ "cancel_at_period_end": later }), "updated")
            }
            _ => (json!({ "default_payment_method": card }), "updated"),
        };
        patch["_event"] = format!("customer.subscription.{event}").into();
        world.control(&path, &patch).await;
        return Ok(id.clone());
    }
    Ok("nothing to change".to_owned())
}

fn is_live(subscription: &Value) -> bool {
    let ended = ["canceled", "incomplete", "incomplete_expired"];
    !ended.contains(&subscription["status"].as_str().unwrap())
}

/// The live subscriptions that a user has bought at our checkout, of whichever customer.
pub async fn bought(world: &World, number: usize) -> Vec<String> {
    let mut bought = Vec::new();
    for subscription in world.list("/v1/subscriptions?limit=100&expand[]=data.customer").await {
        let id = subscription["id"].as_str().unwrap().to_owned();
        if let Some(customer) = subscription["customer"]["id"].as_str() {
            let mut known = world.dashboard.lock().await;
            let known = known.entry(customer.to_owned()).or_default();
            if !known.contains(&id) {
                known.push(id.clone());
            }
        }
        let ours = subscription["metadata"]["checkout"].is_string();
        if is_live(&subscription) && ours && subscription["customer"]["metadata"]["userId"] == user(number) {
            bought.push(id);
        }
    }
    bought
}
