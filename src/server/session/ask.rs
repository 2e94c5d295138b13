//! One command to Redis, asked once more where the connection had died, so that a restart of
//! Redis costs nobody an error page. Only for what is safe to repeat.

use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, RedisResult, ScriptInvocation};
use unsplit_billing::adapters::redis::RedisConnection;

pub(in crate::server) async fn ask<T: FromRedisValue>(
    redis: &RedisConnection,
    command: &Cmd,
) -> RedisResult<T> {
    let mut redis = redis.clone();
    match command.query_async(&mut redis).await {
        Err(error) if connection_died(&error) => command.query_async(&mut redis).await,
        answer => answer,
    }
}

pub(in crate::server) async fn ask_script<T: FromRedisValue>(
    redis: &RedisConnection,
    script: &ScriptInvocation<'_>,
) -> RedisResult<T> {
    let mut redis = redis.clone();
    match script.invoke_async(&mut redis).await {
        Err(error) if connection_died(&error) => script.invoke_async(&mut redis).await,
        answer => answer,
    }
}

fn connection_died(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Io && !error.is_timeout()
}
