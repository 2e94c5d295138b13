//! The way from a command to a running emulator: its controls as JSON, Stripe's API and the hosted pages as forms.
//! It talks to an emulator only; `greet` finds out before anything is changed.

use std::error::Error;

use clap::Args;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use stripe_emulator::DEFAULT_SECRET_KEY;

use super::failure::Failure;

/// Which emulator.
#[derive(Args)]
pub struct Target {
    /// Where the emulator listens.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:12111")]
    url: String,
    /// The API key that it accepts.
    #[arg(long, value_name = "KEY", default_value = DEFAULT_SECRET_KEY)]
    secret_key: String,
}

pub struct Emulated {
    http: Client,
    url: String,
    secret_key: String,
}

/// A request to the API, or a form of a hosted page.
pub struct Call {
    pub method: Method,
    pub path: String,
    pub fields: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

/// An answer of the API; a page's is `null`.
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Emulated {
    pub fn new(target: Target) -> Result<Emulated, Failure> {
        let url = target.url.trim_end_matches('/').to_owned();
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let http = http.map_err(|error| Failure::BadUrl { url: url.clone(), reason: error.to_string() })?;
        Ok(Emulated { http, url, secret_key: target.secret_key })
    }

    /// Makes sure that an emulator is there. Gives its time, in seconds since 1970.
    pub async fn greet(&self) -> Result<i64, Failure> {
        let clock = self.get("clock").await?;
        clock["now"].as_i64().ok_or_else(|| Failure::Stranger { url: self.url.clone() })
    }

    /// A control that tells, by its path below `/_emulator`.
    pub async fn get(&self, control: &str) -> Result<Value, Failure> {
        self.control(Method::GET, control, None).await
    }

    /// A control that changes something.
    pub async fn post(&self, control: &str, body: &Value) -> Result<Value, Failure> {
        self.control(Method::POST, control, Some(body)).await
    }

    pub async fn delete(&self, control: &str) -> Result<Value, Failure> {
        self.control(Method::DELETE, control, None).await
    }

    async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut request = self.http.request(method, format!("{}/_emulator/{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let (status, body) = self.read(self.send(request).await?).await?;
        match (status, body["error"].as_str()) {
            (200, None) if body.is_object() => Ok(body),
            (_, Some(error)) => Err(Failure::Refused(error.to_owned())),
            _ => Err(Failure::Stranger { url: self.url.clone() }),
        }
    }

    /// A request to the API or a page, whatever it is answered.
    pub async fn call(&self, call: Call) -> Result<Reply, Failure> {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.fields).finish();
        let in_query = call.method == Method::GET && !encoded.is_empty();
        let query = if in_query { format!("?{encoded}") } else { String::new() };
        let mut request = self.http.request(call.method, format!("{}{}{query}", self.url, call.path));
        request = request.bearer_auth(&self.secret_key);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        if !in_query && !encoded.is_empty() {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(encoded);
        }
        let (status, body) = self.read(self.send(request).await?).await?;
        Ok(Reply { status, body })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        request.send().await.map_err(|error| self.failure(&error))
    }

    async fn read(&self, response: Response) -> Result<(u16, Value), Failure> {
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| self.failure(&error))?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        let url = self.url.clone();
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        match error {
            error if error.is_builder() => Failure::BadUrl { url, reason },
            error if error.is_connect() => Failure::NobodyThere { url },
            _ => Failure::Lost { url, reason },
        }
    }
}
