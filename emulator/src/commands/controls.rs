//! `faults`, `decline-renewal`, `reset` and `load`: the controls of such names. Their arguments become the control's JSON as they
//! are; what is wrong with them, the emulator says.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::client::{Emulated, Target};
use super::failure::Failure;
use super::output::say;

#[derive(Subcommand)]
pub enum Faults {
    /// Order a failure for requests to come.
    Add(Box<Add>),
    /// Print the faults that wait, one JSON object a line.
    #[command(after_help = "Example: stripe-emulator faults list")]
    List(Alone),
    /// Forget all faults, and let held answers go.
    #[command(after_help = "Example: stripe-emulator faults clear")]
    Clear(Alone),
}

#[derive(Args)]
pub struct Alone {
    #[command(flatten)]
    target: Target,
}

#[derive(Args)]
#[command(after_help = "\
Examples: stripe-emulator faults add --status 429 --reason endpoint-rate --path /v1/subscriptions --times 2
          stripe-emulator faults add --cut after --method POST --times 1
          stripe-emulator faults add --latency-ms 3000 --probability 0.1")]
pub struct Add {
    /// Answer with this error status, 400 to 599.
    #[arg(long)]
    status: Option<u16>,
    /// The error's code, for example lock_timeout.
    #[arg(long)]
    code: Option<String>,
    /// Which limit a 429 says was passed: global-rate, endpoint-rate, global-concurrency, endpoint-concurrency, resource-specific.
    #[arg(long)]
    reason: Option<String>,
    /// Retry-After, in seconds.
    #[arg(long, value_name = "SECONDS")]
    retry_after: Option<u64>,
    /// Stripe-Should-Retry.
    #[arg(long, value_name = "true|false")]
    should_retry: Option<bool>,
    /// Wait so long before looking at the request.
    #[arg(long, value_name = "MS")]
    latency_ms: Option<u64>,
    /// Do it at once, and send the answer so much later.
    #[arg(long, value_name = "MS")]
    late_ms: Option<u64>,
    /// Do it at once, and hold the answer until it is released or forgotten.
    #[arg(long)]
    hold: bool,
    /// Close the connection before anything happens, or after it happened.
    #[arg(long)]
    cut: Option<Cut>,
    /// For paths that begin so; all of /v1 without it.
    #[arg(long)]
    path: Option<String>,
    /// For this method only.
    #[arg(long)]
    method: Option<String>,
    /// How often at most; always without it.
    #[arg(long)]
    times: Option<u32>,
    /// How likely, 0 to 1.
    #[arg(long)]
    probability: Option<f64>,
    #[command(flatten)]
    target: Target,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cut {
    Before,
    After,
}

impl Faults {
    pub async fn run(self) -> Result<(), Failure> {
        match self {
            Faults::Add(add) => add.run().await,
            Faults::List(alone) => {
                let answer = Emulated::new(alone.target)?.get("faults").await?;
                answer["data"].as_array().into_iter().flatten().try_for_each(|fault| say(given(fault)))
            }
            Faults::Clear(alone) => {
                Emulated::new(alone.target)?.delete("faults").await?;
                say("No fault waits.")
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<(), Failure> {
        let cut = self.cut.map(|cut| match cut {
            Cut::Before => "before",
            Cut::After => "after",
        });
        let fault = json!({
            "status": self.status, "code": self.code, "reason": self.reason, "retry_after": self.retry_after,
            "should_retry": self.should_retry, "latency_ms": self.latency_ms, "late_ms": self.late_ms,
            "hold": self.hold, "cut": cut, "path": self.path, "method": self.method, "times": self.times,
            "probability": self.probability,
        });
        let added = Emulated::new(self.target)?.post("faults", &fault).await?;
        say(given(&added))
    }
}

/// A fault without what was not asked for.
fn given(fault: &Value) -> Value {
    let fields = fault.as_object().into_iter().flatten();
    let told = fields.filter(|(_, value)| !value.is_null() && **value != json!(false));
    Value::Object(told.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

#[derive(Args)]
#[command(after_help = "\
Examples: stripe-emulator decline-renewal sub_1234
          stripe-emulator decline-renewal sub_1234 --code insufficient_funds")]
pub struct DeclineRenewal {
    /// The id of the subscription.
    #[arg(value_name = "SUB")]
    subscription: String,
    /// Why it is declined, for example insufficient_funds or expired_card.
    #[arg(long, value_name = "CODE", default_value = "generic_decline")]
    code: String,
    #[command(flatten)]
    target: Target,
}

impl DeclineRenewal {
    pub async fn run(self) -> Result<(), Failure> {
        let order = json!({ "subscription": self.subscription, "decline_code": self.code });
        Emulated::new(self.target)?.post("renewals/decline", &order).await?;
        say(format!("The next renewal of {} will be declined: {}", self.subscription, self.code))
    }
}

#[derive(Args)]
#[command(after_help = "Example: stripe-emulator reset")]
pub struct Reset {
    #[command(flatten)]
    target: Target,
}

impl Reset {
    pub async fn run(self) -> Result<(), Failure> {
        let answer = Emulated::new(self.target)?.post("reset", &json!({})).await?;
        say(format!("Only the account {} is left.", answer["account"].as_str().unwrap_or_default()))
    }
}

#[derive(Args)]
#[command(after_help = "Example: stripe-emulator load --customers 10000 --price pro_monthly --prefix load")]
pub struct Load {
    /// How many customers, each with an active subscription.
    #[arg(long, value_name = "N")]
    customers: u64,
    /// The id or the lookup key of an active recurring price.
    #[arg(long)]
    price: String,
    /// What stands in the customers' ids before their number.
    #[arg(long, default_value = "load")]
    prefix: String,
    /// Leave `metadata.userId` out.
    #[arg(long)]
    without_user: bool,
    #[command(flatten)]
    target: Target,
}

impl Load {
    pub async fn run(self) -> Result<(), Failure> {
        let order = json!({
            "customers": self.customers, "price": self.price, "prefix": self.prefix,
            "metadata_user": !self.without_user,
        });
        let loaded = Emulated::new(self.target)?.post("load", &order).await?;
        let text = |field: &str| loaded[field].as_str().unwrap_or_default().to_owned();
        say(format!("{} customers, {} to {}", self.customers, text("first"), text("last")))
    }
}
