//! Webhooks made by hand, signed as Stripe signs them.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// One delivery to an app.
pub struct Delivery {
    pub body: String,
    pub signature: Option<String>,
}

impl Delivery {
    /// Signed now.
    pub fn signed(body: impl ToString, secret: &str) -> Self {
        Self::signed_at(body, secret, 0)
    }

    /// Signed this many seconds ago.
    pub fn signed_at(body: impl ToString, secret: &str, seconds_ago: u64) -> Self {
        let body = body.to_string();
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - seconds_ago;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{time}.{body}").as_bytes());
        let signature = format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()));
        Self { body, signature: Some(signature) }
    }

    /// The status and the text of the answer.
    pub async fn send(&self, app_url: &str) -> (u16, String) {
        let answer = self.request(&reqwest::Client::new(), app_url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The status, where there was a whole answer: the app may die at any moment.
    pub async fn send_by(&self, client: &reqwest::Client, app_url: &str) -> Option<u16> {
        let answer = self.request(client, app_url).send().await.ok()?;
        let status = answer.status().as_u16();
        answer.bytes().await.ok().map(|_| status)
    }

    fn request(&self, client: &reqwest::Client, app_url: &str) -> reqwest::RequestBuilder {
        let request = client.post(format!("{app_url}/webhooks/stripe")).body(self.body.clone());
        match &self.signature {
            Some(signature) => request.header("stripe-signature", signature),
            None => request,
        }
    }
}

/// An event about a customer's subscription.
pub fn event(id: &str, customer: &str) -> Value {
    json!({
        "id": id,
        "object": "event",
        "type": "customer.subscription.updated",
        "created": 1_800_000_000,
        "livemode": false,
        "data": { "object": { "id": null, "object": "subscription", "customer": customer } },
    })
}
