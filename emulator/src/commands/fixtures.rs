//! `fixtures`: runs the requests of a file in the format of Stripe's CLI, one after the other, each with what the
//! ones before it were answered. More than Stripe's CLI, a path may be a hosted page, whose form is sent; less, a
//! request cannot choose another server (`api_base`) or context, and `env` is printed and not written to a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Call, Emulated, Reply, Target};
use super::failure::Failure;
use super::output::say;
use super::reference::{Replies, fields, filled};

#[derive(Args)]
#[command(after_help = "\
Example: stripe-emulator fixtures seed.json
with {\"fixtures\": [
  {\"name\": \"ada\", \"path\": \"/v1/customers\", \"method\": \"post\", \"params\": {\"email\": \"ada@example.com\"}},
  {\"name\": \"card\", \"path\": \"/v1/payment_methods/pm_card_visa/attach\", \"method\": \"post\",
   \"params\": {\"customer\": \"${ada:id}\"}}]}")]
pub struct Fixtures {
    /// The file: `fixtures`, each with name, path, method and params, which may refer to ${name:field}.
    #[arg(value_name = "FILE.JSON")]
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Script {
    #[serde(default, rename = "_meta")]
    meta: Meta,
    fixtures: Vec<Step>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    template_version: u64,
}

/// One request of a file.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    pub path: String,
    pub method: String,
    #[serde(default)]
    pub params: Value,
    /// The type of an error that is as good as success, for example card_error.
    #[serde(default)]
    pub expected_error_type: String,
    #[serde(default)]
    pub idempotency_key: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

impl Fixtures {
    pub async fn run(self) -> Result<(), Failure> {
        let file = self.file.display();
        let wrong = |reason: String| Failure::Input(format!("{file}: {reason}"));
        let text = std::fs::read_to_string(&self.file).map_err(|error| wrong(error.to_string()))?;
        let script: Script = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if script.meta.template_version > 0 {
            return Err(wrong("only template_version 0 is known".to_owned()));
        }
        let emulated = Emulated::new(self.target)?;
        emulated.greet().await?;
        let replies = run_all(&emulated, &script.fixtures).await?;
        for (name, value) in &script.env {
            say(format!("{name}={}", filled(value, &replies).map_err(Failure::Input)?))?;
        }
        Ok(())
    }
}

/// Runs the steps in order and tells of each in a line. Gives their answers.
pub async fn run_all(emulated: &Emulated, steps: &[Step]) -> Result<Replies, Failure> {
    let mut replies = Replies::new();
    for step in steps {
        let wrong = |reason: String| Failure::Input(format!("{}: {reason}", step.name));
        let call = prepare(step, &replies).map_err(wrong)?;
        let line = format!("{}: {} {}", step.name, call.method, call.path);
        let reply = emulated.call(call).await?;
        say(format!("{line}: {}", outcome(step, &reply).map_err(wrong)?))?;
        replies.insert(step.name.clone(), reply.body);
    }
    Ok(replies)
}

fn prepare(step: &Step, replies: &Replies) -> Result<Call, String> {
    let path = filled(&step.path, replies)?;
    let is_page = ["/c/", "/i/", "/p/"].iter().any(|page| path.starts_with(page));
    if !path.starts_with("/v1/") && !is_page {
        return Err(format!("{path}: a path begins with /v1/, or with /c/ for a hosted page"));
    }
    let method = step.method.to_uppercase();
    let method = match method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "DELETE" => Method::DELETE,
        _ => return Err(format!("{method}: the method is get, post or delete")),
    };
    let mut headers = Vec::new();
    if !step.idempotency_key.is_empty() {
        headers.push(("idempotency-key".to_owned(), filled(&step.idempotency_key, replies)?));
    }
    for (name, value) in &step.headers {
        headers.push((name.clone(), filled(value, replies)?));
    }
    Ok(Call { method, path, fields: fields(&step.params, replies)?, headers })
}

/// What to say of an answer; an error that nobody expected is one.
fn outcome(step: &Step, reply: &Reply) -> Result<String, String> {
    let error = &reply.body["error"];
    let id = reply.body["id"].as_str().unwrap_or("done");
    if reply.status < 400 {
        return Ok(id.to_owned());
    }
    // A hosted page says with 402 what the API calls a card_error.
    let page_says = if reply.status == 402 { "card_error" } else { "" };
    let error_type = error["type"].as_str().unwrap_or(page_says);
    let message = error["message"].as_str().unwrap_or("the page shows an error");
    if !step.expected_error_type.is_empty() && step.expected_error_type == error_type {
        return Ok(format!("{error_type}, as expected"));
    }
    Err(format!("{} {}: {} {error_type}: {message}", step.method, step.path, reply.status))
}
