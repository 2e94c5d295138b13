//! The program's commands, run as a person runs them.

use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Hook, Stripe, ids};

pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stripe-emulator"));
    command.args(arguments).kill_on_drop(true).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub errors: String,
}

pub async fn run(arguments: &[&str]) -> Ran {
    let Output { status, stdout, stderr } = program(arguments).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), out: text(stdout), errors: text(stderr) }
}

impl Stripe {
    /// Runs a command against this emulator.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        let url = self.emulator.url();
        run(&[arguments, &["--url", &url]].concat()).await
    }

    /// The same, which must succeed; gives what it prints.
    pub async fn said(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{arguments:?}: {}", ran.out);
        ran.out
    }

    /// The same, which must fail; gives its complaint.
    pub async fn complaint(&self, arguments: &[&str], code: i32) -> String {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {} {}", ran.out, ran.errors);
        ran.errors
    }
}

#[tokio::test]
async fn every_trigger_causes_its_event() {
    let stripe = Stripe::start().await;
    let known = stripe.said(&["trigger"]).await;
    let known: Vec<&str> = known.split_whitespace().collect();
    for wanted in [
        "customer.created",
        "checkout.session.completed",
        "customer.subscription.deleted",
        "invoice.payment_failed",
    ] {
        assert!(known.contains(&wanted), "{wanted}");
    }
    for event in known {
        let said = stripe.said(&["trigger", event]).await;
        let found = said.lines().last().unwrap().strip_prefix(&format!("{event} happened: ")).unwrap();
        assert_eq!(stripe.get(&format!("/v1/events/{found}")).await["type"], event);
    }
    let complaint = stripe.complaint(&["trigger", "unicorn.created"], 1).await;
    assert!(
        complaint.contains("unicorn.created is not") && complaint.contains("  invoice.paid"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_trigger_that_is_refused_says_why() {
    let stripe = Stripe::start().await;
    stripe.control("/_emulator/faults", json!({"status": 500, "path": "/v1/products"})).await;
    let complaint = stripe.complaint(&["trigger", "price.created"], 1).await;
    assert!(complaint.contains("product: post /v1/products: 500 api_error"), "{complaint}");
    let ran = stripe.run(&["trigger", "customer.created", "--secret-key", "sk_test_wrong"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.errors.contains("Invalid API Key"), "{}", ran.errors);
}

#[tokio::test]
async fn the_clock_is_shown_and_moved_by_the_calendar() {
    let stripe = Stripe::start().await;
    stripe.said(&["clock", "to", "2031-01-31T09:30:00Z"]).await;
    assert!(stripe.said(&["clock", "show"]).await.starts_with("2031-01-31T09:3"));
    assert!(stripe.said(&["clock", "advance", "1mo"]).await.starts_with("2031-02-28T09:3"));
    assert!(stripe.said(&["clock", "advance", "1y1d"]).await.starts_with("2032-02-29T09:3"));
    assert!(stripe.said(&["clock", "to", "2032-03-02"]).await.starts_with("2032-03-02T00:0"));
    let now = stripe.now().await;
    assert!(
        stripe
            .complaint(&["clock", "to", "2032-03-01"], 1)
            .await
            .starts_with("stripe-emulator: it is 2032-03-02T00:0")
    );
    assert!(stripe.complaint(&["clock", "advance", "11y"], 1).await.contains("ten years"));
    assert!(stripe.complaint(&["clock", "advance", "1m"], 2).await.contains("write min or mo"));
    assert!(stripe.complaint(&["clock", "to", "tomorrow"], 2).await.contains("a date like"));
    assert!(stripe.now().await - now < 60);
    assert_eq!(stripe.said(&["clock", "speed", "2"]).await, "2 times as fast as time\n");
    assert_eq!(stripe.get("/_emulator/clock").await["speed"], 2);
    assert!(stripe.complaint(&["clock", "speed", "0"], 1).await.contains("speed must be"));
}

async fn fixtures(stripe: &Stripe, content: &Value) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fixtures.json");
    std::fs::write(&file, content.to_string()).unwrap();
    stripe.run(&["fixtures", file.to_str().unwrap()]).await
}

#[tokio::test]
async fn fixtures_run_in_order_with_what_came_before() {
    let stripe = Stripe::start().await;
    let content = json!({
        "_meta": {"template_version": 0},
        "fixtures": [
            {"name": "ada", "path": "/v1/customers", "method": "post", "params": {"email": "ada@example.com", "metadata": {"a": 1}}},
            {"name": "product", "path": "/v1/products", "method": "post", "params": {"name": "${ada:email} plan"}},
            {"name": "price", "path": "/v1/prices", "method": "post", "idempotency_key": "price-${product:id}",
             "params": {"product": "${product:id}", "currency": "usd", "unit_amount": 1200.0, "recurring[interval]": "month"}},
            {"name": "session", "path": "/v1/checkout/sessions", "method": "post", "params": {
                "mode": "subscription", "customer": "${ada:id}", "success_url": "http://shop.test/done",
                "line_items": [{"price": "${price:id}", "quantity": "${.env:NO_SUCH_NAME_IS_SET|2}"}]}},
            {"name": "declined", "path": "/c/pay/${session:id}", "method": "post", "expected_error_type": "card_error",
             "params": {"card_number": "4000000000000002", "expiry": "12/34", "cvc": "123", "name": "Ada"}},
            {"name": "paid", "path": "/c/pay/${session:id}", "method": "post",
             "params": {"card_number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Ada"}},
            {"name": "found", "path": "/v1/subscriptions", "method": "get", "params": {"customer": "${ada:id}", "expand": ["data.customer"]}},
            {"name": "cancelled", "path": "/v1/subscriptions/${found:data.0.id}", "method": "delete"}
        ],
        "env": {"CUSTOMER": "${ada:id}"}
    });
    let ran = fixtures(&stripe, &content).await;
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{}", ran.out);
    let customer = ids(&stripe.get("/v1/customers").await).remove(0);
    let subscription = &stripe.subscriptions(&customer).await[0];
    assert_eq!(
        (subscription["status"].as_str(), subscription["items"]["data"][0]["quantity"].as_i64()),
        (Some("canceled"), Some(2))
    );
    assert_eq!(stripe.get("/v1/products").await["data"][0]["name"], "ada@example.com plan");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], format!("ada: POST /v1/customers: {customer}"));
    assert_eq!(lines[8], format!("CUSTOMER={customer}"));
    let logged = stripe.get("/_emulator/requests?limit=100").await;
    assert!(logged.to_string().contains("price-prod_"));
}

#[tokio::test]
async fn wrong_fixtures_are_refused_by_name() {
    let stripe = Stripe::start().await;
    let step = |path: &str, more: Value| {
        let mut step = json!({"name": "one", "path": path, "method": "post"});
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"fixtures": [step]})
    };
    let cases = [
        (step("/v1/customers", json!({"params": {"colour": "red"}})), "Received unknown parameter: colour"),
        (step("/v1/customers/${two:id}", json!({})), "no fixture named two"),
        (step("https://api.stripe.com/v1/customers", json!({})), "a path begins with /v1/"),
        (step("/v1/customers", json!({"method": "put"})), "the method is get, post or delete"),
        (step("/v1/customers", json!({"api_base": "https://api.stripe.com"})), "unknown field `api_base`"),
        (json!({"_meta": {"template_version": 1}, "fixtures": []}), "only template_version 0"),
        (json!({"requests": []}), "unknown field `requests`"),
    ];
    for (content, part) in cases {
        let ran = fixtures(&stripe, &content).await;
        assert_eq!((ran.code, ran.errors.contains(part)), (1, true), "{content}: {}", ran.errors);
    }
    assert!(ids(&stripe.get("/v1/customers").await).is_empty());
    assert!(stripe.complaint(&["fixtures", "/no/such/file.json"], 1).await.contains("/no/such/file.json"));
}

