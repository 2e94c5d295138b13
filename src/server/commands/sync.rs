//! `unsplit sync <customer>`.

use unsplit_billing::id::CustomerId;

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, open_billing, read_catalog};

/// Syncs, and prints what is stored afterwards.
pub(super) async fn sync(config: Config, customer: &CustomerId) -> Result<(), StartError> {
    let (billing, _) = open_billing(&config, read_catalog()?, &Tuning::default()).await?;
    let synced = billing.sync_now(customer).await?;
    let json = serde_json::to_string_pretty(&synced.snapshot).map_err(StartError::new)?;
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        println!("{json}");
    }
    Ok(())
}
