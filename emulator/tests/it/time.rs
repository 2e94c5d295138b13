//! Moving the emulator's clock, and looking at what came of it.

use serde_json::{Value, json};

use crate::support::{Stripe, id};

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;

impl Stripe {
    pub async fn now(&self) -> i64 {
        let clock = self.http.get(self.url("/_emulator/clock")).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&clock).unwrap()["now"].as_i64().unwrap()
    }

    pub async fn pass(&self, seconds: i64) {
        self.control("/_emulator/clock", json!({ "advance_seconds": seconds })).await;
    }

    pub async fn pass_until(&self, at: i64) {
        let now = self.now().await;
        self.pass((at - now).max(0)).await;
    }

    /// The types of the events since there were so many, oldest first.
    pub async fn events_since(&self, count: usize) -> Vec<String> {
        let all = self.http.get(self.url("/_emulator/events?limit=10000")).send().await.unwrap();
        let all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
        let types = all["data"].as_array().unwrap().iter().rev();
        types.skip(count).map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn event_count(&self) -> usize {
        self.events_since(0).await.len()
    }

    pub async fn only_subscription(&self, customer: &str) -> Value {
        let mut all = self.subscriptions(customer).await;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub async fn invoices(&self, customer: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/invoices?customer={customer}&limit=100")).await;
        list["data"].as_array().unwrap().clone()
    }

    /// From now on the customer's subscription is charged to this test card.
    pub async fn change_card(&self, customer: &str, token: &str) {
        let card = self.post(&format!("/v1/payment_methods/{token}/attach"), &[("customer", customer)]).await;
        let subscription = format!("/v1/subscriptions/{}", id(&self.only_subscription(customer).await));
        self.post(&subscription, &[("default_payment_method", &id(&card))]).await;
    }
}

/// When the first item's period begins and ends.
pub fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    (item["current_period_start"].as_i64().unwrap(), item["current_period_end"].as_i64().unwrap())
}
