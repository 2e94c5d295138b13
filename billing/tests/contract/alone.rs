//! A store on a Redis of its own, which a test may stop, or say who may do what on.

use unsplit_billing::adapters::redis::RedisConnection;

use super::support::Bench;
use crate::redis_server::RedisServer;

impl Bench {
    pub async fn alone() -> (RedisServer, Self) {
        let server = RedisServer::start();
        let bench = Self::on(RedisConnection::open(server.url()).await.unwrap());
        (server, bench)
    }

    /// The same server for a user who may publish on no channel.
    pub async fn mute(&self, server: &RedisServer) -> Self {
        let mut acl = redis::cmd("ACL");
        acl.arg(&["SETUSER", "mute", "on", ">pass", "~*", "+@all", "resetchannels"]);
        let _: () = acl.query_async(&mut self.redis.clone()).await.unwrap();
        let url = server.url().replace("redis://", "redis://mute:pass@");
        Self::on(RedisConnection::open(url).await.unwrap())
    }
}
