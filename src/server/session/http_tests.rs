//! The middlewares together, through HTTP, on a real Redis: what a browser gets to see.
#![expect(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use reqwest::header::{ACCEPT, CACHE_CONTROL, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use tower_sessions::Session;
use unsplit_billing::id::UserId;

use super::test_redis::TestRedis;
use super::*;
use crate::app::flash::Flash;
use crate::server::auth::{AuthError, Authenticate, CurrentUser, User, remember_and_log_in, resolve_user};
use crate::server::security::{SecurityPolicy, same_origin, security_headers};

struct BySession;

#[async_trait]
impl Authenticate for BySession {
    async fn user(&self, request: &Parts) -> Result<Option<User>, AuthError> {
        let visitor = Visitor::new(request.extensions.get::<Session>().unwrap().clone());
        let id = visitor.user().await.map_err(|error| AuthError(error.to_string()))?;
        Ok(id.map(|id| User { id, email: "ada@example.com".to_owned() }))
    }
}

async fn page(CurrentUser(user): CurrentUser, request: Request) -> Html<String> {
    let told = request.extensions().get::<Flash>().map(|flash| flash.value("told"));
    Html(format!("{:?} {told:?}", user.map(|user| user.id)))
}

async fn log_in(session: Session) -> Redirect {
    Visitor::new(session).log_in(&UserId::parse("user_1").unwrap()).await.unwrap();
    Redirect::to("/")
}

async fn tell(session: Session) -> Redirect {
    let flash = Flash { values: [("told".to_owned(), "once".to_owned())].into(), ..Flash::default() };
    Visitor::new(session).set_flash(&flash).await.unwrap();
    Redirect::to("/away")
}

async fn log_out(session: Session) -> Redirect {
    Visitor::new(session).log_out().await.unwrap();
    Redirect::to("/")
}

async fn gated(session: Session, request: Request) -> axum::response::Response {
    remember_and_log_in(session, Some(request.uri()), request.headers()).await
}

async fn start(redis: &TestRedis, public_url: &str) -> Browser {
    let policy = SecurityPolicy::new(public_url, &[]).unwrap();
    let auth: Arc<dyn Authenticate> = Arc::new(BySession);
    let store = RedisSessionStore::new(redis.connection.clone());
    let router = Router::new()
        .route("/", get(page))
        .route("/away", get(|| async { Redirect::to("/") }))
        .route("/gated", get(gated))
        .route("/log_in", post(log_in))
        .route("/tell", post(tell))
        .route("/log_out", post(log_out))
        .layer(from_fn(carry_flash))
        .layer(from_fn_with_state(auth, resolve_user))
        .layer(session_layer(store, policy.own_origin()))
        .layer(from_fn(answer_outages))
        .layer(from_fn_with_state(policy.clone(), same_origin))
        .layer(from_fn_with_state(policy, security_headers));
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Browser {
        client: Client::builder().redirect(Policy::none()).build().unwrap(),
        base,
        cookie: String::new(),
    }
}

struct Browser {
    client: Client,
    base: String,
    cookie: String,
}

impl Browser {
    async fn get(&mut self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.base));
        self.send(request).await
    }

    async fn post(&mut self, path: &str) -> Response {
        let request = self.client.post(format!("{}{path}", self.base));
        self.send(request.header("sec-fetch-site", "same-origin")).await
    }

    async fn send(&mut self, request: RequestBuilder) -> Response {
        let request = request.header(ACCEPT, "text/html").header(COOKIE, &self.cookie);
        let response = request.send().await.unwrap();
        if let Some(cookie) = set_cookie(&response) {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        response
    }
}

fn set_cookie(response: &Response) -> Option<String> {
    response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn the_cookie_is_made_by_a_log_in_and_not_by_a_visit() {
    let redis = TestRedis::start().await;
    let secure = "__Host-unsplit_session=";
    for (public_url, name) in [("http://a.example", "unsplit_session="), ("https://a.example", secure)] {
        let mut browser = start(&redis, public_url).await;
        let visit = browser.get("/").await;
        assert_eq!(set_cookie(&visit), None);
        assert_eq!(visit.headers()[CACHE_CONTROL], "private, no-store");
        let cookie = set_cookie(&browser.post("/log_in").await).unwrap();
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=1209600"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert_eq!(cookie.contains("; Secure"), name == secure, "{cookie}");
        assert!(browser.get("/").await.text().await.unwrap().contains("user_1"));
        let removed = set_cookie(&browser.post("/log_out").await).unwrap();
        assert!(removed.contains("Max-Age=0"), "{removed}");
        assert_eq!(removed.contains("; Secure"), name == secure, "{removed}");
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        assert_eq!(browser.get("/").await.text().await.unwrap(), "None None");
    }
}

#[tokio::test]
async fn a_flash_is_shown_once_and_survives_a_redirect() {
    let redis = TestRedis::start().await;
    let mut browser = start(&redis, "http://a.example").await;
    browser.post("/tell").await;
    let ahead = browser.client.get(format!("{}/", browser.base)).header("sec-purpose", "prefetch");
    assert_eq!(browser.send(ahead).await.text().await.unwrap(), "None None");
    assert_eq!(browser.get("/away").await.headers()[LOCATION], "/");
    assert_eq!(browser.get("/").await.text().await.unwrap(), "None Some(\"once\")");
    assert_eq!(browser.get("/").await.text().await.unwrap(), "None None");
}

#[tokio::test]
async fn without_redis_a_user_gets_503_and_stays_logged_in() {
    let mut redis = TestRedis::start().await;
    let mut browser = start(&redis, "http://a.example").await;
    browser.post("/log_in").await;
    redis.stop();
    for response in [browser.get("/").await, browser.post("/log_out").await] {
        assert_eq!(response.status(), 503);
        assert_eq!(set_cookie(&response), None);
        assert_eq!(response.headers()[RETRY_AFTER], "5");
        assert!(response.text().await.unwrap().contains("<h1>"));
    }
    // Who has no session can still look; where one would have to be stored, the answer is a page too.
    browser.cookie.clear();
    assert_eq!(browser.get("/").await.status(), 200);
    let unsaved = browser.get("/gated").await;
    assert_eq!(unsaved.status(), 503);
    assert!(unsaved.text().await.unwrap().contains("<h1>"));
    redis.start_again().await;
    assert_eq!(browser.get("/gated").await.headers()[LOCATION], "/login");
}

#[tokio::test]
async fn another_site_can_post_nothing() {
    let redis = TestRedis::start().await;
    let mut browser = start(&redis, "http://a.example").await;
    let post = browser.client.post(format!("{}/log_in", browser.base));
    let response = browser.send(post.header("sec-fetch-site", "cross-site")).await;
    assert_eq!(response.status(), 403);
    assert_eq!(set_cookie(&response), None);
}
