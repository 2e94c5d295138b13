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
    /// Send every event to this URL, like `stripe listen --forward-to`.
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    forward_to: Option<String>,
    /// Sign what is sent there with this secret (whsec_...).
    #[arg(long, value_name = "SECRET", requires = "forward_to")]
    webhook_secret: Option<String>,
    /// Answer 429 as Stripe does in live mode: beyond 100 requests a second, or 25 to one endpoint.
    #[arg(long)]
    rate_limits: bool,
    /// Let so many of the clock's seconds pass in a second. Without it the clock goes as it went when the data
    /// directory was last used, else as time does.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=FASTEST))]
    speed: Option<i64>,
}

impl Serve {
    fn options(self) -> Options {
        let webhook = self.forward_to.zip(self.webhook_secret).map(|(url, secret)| Webhook { url, secret });
        Options {
            listen: self.listen,
            data_dir: self.data_dir,
            secret_key: self.secret_key,
            webhooks: webhook.into_iter().collect(),
            rate_limits: if self.rate_limits { RateLimits::STRIPE } else { RateLimits::default() },
            speed: self.speed,
        }
    }

    pub async fn run(self) -> Result<(), Failure> {
        let emulator = Emulator::start(self.options()).await?;
        let url = emulator.url();
        say(format!("stripe-emulator listens on {url} (what it knows: {url}/_emulator)"))?;
        let _ = tokio::signal::ctrl_c().await;
        emulator.stop().await;
        Ok(())
    }
}
