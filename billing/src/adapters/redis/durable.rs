//! An acknowledged mark is on disk. Where Redis does not write to disk before it answers but can be
//! asked to wait until it has (WAITAOF, from 7.2), marks go over a connection of their own, as
//! waiting would hold up everybody else on the shared one.
//!
//! Not on a cluster: WAITAOF answers for the writes of one connection to one node, and a cluster's
//! connection keeps those to itself. There only `appendfsync always` will do.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind, Value, from_redis_value};

use super::{RedisConnection, reconciliation, unavailable};
use crate::error::StoreError;

/// How long Redis may take to write to disk; once a second is its slowest setting.
const MILLIS: u32 = 2500;
/// So long Redis' settings are believed: somebody may change them while we run.
const KNOWN: Duration = Duration::from_secs(60);

/// Since when it is known, and the connection of the marks, where they have one.
type Known = Option<(Instant, Option<RedisConnection>)>;

#[derive(Clone, Default)]
pub(super) struct Durable {
    known: Arc<Mutex<Known>>,
}

impl Durable {
    /// The connection of the marks, where they have one.
    pub async fn connection(&self, shared: &RedisConnection) -> Result<Option<RedisConnection>, StoreError> {
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, own)) = before.as_ref().filter(|(asked, _)| asked.elapsed() < KNOWN) {
            return Ok(own.clone());
        }
        let own = match (can_wait(shared).await?, before.and_then(|(_, own)| own)) {
            (false, _) => None,
            (true, Some(own)) => Some(own),
            (true, None) => Some(shared.another().await.map_err(unavailable)?),
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), own.clone()));
        Ok(own)
    }

    /// Runs a script, and waits until what it has written is on disk.
    pub async fn to_disk<T: FromRedisValue>(
        &self,
        own: &mut RedisConnection,
        script: &Script,
        keys: &[&String],
        arguments: &[&str],
    ) -> Result<T, StoreError> {
        let mut call = redis::cmd("EVALSHA");
        call.arg(script.get_hash()).arg(keys.len()).arg(keys).arg(arguments);
        let mut answer = run_and_wait(own, &call).await;
        if answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)) {
            script.load_async(own).await.map_err(unavailable)?;
            answer = run_and_wait(own, &call).await;
        }
        let (answer, here) = answer.map_err(unavailable)?;
        if here == 0 {
            return Err(StoreError::Unavailable("Redis did not write to disk in time".to_owned()));
        }
        Ok(answer)
    }
}

/// The call's answer, and on how many disks here it is. Both commands go out as one: WAITAOF speaks
/// of its own connection's writes, and on one that was made in between it would answer at once.
async fn run_and_wait<T: FromRedisValue>(own: &mut RedisConnection, call: &Cmd) -> RedisResult<(T, u32)> {
    let mut both = redis::pipe();
    both.add_command(call.clone()).cmd("WAITAOF").arg(1).arg(0).arg(MILLIS);
    let mut answers = own.req_packed_commands(&both, 0, 2).await?.into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil).extract_error();
    let answer = from_redis_value(next()?)?;
    let (here, _): (u32, u32) = from_redis_value(next()?)?;
    Ok((answer, here))
}

/// Whether waiting is needed, and possible.
pub(super) async fn can_wait(redis: &RedisConnection) -> Result<bool, StoreError> {
    if redis.is_cluster() {
        return Ok(false);
    }
    let safe = reconciliation::settings(redis).await?;
    let mut version = safe.version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (version.next().unwrap_or(0), version.next().unwrap_or(0));
    // With `no` Redis leaves it to the system, and WAITAOF would wait in vain. Where it may not be
    // asked, it is taken for its default, once a second.
    let fsync = safe.append_fsync.as_deref().unwrap_or("everysec");
    Ok(safe.append_only && fsync == "everysec" && version >= (7, 2))
}
