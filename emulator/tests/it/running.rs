//! The program's commands that run on: following events, and serving. And their help.

use std::process::Stdio;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stripe_emulator::{Options, Webhook};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout};

use crate::command_line::{program, run};
use crate::support::{Hook, Stripe, eventually, id, ids, options};

/// A program that runs on, and the lines that it prints.
struct Running {
    lines: Lines<BufReader<ChildStdout>>,
    _errors: Lines<BufReader<ChildStderr>>,
    _child: Child,
}

impl Running {
    /// Follows events; returns when it waits for the next.
    async fn tail(stripe: &Stripe, arguments: &[&str]) -> Running {
        let url = stripe.emulator.url();
        let mut command = program(&[&["events", "tail", "--url", &url], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(errors.next_line().await.unwrap().unwrap().starts_with("Waiting for events"));
        Running { lines, _errors: errors, _child: child }
    }

    async fn line(&mut self) -> String {
        let next = tokio::time::timeout(std::time::Duration::from_secs(20), self.lines.next_line());
        next.await.unwrap().unwrap().unwrap()
    }
}

async fn forwarding_to(hook: &Hook) -> Stripe {
    let webhook = Webhook { url: hook.url.clone(), secret: "whsec_test".to_owned() };
    Stripe::with(Options { webhooks: vec![webhook], ..options() }).await
}

#[tokio::test]
async fn events_are_followed_with_their_deliveries_and_sent_again() {
    let hook = Hook::start().await;
    let stripe = forwarding_to(&hook).await;
    stripe.customer().await;
    eventually("the first is delivered", async || hook.heard().len() == 1).await;
    let deliveries = async || stripe.get("/_emulator/deliveries").await["data"].clone();
    eventually("and known to be", async || deliveries().await[0]["state"] == "delivered").await;
    let mut tail = Running::tail(&stripe, &["--type", "customer.*"]).await;
    hook.answer_with(StatusCode::IM_A_TEAPOT);
    stripe.control("/_emulator/deliveries", json!({"mode": "normal", "retry_ms": 3_600_000})).await;
    stripe.price().await;
    let customer = stripe.customer().await;
    let event = ids(&stripe.get("/v1/events?type=customer.created").await).remove(0);
    let line = tail.line().await;
    assert!(line.ends_with(&format!("  customer.created  {customer}  {event}")), "{line}");
    let line = tail.line().await;
    assert_eq!(line.trim(), format!("customer.created failed, to be tried again ({}): 418", hook.url));
    hook.answer_with(StatusCode::OK);
    let said = stripe.said(&["events", "resend", &event]).await;
    assert_eq!(said, format!("{event} is on its way to 1 endpoint(s)\n"));
    let line = tail.line().await;
    assert_eq!(line.trim(), format!("customer.created delivered ({}): 200, tried 2 times", hook.url));
    assert!(
        stripe.complaint(&["events", "resend", "evt_none"], 1).await.contains("there is no event evt_none")
    );
}

#[tokio::test]
async fn events_are_followed_as_json_over_a_reset() {
    let stripe = Stripe::start().await;
    let mut tail = Running::tail(&stripe, &["--json"]).await;
    for _ in 0..2 {
        let customer = stripe.customer().await;
        let line: Value = serde_json::from_str(&tail.line().await).unwrap();
        assert_eq!(
            (line["event"]["type"].as_str(), id(&line["event"]["data"]["object"])),
            (Some("customer.created"), customer)
        );
        stripe.said(&["reset"]).await;
    }
    stripe.customer().await;
    let event = ids(&stripe.get("/v1/events").await).remove(0);
    assert!(
        stripe.complaint(&["events", "resend", &event], 1).await.contains("no endpoint wants this event")
    );
}

#[tokio::test]
async fn serving_goes_as_fast_as_it_is_told() {
    let mut serve = program(&["serve", "--listen", "127.0.0.1:0", "--speed", "3600"]);
    let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let clock = format!("{}/_emulator/clock", line.split_whitespace().nth(3).unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let clock: Value =
        serde_json::from_str(&http.get(clock).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(clock["speed"], 3600);
    let refused = run(&["serve", "--listen", "127.0.0.1:0", "--speed", "0"]).await;
    assert_eq!((refused.code, refused.errors.contains("--speed")), (2, true), "{}", refused.errors);
}

#[tokio::test]
async fn serving_tells_where_and_help_teaches_by_example() {
    let mut serve = program(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.split_whitespace().nth(3).unwrap().to_owned();
    assert!(line.starts_with("stripe-emulator listens on http://127.0.0.1:"), "{line}");
    let port = url.rsplit_once(':').unwrap().1;
    let taken = run(&["serve", "--listen", &format!("127.0.0.1:{port}")]).await;
    assert_eq!((taken.code, taken.errors.contains("in use")), (1, true), "{}", taken.errors);
    assert_eq!(run(&["clock", "show", "--url", &url]).await.code, 0);

    let commands: [&[&str]; 14] = [
        &["serve"],
        &["events", "tail"],
        &["events", "resend"],
        &["trigger"],
        &["clock", "show"],
        &["clock", "advance"],
        &["clock", "to"],
        &["clock", "speed"],
        &["fixtures"],
        &["faults", "add"],
        &["faults", "list"],
        &["faults", "clear"],
        &["reset"],
        &["load"],
    ];
    for command in commands {
        let ran = run(&[command, &["--help"]].concat()).await;
        let example = format!("stripe-emulator {}", command.join(" "));
        assert!(ran.code == 0 && ran.out.contains("Example") && ran.out.contains(&example), "{}", ran.out);
    }
    assert_eq!(run(&[]).await.code, 2);
}
