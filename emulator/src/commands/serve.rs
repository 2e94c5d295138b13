//! `serve`: runs an emulator in this process, and stops it on Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use stripe_emulator::{DEFAULT_SECRET_KEY, Emulator, FASTEST, Options, RateLimits, Webhook};

use super::failure::Failure;
use super::output::say;

#[derive(Args)]
#[command(
    after_help = "Example: stripe-emulator serve --data-dir .data/stripe --forward-to http://127.0.0.1:3000/webhooks/stripe --webhook-secret whsec_dev"
)]
pub struct Serve {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:12111")]
    listen: SocketAddr,
    /// Keep the state in this directory. Without it everything is forgotten at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The only API key that is accepted.
    #[arg(long, value_name = "KEY", default_value = DEFAULT_SECRET_KEY)]
    secret_key: String,
    /// Send every event to this URL, like `stripe listen --forward-to`. More than once for several.
    #[arg(long, value_name = "URL", requires = "webhook_secret", value_parser = read_url)]
    forward_to: Vec<String>,
    /// Sign what is sent there with this secret (whsec_...): one for all URLs, or one for each, in order.
    #[arg(long, value_name = "SECRET", requires = "forward_to")]
    webhook_secret: Vec<String>,
    /// Answer 429 as Stripe does in live mode: beyond 100 requests a second, or 25 to one endpoint.
    #[arg(long)]
    rate_limits: bool,
    /// Let so many of the clock's seconds pass in a second. Without it the clock goes as it went when the data
    /// directory was last used, else as time does.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=FASTEST))]
    speed: Option<i64>,
}

impl Serve {
    fn options(self) -> Result<Options, Failure> {
        let webhooks = webhooks(self.forward_to, self.webhook_secret).map_err(Failure::Input)?;
        Ok(Options {
            listen: self.listen,
            data_dir: self.data_dir,
            secret_key: self.secret_key,
            webhooks,
            rate_limits: if self.rate_limits { RateLimits::STRIPE } else { RateLimits::default() },
            speed: self.speed,
        })
    }

    pub async fn run(self) -> Result<(), Failure> {
        let emulator = Emulator::start(self.options()?).await?;
        let url = emulator.url();
        say(format!("stripe-emulator listens on {url} (what it knows: {url}/_emulator)"))?;
        let _ = tokio::signal::ctrl_c().await;
        emulator.stop().await;
        Ok(())
    }
}

/// The URLs, each with its secret.
fn webhooks(urls: Vec<String>, mut secrets: Vec<String>) -> Result<Vec<Webhook>, String> {
    if let [secret] = secrets.as_slice() {
        secrets = vec![secret.clone(); urls.len()];
    }
    if secrets.len() != urls.len() {
        return Err(format!(
            "there are {} --forward-to and {} --webhook-secret: give one secret for all, or one for each",
            urls.len(),
            secrets.len()
        ));
    }
    if let Some(at) = (1..urls.len()).find(|at| urls[..*at].contains(&urls[*at])) {
        return Err(format!("--forward-to {} is there twice: leave one out", urls[at]));
    }
    Ok(urls.into_iter().zip(secrets).map(|(url, secret)| Webhook { url, secret }).collect())
}

fn read_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("it begins with http:// or https://, for example http://127.0.0.1:3000/webhooks/stripe"
            .to_owned()),
    }
}
