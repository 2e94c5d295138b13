//! What may be in a session, typed, so that no key is spelt twice: who is logged in, the outcome
//! of the last form, and where a visitor wanted to go. May not know passwords or accounts.

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};
use unsplit_billing::id::UserId;

use super::LocalPath;
use super::layer::LOGGED_IN;
use crate::app::flash::Flash;

const USER: &str = "user";
const FLASH: &str = "flash";
const RETURN_TO: &str = "return_to";
/// The day (since 1970) on which the session was last made to last longer.
const DAY: &str = "day";

/// Nobody is logged in; it only carries a flash or a path to the next page.
const PASSING_BY: Duration = Duration::hours(1);

/// The session of one request, with names for what is in it. Changes are stored when the request
/// has been answered, by the session layer.
#[derive(Debug, Clone)]
pub struct Visitor(Session);

/// The session could be neither read nor written. Never to be taken for "not logged in".
#[derive(Debug, thiserror::Error)]
#[error("the session is out of reach: {0}")]
pub struct SessionError(#[from] tower_sessions::session::Error);

impl Visitor {
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self(session)
    }

    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn user(&self) -> Result<Option<UserId>, SessionError> {
        self.read(USER).await
    }

    /// Binds the session to a user, under a new id, so that an id someone planted before the
    /// log-in is worth nothing. The session is stored at once: only then is the user logged in.
    ///
    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn log_in(&self, user: &UserId) -> Result<(), SessionError> {
        self.0.cycle_id().await?;
        self.write(USER, user).await?;
        self.write(DAY, today()).await?;
        Ok(self.0.save().await?)
    }

    /// Ends the session at Redis. What is put in afterwards makes another one.
    ///
    /// # Errors
    /// `SessionError` where Redis does not answer; the user is then still logged in.
    pub async fn log_out(&self) -> Result<(), SessionError> {
        self.0.flush().await?;
        // After a flush tower-sessions would use the old id again.
        Ok(self.0.cycle_id().await?)
    }

    /// Lets a log-in that is in use last longer; writes once a day.
    ///
    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn stay(&self) -> Result<(), SessionError> {
        if self.read(DAY).await? != Some(today()) {
            self.write(DAY, today()).await?;
        }
        Ok(())
    }

    /// For the next page, and only for that.
    ///
    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn set_flash(&self, flash: &Flash) -> Result<(), SessionError> {
        self.write(FLASH, flash).await
    }

    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn take_flash(&self) -> Result<Option<Flash>, SessionError> {
        self.take(FLASH).await
    }

    /// Where to go on after the log-in.
    ///
    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn set_return_to(&self, path: &LocalPath) -> Result<(), SessionError> {
        self.write(RETURN_TO, path).await
    }

    /// # Errors
    /// `SessionError` where Redis does not answer.
    pub async fn take_return_to(&self) -> Result<Option<LocalPath>, SessionError> {
        self.take(RETURN_TO).await
    }

    /// What an older version of this program wrote and this one can't read counts as absent.
    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        let value = self.0.get_value(key).await?;
        Ok(value.and_then(|value| serde_json::from_value(value).ok()))
    }

    async fn take<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        // Removing marks the session as changed even where there is nothing to remove.
        if self.0.get_value(key).await?.is_none() {
            return Ok(None);
        }
        let value = self.read(key).await?;
        self.0.remove_value(key).await?;
        self.set_expiry().await?;
        Ok(value)
    }

    async fn write(&self, key: &str, value: impl Serialize) -> Result<(), SessionError> {
        self.0.insert(key, value).await?;
        self.set_expiry().await
    }

    async fn set_expiry(&self) -> Result<(), SessionError> {
        let lasts = match self.user().await? {
            Some(_) => LOGGED_IN,
            None => PASSING_BY,
        };
        self.0.set_expiry(Some(Expiry::OnInactivity(lasts)));
        Ok(())
    }
}

fn today() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp().div_euclid(24 * 60 * 60)
}

#[cfg(test)]
#[path = "visitor_tests.rs"]
mod tests;
