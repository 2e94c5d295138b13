//! The connection to a Redis Cluster: the redis crate's, which follows slots that move, replaced as a
//! whole when an answer does not come. May not decide what is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo};
use redis::{Cmd, Pipeline, RedisResult, Value, aio::ConnectionLike, from_redis_value};

use super::connection::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT};
use super::options::Seeds;

/// While a replica takes over, a command is repeated: as often as `RESPONSE_TIMEOUT` leaves time for.
const RETRIES: u32 = 30;
const SHORTEST_WAIT_MILLIS: u64 = 100;
const LONGEST_WAIT_MILLIS: u64 = 200;

/// Shared by all clones.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Joined>);

struct Joined {
    client: ClusterClient,
    current: RwLock<ClusterConnection>,
    rejoining: AtomicBool,
}

impl Cluster {
    pub async fn join(seeds: &Seeds) -> RedisResult<Self> {
        let client = seeds.cluster(|builder| {
            builder
                .connection_timeout(CONNECT_TIMEOUT)
                .response_timeout(RESPONSE_TIMEOUT)
                .overall_response_timeout(Some(RESPONSE_TIMEOUT))
                .retries(RETRIES)
                .min_retry_wait(SHORTEST_WAIT_MILLIS)
                .max_retry_wait(LONGEST_WAIT_MILLIS)
                .retry_wait_formula(LONGEST_WAIT_MILLIS, 1)
        })?;
        let current = RwLock::new(client.get_async_connection().await?);
        Ok(Self(Arc::new(Joined { client, current, rejoining: AtomicBool::new(false) })))
    }

    pub async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        self.judged(self.current().req_packed_command(command).await)
    }

    pub async fn commands(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        self.judged(self.current().req_packed_commands(pipeline, offset, count).await)
    }

    /// One answer of each primary, in no order.
    pub async fn on_each_primary(&self, command: &Cmd) -> RedisResult<Vec<Value>> {
        let all = (MultipleNodeRoutingInfo::AllMasters, Some(ResponsePolicy::Special));
        let answers = self.current().route_command(command.clone(), RoutingInfo::MultiNode(all)).await;
        let answers: Vec<(String, Value)> = from_redis_value(self.judged(answers)?)?;
        answers.into_iter().map(|(_, answer)| answer.extract_error()).collect()
    }

    fn current(&self) -> ClusterConnection {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The redis crate asks for new slots when a connection breaks or a node sends it elsewhere. A
    /// node that just says nothing does neither, and would be asked for ever.
    fn judged<T>(&self, answer: RedisResult<T>) -> RedisResult<T> {
        let silent = answer.as_ref().is_err_and(redis::RedisError::is_timeout);
        if silent && !self.0.rejoining.swap(true, Ordering::AcqRel) {
            tokio::spawn(rejoin(self.0.clone()));
        }
        answer
    }
}

async fn rejoin(joined: Arc<Joined>) {
    match joined.client.get_async_connection().await {
        Ok(fresh) => *joined.current.write().unwrap_or_else(PoisonError::into_inner) = fresh,
        Err(error) => tracing::warn!(%error, "the Redis Cluster can't be joined again"),
    }
    joined.rejoining.store(false, Ordering::Release);
}
