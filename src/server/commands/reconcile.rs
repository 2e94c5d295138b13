//! `unsplit reconcile`: goes through Stripe's events now, and marks what may have been missed.

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, open_billing, read_catalog};

/// Prints what was found. The marked customers are synced by whichever app runs.
pub(super) async fn reconcile(config: Config) -> Result<(), StartError> {
    let (billing, _) = open_billing(&config, read_catalog()?, &Tuning::default()).await?;
    let found = billing.reconcile().await?;
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        println!(
            "{} events of {} customers: {} marked, {} of them missed by webhooks",
            found.events, found.customers, found.marked, found.drift
        );
    }
    match found.rebuild_due {
        Some(why) => Err(StartError::new(format!("{why}: run `unsplit rebuild`"))),
        None => Ok(()),
    }
}
