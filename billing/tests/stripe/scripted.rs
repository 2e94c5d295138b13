//! A Stripe that answers what it is told to, in turn, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use unsplit_billing::adapters::stripe::{StripeSettings, Transport};

pub const KEY: &str = "sk_test_emulator";

pub fn settings() -> StripeSettings {
    StripeSettings {
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(2),
        rate_limit_pause: Duration::from_millis(1),
        ..StripeSettings::default()
    }
}

#[derive(Clone)]
pub struct Answer(u16, Vec<(&'static str, String)>, Value);

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self(200, Vec::new(), body)
    }

    pub fn list(data: &[Value], has_more: bool) -> Self {
        Self::ok(json!({ "object": "list", "data": data, "has_more": has_more }))
    }

    pub fn error(status: u16, error: Value) -> Self {
        Self(status, Vec::new(), json!({ "error": error }))
    }

    pub fn with(mut self, header: &'static str, value: impl ToString) -> Self {
        self.1.push((header, value.to_string()));
        self
    }
}

/// What was asked, as text without percent signs.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub form: String,
}

#[derive(Clone, Default)]
pub struct Scripted {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Gives these answers in turn, and then a 418.
    pub async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, Transport) {
        let scripted = Self::default();
        scripted.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(scripted.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (scripted, Transport::new(KEY, Some(&base), settings()).unwrap())
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn plain(text: &str) -> String {
    let pairs = form_urlencoded::parse(text.as_bytes());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

async fn answer(State(scripted): State<Scripted>, method: Method, uri: Uri, body: Bytes) -> Response {
    let form = plain(&String::from_utf8_lossy(&body));
    let line = format!("{method} {}?{}", uri.path(), plain(uri.query().unwrap_or_default()));
    scripted.asked.lock().unwrap().push(Asked { line, form });
    let next = scripted.answers.lock().unwrap().pop_front();
    let Answer(status, headers, body) = next.unwrap_or_else(|| Answer::error(418, json!({})));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), map, body.to_string()).into_response()
}
