//! Accounts in Redis. The account's own key is written first and the e-mail's index second, each
//! a single key: a crash in between leaves an account nobody can find, and never an e-mail that
//! nobody can use. These keys are ours and not Stripe's: back them up.

use std::sync::LazyLock;

use rand::distr::{Alphanumeric, SampleString};
use redis::Script;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use unsplit_billing::adapters::redis::RedisConnection;
use unsplit_billing::id::{InvalidId, UserId};

use super::{Email, User};
use crate::server::session::{ask, ask_script};

/// The JSON at `unsplit:account:<userId>`. It can't be printed: it has the hash.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub id: UserId,
    pub email: String,
    /// A PHC string.
    pub password_hash: String,
    /// Seconds since the Unix epoch.
    pub created_at: i64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("Redis does not answer: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("Redis holds an account that can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Whether the e-mail was free.
pub(super) enum Created {
    New(User),
    Taken,
}

pub(super) struct Records {
    redis: RedisConnection,
}

/// Points the e-mail at ARGV[1] where it points at nobody, or still at ARGV[2] (empty: nobody).
static CLAIM: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local owner = redis.call('GET', KEYS[1]) \
         if owner == ARGV[1] then return 1 end \
         if owner and owner ~= ARGV[2] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[1]) return 1",
    )
});

impl Account {
    pub fn into_user(self) -> User {
        User { id: self.id, email: self.email }
    }
}

impl Records {
    pub fn new(redis: RedisConnection) -> Self {
        Self { redis }
    }

    pub async fn by_id(&self, id: &UserId) -> Result<Option<Account>, RecordError> {
        let json: Option<String> = ask(&self.redis, redis::cmd("GET").arg(account_key(id))).await?;
        Ok(json.map(|json| serde_json::from_str(&json)).transpose()?)
    }

    /// Two reads, whether the e-mail is known or not: the time must not tell.
    pub async fn by_email(&self, email: &Email) -> Result<Option<Account>, RecordError> {
        let owner = self.owner(email).await?;
        let id = match &owner {
            Some(id) => id.clone(),
            None => UserId::parse("nobody")?,
        };
        let account = self.by_id(&id).await?;
        Ok(account.filter(|account| owner.is_some() && account.email == email.as_str()))
    }

    /// Makes the account unless the e-mail has one. Of several at once one wins.
    pub async fn create(&self, email: &Email, password_hash: String) -> Result<Created, RecordError> {
        let account = Account {
            id: new_id()?,
            email: email.as_str().to_owned(),
            password_hash,
            created_at: OffsetDateTime::now_utc().unix_timestamp(),
        };
        let owner = self.owner(email).await?;
        if let Some(owner) = &owner {
            if self.by_id(owner).await?.is_some() {
                return Ok(Created::Taken);
            }
            // An index without its account: a failover of Redis has lost the account. The e-mail
            // must not be lost with it.
            tracing::error!(user = %owner, "an e-mail belongs to an account that is lost");
        }
        let json = serde_json::to_string(&account)?;
        let () = ask(&self.redis, redis::cmd("SET").arg(account_key(&account.id)).arg(json)).await?;
        if self.claim(email, &account.id, owner.as_ref()).await? {
            return Ok(Created::New(account.into_user()));
        }
        let () = ask(&self.redis, redis::cmd("DEL").arg(account_key(&account.id))).await?;
        Ok(Created::Taken)
    }

    async fn owner(&self, email: &Email) -> Result<Option<UserId>, RecordError> {
        let id: Option<String> = ask(&self.redis, redis::cmd("GET").arg(email_key(email))).await?;
        Ok(id.map(UserId::parse).transpose()?)
    }

    async fn claim(&self, email: &Email, new: &UserId, lost: Option<&UserId>) -> Result<bool, RecordError> {
        let mut script = CLAIM.key(email_key(email));
        let script = script.arg(new.as_str()).arg(lost.map_or("", UserId::as_str));
        Ok(ask_script(&self.redis, script).await?)
    }
}

/// 131 random bits: never the same twice.
fn new_id() -> Result<UserId, InvalidId> {
    UserId::parse(format!("user_{}", Alphanumeric.sample_string(&mut rand::rng(), 22)))
}

fn account_key(id: &UserId) -> String {
    format!("unsplit:account:{id}")
}

fn email_key(email: &Email) -> String {
    format!("unsplit:email:{}", email.as_str())
}
