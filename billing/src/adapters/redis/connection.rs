//! The one type of connection that everything in the project uses: to a single Redis, or to a
//! cluster. Who uses it need not know which, as long as the keys of a command share a slot.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig, PubSub};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, FromRedisValue, Pipeline, RedisError, RedisFuture,
    RedisResult, Value,
};

use super::ConnectError;
use super::cluster::Cluster;
use super::listening::{Heard, Listening};
use super::options::{RedisOptions, Seeds};

/// A shared connection that reconnects by itself, and follows a cluster when slots move. A command
/// may fail when a connection is lost, and on a cluster it may have been sent twice, so each
/// caller's commands must be safe to repeat.
#[derive(Clone)]
pub struct RedisConnection {
    link: Link,
    seeds: Arc<Seeds>,
    listening: Arc<Listening>,
}

#[derive(Clone)]
enum Link {
    Single(ConnectionManager),
    Cluster(Cluster),
}

/// Long enough for a script behind an fsync on a busy disk.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl RedisConnection {
    /// Asks the first node that answers whether it is one of a cluster.
    ///
    /// # Errors
    /// `ConnectError` where the options can't be used together or nobody answers.
    pub async fn open(options: impl Into<RedisOptions>) -> Result<Self, ConnectError> {
        let mut seeds = Seeds::read(&options.into())?;
        let (node, cluster) = first_that_answers(&seeds).await?;
        let address = node.addr().to_string();
        let failed = |error: &RedisError| ConnectError::new(&address, seeds.is_tls(), error);
        let link = if cluster {
            let database = node.redis_settings().db();
            if database != 0 {
                return Err(ConnectError::Database(address, database));
            }
            Link::Cluster(Cluster::join(&seeds).await.map_err(|error| failed(&error))?)
        } else {
            if seeds.nodes.len() > 1 {
                return Err(ConnectError::NoCluster(address));
            }
            let client = seeds.client(node.clone()).map_err(|error| failed(&error))?;
            let manager = ConnectionManager::new_with_config(client, single_config()).await;
            Link::Single(manager.map_err(|error| failed(&error))?)
        };
        // The one that answered is the best guess for the next connection too.
        seeds.nodes.sort_by_key(|seed| seed.addr() != node.addr());
        Ok(Self { link, seeds: Arc::new(seeds), listening: Arc::default() })
    }

    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(self.link, Link::Cluster(_))
    }

    /// Another connection to the same single Redis, for commands that hold up what comes after them.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn another(&self) -> RedisResult<Self> {
        let node = self.seeds.nodes.first().cloned().ok_or_else(timed_out)?;
        let manager = ConnectionManager::new_with_config(self.seeds.client(node)?, single_config()).await?;
        Ok(Self { link: Link::Single(manager), ..self.clone() })
    }

    /// The answer of every primary to one command without keys, in no order.
    ///
    /// # Errors
    /// The first failure of any.
    pub async fn on_each_primary(&self, command: &Cmd) -> RedisResult<Vec<Value>> {
        match self.link.clone() {
            Link::Single(mut single) => Ok(vec![command.query_async(&mut single).await?]),
            Link::Cluster(cluster) => cluster.on_each_primary(command).await,
        }
    }

    /// A connection of its own for subscriptions, on any node that answers: a cluster passes what
    /// is published on to all of them. It ends when that node does; then ask for another.
    ///
    /// # Errors
    /// The last node's, where none answers.
    pub async fn pubsub(&self) -> RedisResult<PubSub> {
        let mut failure = None;
        for node in self.seeds.nodes.iter().cloned().chain(self.members().await) {
            match subscriber(&self.seeds.client(node)?).await {
                Ok(pubsub) => return Ok(pubsub),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(timed_out))
    }

    /// What is published on a channel, over the one connection for that of all clones of this one. For
    /// who can do without: where Redis forbids the channel, nothing is heard.
    #[must_use]
    pub fn hear(&self, channel: &'static str) -> BoxStream<'static, Heard> {
        // The task must not keep alive what its end waits for.
        let apart = Self { listening: Arc::default(), ..self.clone() };
        self.listening.hear(apart, channel)
    }

    /// The cluster's nodes as it knows them now; none where it is no cluster, or does not answer.
    async fn members(&self) -> Vec<ConnectionInfo> {
        if !self.is_cluster() {
            return Vec::new();
        }
        let mut slots = redis::cmd("CLUSTER");
        let slots = slots.arg("SLOTS").query_async::<Vec<Vec<Value>>>(&mut self.clone()).await;
        // First and last slot, then host, port and more of each node.
        let nodes = slots.unwrap_or_default().into_iter().flat_map(|range| range.into_iter().skip(2));
        let address = |node: Value| {
            let Value::Array(node) = node else { return None };
            let mut fields = node.into_iter();
            let host = String::from_redis_value(fields.next()?).ok().filter(|host| !host.is_empty())?;
            self.seeds.at(host, u16::from_redis_value(fields.next()?).ok()?)
        };
        nodes.filter_map(address).collect()
    }
}

/// The first node that answers, and whether it is one of a cluster.
async fn first_that_answers(seeds: &Seeds) -> Result<(ConnectionInfo, bool), ConnectError> {
    let mut failure = ConnectError::Url("it is empty".to_owned());
    for node in &seeds.nodes {
        match is_of_cluster(seeds, node).await {
            Ok(cluster) => return Ok((node.clone(), cluster)),
            Err(error) => failure = ConnectError::new(&node.addr().to_string(), seeds.is_tls(), &error),
        }
        if failure.is_about_all_nodes() {
            break;
        }
    }
    Err(failure)
}

async fn is_of_cluster(seeds: &Seeds, node: &ConnectionInfo) -> RedisResult<bool> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    // Database 0, which is always there: a cluster refuses any other before it can be asked.
    let zero = node.clone().set_redis_settings(node.redis_settings().clone().set_db(0));
    let mut redis = seeds.client(zero)?.get_multiplexed_async_connection_with_config(&config).await?;
    let info: String = redis::cmd("INFO").arg("cluster").query_async(&mut redis).await?;
    Ok(info.lines().any(|line| line.trim() == "cluster_enabled:1"))
}

fn single_config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(2)
}

async fn subscriber(client: &Client) -> RedisResult<PubSub> {
    let opened = tokio::time::timeout(CONNECT_TIMEOUT, client.get_async_pubsub()).await;
    opened.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match &mut self.link {
            Link::Single(single) => single.req_packed_command(cmd),
            Link::Cluster(cluster) => Box::pin(cluster.command(cmd)),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &mut self.link {
            Link::Single(single) => single.req_packed_commands(pipeline, offset, count),
            Link::Cluster(cluster) => Box::pin(cluster.commands(pipeline, offset, count)),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.link {
            Link::Single(single) => single.get_db(),
            Link::Cluster(_) => 0,
        }
    }
}
