//! The emulator, as a test looks at it and plays the Dashboard.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

pub const KEY: &str = "sk_test_emulator";

#[derive(Clone)]
pub struct Stripe {
    pub url: String,
    client: reqwest::Client,
}

impl Stripe {
    pub fn at(url: String) -> Self {
        Self { url, client: reqwest::Client::new() }
    }

    pub async fn get(&self, path: &str) -> Value {
        answer(path, self.client.get(format!("{}{path}", self.url)).bearer_auth(KEY)).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        answer(path, self.client.post(format!("{}{path}", self.url)).bearer_auth(KEY).form(form)).await
    }

    pub async fn delete(&self, path: &str) -> Value {
        answer(path, self.client.delete(format!("{}{path}", self.url)).bearer_auth(KEY)).await
    }

    /// All objects of a list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).await["data"].as_array().unwrap().clone()
    }

    /// One of the emulator's own controls, such as `faults` or `deliveries`.
    pub async fn control(&self, path: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}/_emulator/{path}", self.url));
        answer(path, request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// From now on webhooks wait.
    pub async fn hold_webhooks(&self) {
        self.control("deliveries", &json!({ "mode": "held" })).await;
    }

    /// From now on webhooks are lost.
    pub async fn drop_webhooks(&self) {
        self.control("deliveries", &json!({ "mode": "dropped" })).await;
    }

    /// Sends what was held.
    pub async fn release_webhooks(&self) {
        self.control("deliveries", &json!({ "mode": "normal" })).await;
    }

    pub async fn fault(&self, fault: &Value) {
        self.control("faults", fault).await;
    }

    pub async fn heal(&self) {
        self.delete("/_emulator/faults").await;
    }

    pub async fn forget_requests(&self) {
        self.delete("/_emulator/requests").await;
    }

    /// What was asked of Stripe, oldest first.
    pub async fn requests(&self, method: &str, path: &str) -> Vec<Value> {
        let mut all = self.list("/_emulator/requests?limit=2000").await;
        all.retain(|request| request["method"] == method && request["path"] == path);
        all.reverse();
        all
    }

    /// Changes a stored object without an event, as no API call could.
    pub async fn patch(&self, kind: &str, id: &str, change: &Value) -> Value {
        self.control(&format!("objects/{kind}/{id}"), change).await
    }

    /// Fills in the hosted checkout page and sends it.
    pub async fn pay(&self, checkout: &str, card: &str) {
        let form = [("card_number", card), ("expiry", "12 / 34"), ("cvc", "123"), ("name", "Ada")];
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = client.post(checkout).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
    }

    /// Customers that are not deleted.
    pub async fn customers(&self) -> Vec<Value> {
        self.list("/v1/customers?limit=100").await
    }

    /// Checkout sessions in this status.
    pub async fn sessions(&self, status: &str) -> Vec<Value> {
        let mut all = self.list("/v1/checkout/sessions?limit=100").await;
        all.retain(|session| session["status"] == status);
        all
    }

    /// The price that is sold under a lookup key.
    pub async fn price(&self, lookup_key: &str) -> Value {
        self.get(&format!("/v1/prices?lookup_keys[]={lookup_key}")).await["data"][0].clone()
    }

    /// A subscription that did not come from a checkout, paid by a good card.
    pub async fn subscribe(&self, customer: &str, lookup_key: &str) -> String {
        let card = self.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", customer)]).await;
        let price = self.price(lookup_key).await;
        let form = [
            ("customer", customer),
            ("items[0][price]", price["id"].as_str().unwrap()),
            ("default_payment_method", card["id"].as_str().unwrap()),
        ];
        self.post("/v1/subscriptions", &form).await["id"].as_str().unwrap().to_owned()
    }
}

async fn answer(what: &str, request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let (status, body) = (answer.status(), answer.bytes().await.unwrap());
    assert!(status.is_success(), "{what}: {status} {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}
