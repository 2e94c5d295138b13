//! argon2id, off the async threads and only so many at once: each takes 19 MiB and tens of
//! milliseconds of a core, and a crowd at the log-in page must not take the whole machine.
//! May not know accounts.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Password;

/// The cost of a hash, and how many may run at once.
#[derive(Debug, Clone)]
pub struct HashingSettings {
    pub memory_kib: u32,
    pub passes: u32,
    pub at_once: usize,
    /// How long one waits for a turn before the answer is "busy".
    pub patience: Duration,
}

/// OWASP's recommendation for argon2id; as many at once as there are cores.
impl Default for HashingSettings {
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            at_once: std::thread::available_parallelism().map_or(2, Into::into),
            patience: Duration::from_secs(5),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(super) enum HashError {
    #[error("too many log-ins at once")]
    Busy,
    #[error("hashing failed: {0}")]
    Failed(String),
}

pub(super) struct Hasher {
    argon: Argon2<'static>,
    /// Made of no password, with the parameters of a real one.
    decoy: String,
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl Hasher {
    /// # Errors
    /// `HashError::Failed` where argon2 does not take the parameters.
    pub fn new(settings: &HashingSettings) -> Result<Self, HashError> {
        let params = Params::new(settings.memory_kib, settings.passes, 1, None).map_err(failed)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon, &rand::random::<[u8; 32]>())?;
        Ok(Self {
            argon,
            decoy,
            turns: Arc::new(Semaphore::new(settings.at_once.max(1))),
            patience: settings.patience,
        })
    }

    /// The hash as a PHC string, with its parameters and a new salt.
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        let argon = self.argon.clone();
        self.in_turn(move || hash(&argon, password.as_bytes())).await
    }

    /// Whether the password fits. Without a hash to compare with (an unknown e-mail) the same
    /// work is done, and the answer is no.
    pub async fn verify(&self, password: Password, known: Option<String>) -> Result<bool, HashError> {
        let argon = self.argon.clone();
        let is_known = known.is_some();
        let against = known.unwrap_or_else(|| self.decoy.clone());
        self.in_turn(move || {
            let against = PasswordHash::new(&against).map_err(failed)?;
            Ok(argon.verify_password(password.as_bytes(), &against).is_ok() && is_known)
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = tokio::time::timeout(self.patience, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| HashError::Busy)?.map_err(failed)?;
        let worked = spawn_blocking(move || {
            // Held by the work and not by the request: who hangs up does not stop the work.
            let _turn = turn;
            work()
        });
        worked.await.map_err(failed)?
    }
}

fn hash(argon: &Argon2<'_>, password: &[u8]) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
    let hash = argon.hash_password(password, &salt).map_err(failed)?;
    Ok(hash.to_string())
}

fn failed(error: impl std::fmt::Display) -> HashError {
    HashError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used)]
    use super::*;

    fn password(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    #[tokio::test]
    async fn a_hash_fits_its_own_password_only() {
        let hasher = Hasher::new(&HashingSettings::default()).unwrap();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash(password("correct horse")).await.unwrap());
        assert!(hasher.verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(password("correct hors"), Some(hash)).await.unwrap());
        assert!(!hasher.verify(password("correct horse"), None).await.unwrap());
        assert!(hasher.verify(password("x"), Some("not a hash".to_owned())).await.is_err());
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let settings = HashingSettings { at_once: 1, patience: Duration::ZERO, ..HashingSettings::default() };
        let hasher = Hasher::new(&settings).unwrap();
        let _turn = hasher.turns.clone().acquire_owned().await.unwrap();
        assert!(matches!(hasher.hash(password("correct horse")).await, Err(HashError::Busy)));
    }
}
