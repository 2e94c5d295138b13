//! An emulator on a free port, a client for it, a shop to buy in, and an endpoint that hears webhooks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use stripe_emulator::{Emulator, Options};

use crate::judge;

pub const KEY: &str = "sk_test_emulator";
pub const GOOD: &str = "4242424242424242";
pub const DECLINED: &str = "4000000000000002";

pub struct Stripe {
    pub emulator: Emulator,
    pub http: Client,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn error(&self) -> &Value {
        assert!(self.status >= 400, "not an error: {}", self.body);
        &self.body["error"]
    }
}

pub fn options() -> Options {
    Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Stripe {
    pub async fn start() -> Stripe {
        Stripe::with(options()).await
    }

    pub async fn with(options: Options) -> Stripe {
        let emulator = Emulator::start(options).await.unwrap();
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Stripe { emulator, http }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    /// Any request with the key and any headers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.http.request(method.clone(), self.url(path)).bearer_auth(KEY);
        if !fields.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = reply(request.send().await?).await?;
        if reply.status == 200 && path.starts_with("/v1/") {
            judge::request(method.as_str(), path, fields);
        }
        Ok(reply)
    }

    pub async fn try_get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], &[]).await.unwrap()
    }

    pub async fn try_post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(Method::POST, path, fields, &[]).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        ok(self.try_get(path).await)
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        ok(self.try_post(path, fields).await)
    }

    pub async fn delete(&self, path: &str) -> Value {
        ok(self.send(Method::DELETE, path, &[], &[]).await.unwrap())
    }

    /// A control with a JSON body.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        ok(self.try_control(path, body).await)
    }

    pub async fn try_control(&self, path: &str, body: Value) -> Reply {
        let request = self.http.post(self.url(path)).header("content-type", "application/json");
        reply(request.body(body.to_string()).send().await.unwrap()).await.unwrap()
    }

    /// A new customer.
    pub async fn customer(&self) -> String {
        id(&self.post("/v1/customers", &[("email", "ada@example.com"), ("metadata[userId]", "u1")]).await)
    }

    /// A product and its price of 12 dollars a month.
    pub async fn price(&self) -> String {
        let product = self.post("/v1/products", &[("name", "Pro"), ("metadata[plan]", "pro")]).await;
        let fields = [
            ("product", product["id"].as_str().unwrap()),
            ("currency", "usd"),
            ("unit_amount", "1200"),
            ("recurring[interval]", "month"),
        ];
        id(&self.post("/v1/prices", &fields).await)
    }

    /// An open checkout session, with more parameters if wanted.
    pub async fn session(&self, customer: &str, price: &str, more: &[(&str, &str)]) -> Value {
        let mut fields = vec![
            ("mode", "subscription"),
            ("customer", customer),
            ("line_items[0][price]", price),
            ("line_items[0][quantity]", "1"),
            ("success_url", "http://shop.test/done?session={CHECKOUT_SESSION_ID}"),
            ("cancel_url", "http://shop.test/pricing"),
        ];
        fields.extend_from_slice(more);
        self.post("/v1/checkout/sessions", &fields).await
    }

    /// Sends the checkout page's form with this card.
    pub async fn pay(&self, session: &Value, card: &str) -> Response {
        let fields = [("card_number", card), ("expiry", "12/34"), ("cvc", "123"), ("name", "Ada Lovelace")];
        self.submit(session["url"].as_str().unwrap(), &fields).await
    }

    /// Sends a form as a browser does.
    pub async fn submit(&self, url: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        request.body(form(fields)).send().await.unwrap()
    }

    /// Everything from customer to paid subscription: the customer, and the session as it was when it opened.
    pub async fn buy(&self) -> (String, Value) {
        let (customer, price) = (self.customer().await, self.price().await);
        let session = self.session(&customer, &price, &[]).await;
        let response = self.pay(&session, GOOD).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        (customer, session)
    }

    /// The types of all events, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await;
        let types =
            events["data"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned());
        types.rev().collect()
    }

    pub async fn subscriptions(&self, customer: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/subscriptions?customer={customer}&status=all&limit=100")).await;
        list["data"].as_array().unwrap().clone()
    }
}

fn ok(reply: Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body
}

async fn reply(response: Response) -> Result<Reply, reqwest::Error> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let url = response.url().clone();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(json!(text));
    if url.path().starts_with("/v1/") {
        judge::answer(url.as_str(), status, &body);
    }
    Ok(Reply { status, headers, body })
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

pub fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(id).collect()
}

/// Asks again until it is so, for at most ten seconds.
pub async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut is_so: F) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to be: {what}");
}

/// An endpoint that records what it is sent.
#[derive(Clone)]
pub struct Hook {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    status: Arc<Mutex<StatusCode>>,
}

#[derive(Clone)]
pub struct Heard {
    pub signature: String,
    pub user_agent: String,
    pub body: String,
}

impl Heard {
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Hook {
    pub async fn start() -> Hook {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let hook = Hook { url, heard: Arc::default(), status: Arc::new(Mutex::new(StatusCode::OK)) };
        let hears = hook.clone();
        let answer = move |headers: HeaderMap, body: String| {
            let header =
                |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let heard =
                Heard { signature: header("stripe-signature"), user_agent: header("user-agent"), body };
            hears.heard.lock().unwrap().push(heard);
            let status = *hears.status.lock().unwrap();
            async move { status }
        };
        let router = Router::new().route("/hook", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        hook
    }

    pub fn answer_with(&self, status: StatusCode) {
        *self.status.lock().unwrap() = status;
    }

    pub fn heard(&self) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap().clone();
        heard.iter().for_each(|heard| judge::event("a webhook", &heard.event()));
        heard
    }

    pub fn types(&self) -> Vec<String> {
        self.heard().iter().map(|heard| heard.event()["type"].as_str().unwrap().to_owned()).collect()
    }
}
