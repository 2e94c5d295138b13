//! The built program, as `make run` starts it: what survives, what is left behind, what it says
//! when it can't start.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::{App, Browser, GOOD, Stripe, WEBHOOK_SECRET, database, eventually};

const LIVE_URL: (&str, &str) = ("PUBLIC_URL", "https://example.com");
const UNSPLIT: &str = env!("CARGO_BIN_EXE_unsplit");

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A directory to run in, with nothing of the developer's own environment.
struct Place {
    directory: tempfile::TempDir,
    site: SocketAddr,
    redis: SocketAddr,
    emulator: SocketAddr,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in ["plans.toml", "Leptos.toml"] {
            std::fs::copy(file, directory.path().join(file)).unwrap();
        }
        Self { directory, site: free_address(), redis: free_address(), emulator: free_address() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(UNSPLIT);
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap()).env("LEPTOS_SITE_ADDR", self.site.to_string());
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command
    }

    fn dev(&self) -> Command {
        let (redis, emulator) = (self.redis.port().to_string(), self.emulator.to_string());
        let arguments = ["dev", "--data-dir", ".data", "--redis-port", &redis, "--emulator", &emulator];
        self.command(&arguments, &[])
    }

    /// `unsplit dev`, up and answering.
    async fn running(&self) -> Running {
        self.answering(self.dev()).await
    }

    async fn answering(&self, mut command: Command) -> Running {
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut running = Running { child };
        let ready = format!("http://{}/readyz", self.site);
        eventually("it answers", async || {
            assert_eq!(running.child.try_wait().unwrap(), None, "it ended at once");
            let answer = reqwest::get(&ready).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        running
    }

    async fn nothing_listens(&self) {
        for address in [self.site, self.redis, self.emulator] {
            let what = format!("nobody listens on {address}");
            eventually(&what, async || TcpStream::connect(address).is_err().then_some(())).await;
        }
    }
}

struct Running {
    child: Child,
}

impl Running {
    fn signal(&mut self, signal: &str) -> std::process::ExitStatus {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn buy(browser: &mut Browser) {
    browser.post("/api/sign_up", &[("email", "ada@example.com"), ("password", "correct horse")]).await;
    let checkout = browser.subscribe("pro", "month").await;
    let success = browser.pay(&checkout, GOOD).await;
    assert_eq!(success.heading(), "Thank you. You're on Pro", "{}", success.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_survives_a_stop_and_a_kill_and_no_process_does() {
    let place = Place::new();
    let mut running = place.running().await;
    let mut browser = Browser::new(&format!("http://{}", place.site));
    buy(&mut browser).await;
    for signal in ["-TERM", "-KILL", "-INT"] {
        let ended = running.signal(signal);
        assert_eq!(ended.success(), signal != "-KILL", "{signal}: {ended}");
        place.nothing_listens().await;
        running = place.running().await;
        let account = browser.get("/account").await;
        assert!(account.heading().starts_with("Pro, renews on"), "{signal}: {}", account.text("main"));
        // Not only remembered: Stripe's side is there too.
        let success = browser.get("/checkout/success").await;
        assert_eq!(success.heading(), "Thank you. You're on Pro", "{signal}");
    }
    assert_eq!(Stripe::at(format!("http://{}", place.emulator)).customers().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_commands_join_what_dev_runs() {
    let place = Place::new();
    let mut running = place.running().await;
    let mut browser = Browser::new(&format!("http://{}", place.site));
    buy(&mut browser).await;
    let told = place.path().join(".data/dev.env");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&told).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it holds secrets");

    let push = finished(place.command(&["plans", "push"], &[])).await;
    let text = String::from_utf8(push.stdout).unwrap();
    assert!(push.status.success() && text.lines().count() == 6, "{text}");
    assert!(text.lines().all(|line| line.starts_with("unchanged")), "{text}");

    let customer = Stripe::at(format!("http://{}", place.emulator)).customers().await[0].clone();
    let sync = finished(place.command(&["sync", customer["id"].as_str().unwrap()], &[])).await;
    let stored: serde_json::Value = serde_json::from_slice(&sync.stdout).unwrap();
    assert_eq!((sync.status.success(), stored["status"].as_str()), (true, Some("active")));
    assert!(!finished(place.command(&["sync", "cus 1"], &[])).await.status.success());

    assert!(running.signal("-TERM").success());
    assert!(!told.exists(), "nothing runs that could be joined");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_redis_knows_who_is_there_and_what_they_have() {
    let app = App::start().await;
    let (mut browser, _, _) = app.subscriber("ada@example.com").await;
    let place = Place::new();
    let home = format!("http://{}", place.site);
    let variables = [
        ("STRIPE_SECRET_KEY", app.config.stripe_key.as_str()),
        ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("STRIPE_API_BASE", &app.stripe.url),
        ("REDIS_URL", &app.config.redis_url),
        ("PUBLIC_URL", &home),
    ];
    let mut running = place.answering(place.command(&["serve"], &variables)).await;
    let mut there = Browser::new(&home);
    there.cookies.clone_from(&browser.cookies);
    assert_eq!(there.get("/account").await.heading(), browser.get("/account").await.heading());
    assert_eq!(there.subscribe("team", "month").await.path(), "/account", "no second subscription");
    assert!(running.signal("-TERM").success());
}

async fn finished(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Fails with one line, which is returned.
async fn one_line(command: Command) -> String {
    let output = finished(command).await;
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("unsplit: "), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_one_line_that_says_what_to_do() {
    let place = Place::new();
    let taken = [
        (place.site, "LEPTOS_SITE_ADDR"),
        (place.emulator, "choose another port"),
        (place.redis, "--redis-port"),
    ];
    for (address, fix) in taken {
        let occupied = TcpListener::bind(address).unwrap();
        let line = one_line(place.dev()).await;
        assert!(line.contains(&address.port().to_string()) && line.contains(fix), "{line}");
        drop(occupied);
        place.nothing_listens().await;
    }
}

/// What `unsplit serve` needs, with a Stripe that can't be reached.
fn variables(redis: &str) -> [(&str, &str); 5] {
    [
        ("STRIPE_SECRET_KEY", "sk_test_topsecret"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_topsecret"),
        ("REDIS_URL", redis),
        ("PUBLIC_URL", "http://127.0.0.1:3000"),
        ("STRIPE_API_BASE", "http://127.0.0.1:1"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_is_one_line_that_names_it_and_shows_no_secret() {
    let place = Place::new();
    let redis = database();
    let good = variables(&redis);
    let wrong: [&[(&str, &str)]; 16] = [
        &[("STRIPE_SECRET_KEY", "")],
        &[("STRIPE_SECRET_KEY", "pk_test_topsecret")],
        &[("STRIPE_WEBHOOK_SECRET", "")],
        &[("STRIPE_WEBHOOK_SECRET", "sk_test_topsecret")],
        &[("REDIS_URL", "")],
        &[("REDIS_URL", "topsecret")],
        &[("REDIS_URL", "http://:topsecret@127.0.0.1")],
        &[("REDIS_URL", "redis://:topsecret@127.0.0.1:1")],
        &[("STRIPE_API_BASE", "here")],
        &[("STRIPE_API_BASE", "http://127.0.0.1:1"), ("STRIPE_SECRET_KEY", "sk_live_topsecret"), LIVE_URL],
        &[("PUBLIC_URL", "http://127.0.0.1:3000"), ("STRIPE_SECRET_KEY", "sk_live_topsecret")],
        &[("PUBLIC_URL", "")],
        &[("PUBLIC_URL", "nonsense")],
        &[("PUBLIC_URL", "https://example.com/path")],
        &[("LEPTOS_SITE_ADDR", "3000")],
        &[("TRUSTED_PROXIES", "some")],
    ];
    for change in wrong {
        let mut command = place.command(&["serve"], &good);
        command.envs(change.iter().copied());
        let line = one_line(command).await;
        assert!(line.contains(change[0].0), "{change:?}: {line}");
        assert!(!line.contains("topsecret"), "{change:?}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stripe_out_of_reach_at_the_start_is_one_line_too() {
    let place = Place::new();
    let redis = database();
    let line = one_line(place.command(&["serve"], &variables(&redis))).await;
    assert!(line.contains("Stripe"), "{line}");
}
