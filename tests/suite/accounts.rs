//! Sign up, log in, log out, as a browser without scripts does it.

use reqwest::Method;
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER, SET_COOKIE};

use crate::support::{App, AppOptions, Browser, Page, RedisServer};

const ADA: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const SESSION: &str = "unsplit_session";

async fn log_in(browser: &mut Browser, email: &str, password: &str) -> Page {
    browser.post("/api/log_in", &[("email", email), ("password", password)]).await
}

#[tokio::test]
async fn sign_up_log_out_and_in_again() {
    let app = App::start().await;
    let mut browser = app.signed_up(ADA).await;
    let ended = browser.cookies[SESSION].clone();
    assert_eq!(browser.post("/api/log_out", &[]).await.path(), "/");
    assert_eq!(browser.get("/account").await.path(), "/login");

    // The old cookie is worth nothing, and so is one that was there before the log-in.
    let mut thief = app.browser();
    thief.cookies.insert(SESSION.to_owned(), ended);
    assert_eq!(thief.get("/account").await.path(), "/login");
    let planted = browser.cookies[SESSION].clone();
    assert_eq!(log_in(&mut browser, " Ada@Example.COM ", PASSWORD).await.path(), "/account");
    assert_ne!(browser.cookies[SESSION], planted);
    thief.cookies.insert(SESSION.to_owned(), planted);
    assert_eq!(thief.get("/account").await.path(), "/login");
    assert_eq!(app.keys("unsplit:account:*").await.len(), 1);
}

#[tokio::test]
async fn a_form_answers_303_and_a_cookie_that_scripts_cannot_read() {
    let app = App::start().await;
    let mut browser = app.browser();
    assert!(browser.get("/").await.headers.get(SET_COOKIE).is_none(), "a visit makes no session");
    let form = [("email", ADA), ("password", PASSWORD)];
    let answer = browser.once(Method::POST, "/api/sign_up", &form).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.headers[LOCATION], "/account");
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Lax"), "{cookie}");
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_once_and_the_email_stays() {
    let app = App::start().await;
    let mut browser = app.browser();
    let page = browser.post("/api/sign_up", &[("email", "ada"), ("password", "sh0rt&")]).await;
    assert_eq!(page.path(), "/signup");
    assert_eq!(page.text("#email-error"), "Enter an email address like name@example.com.");
    assert_eq!(page.text("#password-error"), "Use at least 10 characters.");
    assert!(page.html.contains(r#"value="ada""#) && !page.html.contains("sh0rt"));
    assert_eq!(browser.get("/signup").await.text(".error"), "");

    let page = browser.post("/api/log_in", &[]).await;
    assert_eq!(page.text("#email-error"), "Enter your email address.");
    assert_eq!(page.text("#password-error"), "Enter your password.");
    let page = browser.post("/api/log_in", &[("email", "a"), ("email", "b")]).await;
    assert_eq!(page.status, 400, "{}", page.html);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_email_look_the_same() {
    let app = App::start().await;
    app.signed_up(ADA).await;
    let mut browser = app.browser();
    let wrong = log_in(&mut browser, ADA, "a wrong guess").await;
    let unknown = log_in(&mut browser, "bob@example.com", "a wrong guess").await;
    assert_eq!(wrong.text("#password-error"), "Email and password don't match. Check both and try again.");
    assert_eq!(wrong.text("main"), unknown.text("main"));
    let taken = [("email", ADA), ("password", "another password")];
    let taken = browser.post("/api/sign_up", &taken).await;
    assert_eq!(
        taken.text("#email-error"),
        "This email has an account already. Log in, or use another email."
    );
}

#[tokio::test]
async fn after_ten_wrong_guesses_even_the_right_one_waits() {
    let app = App::start().await;
    app.signed_up(ADA).await;
    let mut browser = app.browser();
    for email in [ADA, "nobody@example.com"] {
        for _ in 0..10 {
            assert!(log_in(&mut browser, email, "a wrong guess").await.text("main").contains("don't match"));
        }
        let page = log_in(&mut browser, email, PASSWORD).await;
        assert_eq!(page.path(), "/login");
        assert!(page.text("main").contains("possible in 15 minutes"), "{}", page.text("main"));
    }
    for key in app.keys("unsplit:limit:*").await {
        assert!(!key.contains("ada@") && !key.contains("127.0.0.1"), "{key}");
    }
}

#[tokio::test]
async fn the_log_in_leads_back_to_the_page_that_asked_for_it() {
    let app = App::start().await;
    app.signed_up(ADA).await;
    let mut browser = app.browser();
    assert_eq!(browser.get("/app?from=here").await.path(), "/login");
    log_in(&mut browser, ADA, "a wrong guess").await;
    let page = log_in(&mut browser, ADA, PASSWORD).await;
    assert_eq!((page.path(), page.url.query()), ("/app", Some("from=here")));
}

#[tokio::test]
async fn a_double_click_makes_one_account_and_both_get_in() {
    let app = App::start().await;
    let (mut one, mut two) = (app.browser(), app.browser());
    let form = [("email", ADA), ("password", PASSWORD)];
    let (first, second) = tokio::join!(one.post("/api/sign_up", &form), two.post("/api/sign_up", &form));
    assert_eq!((first.path(), second.path()), ("/account", "/account"));
    assert_eq!(app.keys("unsplit:account:*").await.len(), 1);
}

#[tokio::test]
async fn another_site_can_post_nothing() {
    let app = App::start().await;
    let client = reqwest::Client::new();
    let post = || client.post(format!("{}/api/log_out", app.url)).header("accept", "text/html");
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("x", "y")] {
        let answer = post().header(name, value).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
}

#[tokio::test]
async fn every_script_of_a_page_carries_the_nonce_of_its_policy() {
    let app = App::start().await;
    let mut browser = app.browser();
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = browser.get("/login").await;
        let policy = page.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let scripts = page.html.matches("<script").count();
        assert!(scripts > 0, "the log-in page has an island");
        let carried = page.html.split("<script").skip(1);
        assert!(
            carried.into_iter().all(|script| script.split('>').next().unwrap().contains(&nonce)),
            "{}",
            page.html
        );
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn a_restart_of_redis_logs_nobody_out_and_its_outage_says_so() {
    let mut redis = RedisServer::start();
    let app = App::with(AppOptions { redis_url: redis.url(), ..AppOptions::default() }).await;
    let mut browser = app.signed_up(ADA).await;
    redis.kill();
    for page in [browser.get("/account").await, log_in(&mut app.browser(), ADA, PASSWORD).await] {
        assert_eq!(page.status, 503);
        assert!(page.headers.contains_key(RETRY_AFTER));
        assert_eq!(page.heading(), "We'll be back in a moment");
    }
    assert_eq!(app.browser().get("/pricing").await.status, 200);
    redis.restart();
    assert_eq!(browser.get("/account").await.path(), "/account");
}
