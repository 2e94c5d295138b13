//! Whose store this is: one account of Stripe's in one mode, and no other.

use std::sync::PoisonError;

use super::Billing;
use crate::error::{Error, StripeError, StripeErrorKind};
use crate::ports::{Account, AccountMode};

/// Whose store this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountClaim {
    Ours(Account),
    /// Stripe does not answer; the mode is right.
    Unverified(Account),
    Another {
        ours: Account,
        recorded: Account,
    },
}

impl Billing {
    /// Makes sure that this store belongs to this account of Stripe in this mode: the first one
    /// to come takes it. Returns whose it is.
    ///
    /// # Errors
    /// `Error` where Stripe or the store does not answer.
    pub async fn claim_account(&self, mode: AccountMode) -> Result<AccountClaim, Error> {
        // A Stripe that only says nothing must not hold up a start.
        let account = match self.patiently(async { Ok(self.stripe.account().await?) }).await {
            Ok(account) => account,
            // An outage of Stripe's is no reason not to show what the store knows.
            Err(Error::Stripe(error)) if error.is_outage() => {
                return match self.store.account().await? {
                    Some(recorded) if recorded.mode == mode => {
                        *self.unverified.lock().unwrap_or_else(PoisonError::into_inner) = Some(mode);
                        Ok(AccountClaim::Unverified(recorded))
                    }
                    _ => Err(error.into()),
                };
            }
            Err(error) => return Err(error),
        };
        let ours = Account { account, mode };
        let recorded = self.store.claim_account(&ours).await?;
        if recorded == ours {
            *self.unverified.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Ok(if recorded == ours { AccountClaim::Ours(ours) } else { AccountClaim::Another { ours, recorded } })
    }

    /// After a start during an outage: nothing is written or sold before it is sure whose store
    /// this is. With another account's key every customer would seem to have gone.
    pub(super) async fn ensure_account(&self) -> Result<(), Error> {
        let Some(mode) = *self.unverified.lock().unwrap_or_else(PoisonError::into_inner) else {
            return Ok(());
        };
        match self.claim_account(mode).await? {
            AccountClaim::Ours(_) => Ok(()),
            AccountClaim::Unverified(_) => {
                Err(StripeError::new(StripeErrorKind::Unavailable, "the account is not known yet").into())
            }
            AccountClaim::Another { .. } => Err(Error::WrongAccount),
        }
    }
}
