//! `unsplit plans push`.

use crate::server::config::Config;
use crate::server::run::{StartError, Tuning, open_billing, read_catalog};

/// Pushes, and prints a line a product and price.
pub(super) async fn push(config: Config) -> Result<(), StartError> {
    let (billing, _) = open_billing(&config, read_catalog()?, &Tuning::default()).await?;
    for change in billing.push_plans().await? {
        #[expect(clippy::print_stdout, reason = "the command's output")]
        {
            println!("{change}");
        }
    }
    Ok(())
}