#[tokio::test]
async fn faults_loads_and_resets_are_ordered() {
    let stripe = Stripe::start().await;
    let order = [
        "faults",
        "add",
        "--status",
        "429",
        "--reason",
        "endpoint-rate",
        "--path",
        "/v1/account",
        "--times",
        "2",
    ];
    let added: Value = serde_json::from_str(&stripe.said(&order).await).unwrap();
    assert_eq!(added, json!({"status": 429, "reason": "endpoint-rate", "path": "/v1/account", "times": 2}));
    let reply = stripe.try_get("/v1/account").await;
    assert_eq!((reply.status, reply.header("stripe-rate-limited-reason")), (429, "endpoint-rate"));
    assert!(stripe.said(&["faults", "list"]).await.contains("\"times\":1"));
    stripe.said(&["faults", "clear"]).await;
    assert_eq!(stripe.try_get("/v1/account").await.status, 200);
    assert_eq!(stripe.said(&["faults", "list"]).await, "");
    assert!(stripe.complaint(&["faults", "add"], 1).await.contains("latency_ms"));
    assert!(stripe.complaint(&["faults", "add", "--cut", "sideways"], 2).await.contains("before"));

    let price = stripe.price().await;
    let said = stripe.said(&["load", "--customers", "3", "--price", &price, "--prefix", "many"]).await;
    assert_eq!(said, "3 customers, cus_many00000000 to cus_many00000002\n");
    assert!(
        stripe
            .complaint(&["load", "--customers", "3", "--price", "none"], 1)
            .await
            .contains("none is neither")
    );
    assert!(stripe.said(&["reset"]).await.contains(&stripe.emulator.account_id()));
    assert!(ids(&stripe.get("/v1/customers").await).is_empty());
}

#[tokio::test]
async fn where_no_emulator_is_every_command_says_how_to_start_one() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let stranger = Hook::start().await.url.replace("/hook", "");
    let commands: [&[&str]; 8] = [
        &["clock", "show"],
        &["clock", "advance", "1d"],
        &["events", "tail"],
        &["events", "resend", "evt_1"],
        &["trigger", "customer.created"],
        &["faults", "clear"],
        &["reset"],
        &["load", "--customers", "1", "--price", "p"],
    ];
    for (url, part) in [(&nobody, "no emulator answers at"), (&stranger, "is no stripe-emulator")] {
        for command in commands {
            let ran = run(&[command, &["--url", url]].concat()).await;
            assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{command:?}");
            assert!(
                ran.errors.contains(part) && ran.errors.contains("stripe-emulator serve"),
                "{}",
                ran.errors
            );
        }
    }
    let ran = run(&["reset", "--url", "not a url"]).await;
    assert_eq!((ran.code, ran.errors.contains("not a url")), (1, true), "{}", ran.errors);
}
