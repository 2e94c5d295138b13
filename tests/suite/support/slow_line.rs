//! A slow line to Stripe: what Stripe has answered already arrives only when the test lets it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

pub struct SlowLine {
    pub url: String,
    line: Line,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Line {
    to: Arc<str>,
    client: reqwest::Client,
    /// One permit for each answer that Stripe has given and the line still holds.
    answered: Arc<Semaphore>,
    /// One permit for each answer that may go on.
    released: Arc<Semaphore>,
}

impl SlowLine {
    /// Holds back the answers to this path; all others pass.
    pub async fn to(stripe: &str, held: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let line = Line {
            to: stripe.into(),
            client: reqwest::Client::new(),
            answered: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
        };
        let forward = async move |State(line): State<Line>, method, uri: Uri, headers, body| {
            let answer = line.forward(method, &uri, headers, body).await;
            if uri.path() == held {
                line.answered.add_permits(1);
                line.released.acquire().await.unwrap().forget();
            }
            answer
        };
        let router = Router::new().fallback(forward).with_state(line.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, line, serving }
    }

    /// Waits until Stripe has answered and the line holds the answer.
    pub async fn answered(&self) {
        self.line.answered.acquire().await.unwrap().forget();
    }

    /// Lets one answer go on.
    pub fn release(&self) {
        self.line.released.add_permits(1);
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Line {
    async fn forward(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, HeaderMap, Bytes) {
        headers.remove("host");
        let request = self.client.request(method, format!("{}{uri}", self.to)).headers(headers).body(body);
        let answer = request.send().await.unwrap();
        let mut answered = HeaderMap::new();
        // What Stripe says of itself; the rest is this line's own to say.
        for (name, value) in answer.headers() {
            if name.as_str().starts_with("stripe-") || name == "retry-after" {
                answered.insert(name, value.clone());
            }
        }
        (answer.status(), answered, answer.bytes().await.unwrap())
    }
}
