//! `unsplit sync <customer>`: `{"before": …, "after": …}` on stdout, a sentence on stderr.

use unsplit_billing::id::CustomerId;
use unsplit_billing::ports::Written;

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, open_billing, read_catalog};

/// Syncs, and prints what was stored before and after.
pub(super) async fn sync(config: Config, customer: &CustomerId) -> Result<(), StartError> {
    let (billing, _) = open_billing(&config, read_catalog()?, &Tuning::default()).await?;
    let before = billing.stored(customer).await.map_err(StartError::new)?;
    let synced = billing.sync_now(customer).await?;
    let result = match (&before, synced.written) {
        (_, Written::Refused) => "A sync that began later was faster: the value is its.",
        (None, Written::Accepted) => "It was missing.",
        (Some(before), Written::Accepted) if before.subscription == synced.snapshot.subscription => {
            "It was right already."
        }
        (Some(_), Written::Accepted) => "It has changed.",
    };
    let both = serde_json::json!({ "before": before, "after": synced.snapshot });
    let text = serde_json::to_string_pretty(&both).map_err(StartError::new)?;
    #[expect(clippy::print_stdout, reason = "the command's output")]
    {
        println!("{text}");
    }
    eprintln!("{result}");
    if billing.is_at_stripe(customer, &synced).await? {
        return Ok(());
    }
    if billing.was_deleted(customer).await? {
        eprintln!("The customer was deleted at Stripe.");
        return Ok(());
    }
    Err(StartError::new("Stripe has no such customer."))
}
