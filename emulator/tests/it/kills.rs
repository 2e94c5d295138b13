//! What a kill leaves: whatever was going on has happened wholly, has not happened, or goes on to its end. A journal
//! only grows, so a kill at any moment leaves its beginning; most tests here go on from such beginnings, and the
//! others kill the program itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use stripe_emulator::Options;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::command_line::program;
use crate::support::{KEY, Stripe, form, id, ids, options};
use crate::time::DAY;

/// So many that some months of theirs take several transactions.
const MANY: usize = 10;
const MONTHS: i64 = 4;
/// Longer than any four months, and shorter than any five.
const SPAN: i64 = 125 * DAY;

fn kept_in(directory: &Path) -> Options {
    Options { data_dir: Some(directory.to_owned()), ..options() }
}

fn journal(directory: &Path) -> PathBuf {
    directory.join("journal.jsonl")
}

/// A world with subscribers who pay every month, in this directory.
async fn subscribers(directory: &Path) -> Stripe {
    let stripe = Stripe::with(kept_in(directory)).await;
    let price = stripe.price().await;
    stripe.control("/_emulator/load", json!({"customers": MANY, "price": price})).await;
    stripe
}

/// An emulator that goes on from the first bytes of a journal.
async fn go_on_from(bytes: &[u8]) -> (Stripe, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(journal(directory.path()), bytes).unwrap();
    (Stripe::with(kept_in(directory.path())).await, directory)
}

/// Where a kill may cut what was written after `from`: behind each line, and within it.
fn cuts(bytes: &[u8], from: usize) -> Vec<usize> {
    let mut cuts = vec![from];
    let mut begin = from;
    for end in (from..bytes.len()).filter(|at| bytes[*at] == b'\n') {
        cuts.extend([usize::midpoint(begin, end), end + 1]);
        begin = end + 1;
    }
    cuts
}

/// Everyone has been billed once for each month and has paid.
async fn has_happened(stripe: &Stripe, months: i64) {
    let mut seen = BTreeSet::new();
    for number in 0..MANY {
        let invoices = stripe.invoices(&format!("cus_load{number:08}")).await;
        assert!(invoices.iter().all(|invoice| invoice["status"] == "paid"));
        let periods: BTreeSet<i64> =
            invoices.iter().map(|it| it["lines"]["data"][0]["period"]["start"].as_i64().unwrap()).collect();
        let expected = usize::try_from(months + 1).unwrap();
        assert_eq!((invoices.len(), periods.len()), (expected, expected), "of customer {number}");
        for invoice in invoices {
            assert!(
                seen.insert(invoice["number"].to_string()),
                "the number {} is there twice",
                invoice["number"]
            );
        }
    }
    let charges = paid_renewals(stripe).await;
    assert_eq!(charges, MANY * usize::try_from(months).unwrap(), "each renewal is charged once");
}

async fn paid_renewals(stripe: &Stripe) -> usize {
    let events = stripe.http.get(stripe.url("/_emulator/events?limit=100000")).send().await.unwrap();
    let events: Value = serde_json::from_str(&events.text().await.unwrap()).unwrap();
    events["data"].as_array().unwrap().iter().filter(|event| event["type"] == "charge.succeeded").count()
}

#[tokio::test]
async fn an_advance_that_is_cut_off_goes_on_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = subscribers(directory.path()).await;
    let before = std::fs::read(journal(directory.path())).unwrap().len();
    stripe.pass(SPAN).await;
    has_happened(&stripe, MONTHS).await;
    let whole = std::fs::read(journal(directory.path())).unwrap();
    stripe.emulator.stop().await;
    let moved = before + whole[before..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let cuts = cuts(&whole, before);
    assert!(cuts.len() > 6, "the advance takes several transactions, and not {} lines", cuts.len() / 2);
    for cut in cuts {
        let (stripe, _directory) = go_on_from(&whole[..cut]).await;
        has_happened(&stripe, if cut >= moved { MONTHS } else { 0 }).await;
    }
}

/// The customer of a new test clock, who has a subscription.
async fn on_a_clock(stripe: &Stripe) -> (String, String) {
    let now = stripe.now().await.to_string();
    let clock = id(&stripe.post("/v1/test_helpers/test_clocks", &[("frozen_time", &now)]).await);
    let customer = id(&stripe.post("/v1/customers", &[("test_clock", &clock)]).await);
    let card = id(&stripe.post("/v1/payment_methods/pm_card_visa/attach", &[("customer", &customer)]).await);
    let price = stripe.price().await;
    let fields =
        [("customer", customer.as_str()), ("items[0][price]", &price), ("default_payment_method", &card)];
    stripe.post("/v1/subscriptions", &fields).await;
    (clock, customer)
}

