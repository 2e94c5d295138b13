//! Our own accounts: sign up and log in with e-mail and password. The verbs decide, and say what
//! was wrong so that nobody learns which e-mails have an account by trying to log in. May not know
//! HTTP: `forms` turns a form into a verb and its outcome into a page.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::request::Parts;
use tower_sessions::Session;
use unsplit_billing::adapters::redis::RedisConnection;

use super::hasher::{HashError, Hasher};
use super::limits::{Attempts, Counted, Turn};
use super::records::{Created, RecordError, Records};
use super::{
    AttemptLimits, AuthError, Authenticate, ClientAddress, Email, HashingSettings, InvalidEmail,
    InvalidPassword, Password, User,
};
use crate::server::session::Visitor;

/// What can be tuned. The default is for production.
#[derive(Debug, Clone, Default)]
pub struct AccountSettings {
    pub limits: AttemptLimits,
    pub hashing: HashingSettings,
}

pub struct Accounts {
    records: Records,
    attempts: Attempts,
    hasher: Hasher,
}

/// Why nobody is logged in now.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The person can do something about it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Redis does not answer, or hashing failed: 503.
    #[error("{0}")]
    Unavailable(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    #[error("a field is not right")]
    Fields { email: Option<InvalidEmail>, password: Option<InvalidPassword> },
    /// Only a sign-up says so.
    #[error("the e-mail has an account")]
    EmailTaken,
    /// Unknown e-mail or wrong password: the same.
    #[error("e-mail and password do not fit")]
    Wrong,
    #[error("too many attempts")]
    TooMany { again_in: Duration },
    /// More log-ins at once than this machine can hash.
    #[error("too many log-ins at once")]
    Busy,
}

impl Accounts {
    /// `secret` keys the hashes in the limits' keys: it stays the same over restarts and on all
    /// machines. Hashes once, so it takes a moment.
    ///
    /// # Errors
    /// `AccountError::Unavailable` where argon2 does not take the hashing settings.
    pub fn new(
        redis: RedisConnection,
        secret: &[u8],
        settings: AccountSettings,
    ) -> Result<Self, AccountError> {
        Ok(Self {
            records: Records::new(redis.clone()),
            attempts: Attempts::new(redis, secret, settings.limits),
            hasher: Hasher::new(&settings.hashing)?,
        })
    }

    /// Makes an account. Who has one already and gives the right password gets in all the same:
    /// so a double click, or a second try after a lost answer, ends well.
    ///
    /// # Errors
    /// `AccountError`, see there.
    pub async fn sign_up(
        &self,
        email: &str,
        password: &str,
        from: ClientAddress,
    ) -> Result<User, AccountError> {
        let (address, chosen) = fields(Email::parse(email), Password::chosen(password))?;
        self.reserve(Counted::SignUpsFrom(from)).await?;
        if self.records.by_email(&address).await?.is_none() {
            let hash = self.hasher.hash(chosen).await?;
            if let Created::New(user) = self.records.create(&address, hash).await? {
                tracing::info!(user = %user.id, "signed up");
                return Ok(user);
            }
        }
        match self.log_in(email, password, from).await {
            Err(AccountError::Rejected(Rejected::Wrong | Rejected::TooMany { .. })) => {
                Err(Rejected::EmailTaken.into())
            }
            outcome => outcome,
        }
    }

    /// # Errors
    /// `AccountError`, see there.
    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        from: ClientAddress,
    ) -> Result<User, AccountError> {
        let (email, password) = fields(Email::parse(email), Password::typed(password))?;
        self.reserve(Counted::LogInsFrom(from)).await?;
        self.reserve(Counted::LogInsOf(&email)).await?;
        let account = self.records.by_email(&email).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let fits = self.hasher.verify(password, hash).await?;
        let Some(account) = account.filter(|_| fits) else {
            return Err(Rejected::Wrong.into());
        };
        self.attempts.reset(Counted::LogInsOf(&email)).await.map_err(RecordError::from)?;
        tracing::info!(user = %account.id, "logged in");
        Ok(account.into_user())
    }

    async fn reserve(&self, counted: Counted<'_>) -> Result<(), AccountError> {
        match self.attempts.reserve(counted).await.map_err(RecordError::from)? {
            Turn::Granted => Ok(()),
            Turn::Refused { again_in } => Err(Rejected::TooMany { again_in }.into()),
        }
    }
}

/// The session says which user; the account says that they still exist.
#[async_trait]
impl Authenticate for Accounts {
    async fn user(&self, request: &Parts) -> Result<Option<User>, AuthError> {
        let session = request.extensions.get::<Session>().cloned();
        let visitor = Visitor::new(session.ok_or_else(|| AuthError("there is no session layer".to_owned()))?);
        let Some(id) = visitor.user().await.map_err(out_of_reach)? else {
            return Ok(None);
        };
        let account = self.records.by_id(&id).await.map_err(out_of_reach)?;
        if account.is_some() {
            visitor.stay().await.map_err(out_of_reach)?;
        } else {
            tracing::warn!(user = %id, "a session belongs to an account that is gone");
        }
        Ok(account.map(super::records::Account::into_user))
    }
}

/// Both fields are judged before either is reported.
fn fields(
    email: Result<Email, InvalidEmail>,
    password: Result<Password, InvalidPassword>,
) -> Result<(Email, Password), Rejected> {
    match (email, password) {
        (Ok(email), Ok(password)) => Ok((email, password)),
        (email, password) => Err(Rejected::Fields { email: email.err(), password: password.err() }),
    }
}

fn out_of_reach(error: impl std::fmt::Display) -> AuthError {
    AuthError(error.to_string())
}

impl From<RecordError> for AccountError {
    fn from(error: RecordError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<HashError> for AccountError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Rejected::Busy.into(),
            HashError::Failed(_) => Self::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