#[tokio::test]
async fn a_test_clock_that_is_cut_off_comes_to_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let (clock, customer) = on_a_clock(&stripe).await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let before = std::fs::read(journal(directory.path())).unwrap().len();
    let to = (stripe.now().await + 50 * DAY).to_string();
    stripe.post(&format!("{path}/advance"), &[("frozen_time", &to)]).await;
    let expected = stripe.get(&path).await;
    let whole = std::fs::read(journal(directory.path())).unwrap();
    stripe.emulator.stop().await;
    let advancing = before + whole[before..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in cuts(&whole, before) {
        let (stripe, _directory) = go_on_from(&whole[..cut]).await;
        let now = stripe.get(&path).await;
        assert_eq!(now["status"], "ready");
        let (has_moved, invoices) = (cut >= advancing, stripe.invoices(&customer).await.len());
        assert_eq!((now == expected, invoices), (has_moved, 1 + usize::from(has_moved)));
    }
}

#[tokio::test]
async fn a_load_that_is_cut_off_is_there_wholly_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let price = stripe.price().await;
    let before = std::fs::read(journal(directory.path())).unwrap().len();
    stripe.control("/_emulator/load", json!({"customers": MANY, "price": price})).await;
    let whole = std::fs::read(journal(directory.path())).unwrap();
    stripe.emulator.stop().await;
    for cut in cuts(&whole, before) {
        let (stripe, _directory) = go_on_from(&whole[..cut]).await;
        let expected = if cut == whole.len() { MANY } else { 0 };
        for kind in ["customers", "subscriptions", "invoices"] {
            assert_eq!(ids(&stripe.get(&format!("/v1/{kind}?limit=100")).await).len(), expected, "{kind}");
        }
    }
}

/// The program itself, which keeps its state in this directory.
struct Program {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Program {
    async fn start(directory: &Path) -> Program {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", directory.to_str().unwrap()];
        let mut child = program(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        Program { child, url: url.trim_end_matches(['.', ',', '/']).to_owned(), http: reqwest::Client::new() }
    }

    /// Sends this and kills the program when the file has grown beyond so many bytes; the answer may be lost.
    async fn kill_when(mut self, path: &str, body: String, file: &Path, beyond: u64) {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(KEY).body(body);
        let kind = if path.starts_with("/v1/") { "x-www-form-urlencoded" } else { "json" };
        let request = request.header("content-type", format!("application/{kind}"));
        let sent = tokio::spawn(request.send());
        let length = || std::fs::metadata(file).map_or(0, |file| file.len());
        while length() <= beyond && !sent.is_finished() {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        self.child.kill().await.unwrap();
        let _ = sent.await;
    }
}

#[tokio::test]
async fn a_program_that_is_killed_while_its_clock_advances_bills_everyone_once() {
    let directory = tempfile::tempdir().unwrap();
    subscribers(directory.path()).await.emulator.stop().await;
    let program = Program::start(directory.path()).await;
    let file = journal(directory.path());
    // Behind the line that moves the clock.
    let beyond = std::fs::metadata(&file).unwrap().len() + 10_000;
    let order = json!({ "advance_seconds": SPAN }).to_string();
    program.kill_when("/_emulator/clock", order, &file, beyond).await;
    has_happened(&Stripe::with(kept_in(directory.path())).await, MONTHS).await;
}

#[tokio::test]
async fn a_program_that_is_killed_while_a_test_clock_advances_ends_its_advance() {
    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let (clock, customer) = on_a_clock(&stripe).await;
    let to = (stripe.now().await + 50 * DAY).to_string();
    stripe.emulator.stop().await;
    let program = Program::start(directory.path()).await;
    let file = journal(directory.path());
    let beyond = std::fs::metadata(&file).unwrap().len();
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    program.kill_when(&format!("{path}/advance"), form(&[("frozen_time", &to)]), &file, beyond).await;
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let clock = stripe.get(&path).await;
    assert_eq!((&clock["status"], clock["frozen_time"].to_string()), (&json!("ready"), to));
    assert_eq!(stripe.invoices(&customer).await.len(), 2);
}

#[tokio::test]
async fn a_program_that_is_killed_while_it_restores_has_the_old_world_or_the_new() {
    let there = Stripe::start().await;
    let new = there.customer().await;
    let snapshot =
        there.http.get(there.url("/_emulator/snapshot")).send().await.unwrap().text().await.unwrap();
    let line = snapshot.lines().find(|line| line.contains(&new)).unwrap();
    let more = (1000..9000).map(|number| {
        line.replace(&new, &format!("cus_{number}")).replace("\"seq\":2,", &format!("\"seq\":{number},"))
    });
    let snapshot = [snapshot.clone(), more.collect::<Vec<_>>().join("\n")].concat();

    let directory = tempfile::tempdir().unwrap();
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let old = stripe.customer().await;
    stripe.emulator.stop().await;
    let program = Program::start(directory.path()).await;
    let fresh = directory.path().join("journal.jsonl.new");
    program.kill_when("/_emulator/snapshot", snapshot, &fresh, 0).await;
    let stripe = Stripe::with(kept_in(directory.path())).await;
    let status = async |id: &str| stripe.try_get(&format!("/v1/customers/{id}")).await.status;
    let found = (status(&old).await, status(&new).await, status("cus_8999").await);
    assert!(matches!(found, (200, 404, 404) | (404, 200, 200)), "{found:?}");
}
