//! A real Redis Cluster of a test's own: three primaries with a replica each, which takes over a
//! second or two after its primary is killed. None of the six outlives the test.

use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, Value};

use super::redis_server::{RedisServer, free_port};

const PRIMARIES: usize = 3;
const LAST_SLOT: usize = 16383;

pub struct RedisCluster {
    /// The primaries first; the replica of number n is n + 3.
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    pub fn start() -> Self {
        let nodes: Vec<_> = (0..2 * PRIMARIES).map(|_| node()).collect();
        nodes.iter().for_each(RedisServer::wait);
        let cluster = Self { nodes };
        cluster.share_slots();
        cluster.meet();
        cluster.replicate();
        cluster
    }

    /// Two of the six, of different shards: the others are found through them.
    pub fn url(&self) -> String {
        let url = |node: &RedisServer| format!("redis://127.0.0.1:{}", node.port());
        format!("{},{}", url(&self.nodes[0]), url(&self.nodes[PRIMARIES + 1]))
    }

    /// Waits until every replica has what its primary has acknowledged: a failover loses the rest.
    pub fn until_replicated(&self) {
        self.until("every replica has caught up", |number| {
            let info: String = self.ask(number, &["INFO", "replication"]);
            let Some((_, offset)) = info.split_once("master_repl_offset:") else { return false };
            let offset = offset.lines().next().unwrap_or_default();
            number >= PRIMARIES || info.contains(&format!("offset={offset},"))
        });
    }

    /// Kills the primary that has the key, as `kill -9` does. Returns its number.
    pub fn kill_primary_of(&mut self, key: &str) -> usize {
        let number = self.primary_of(key);
        self.nodes[number].kill();
        number
    }

    /// From now on it says nothing, and closes nothing, as if its machine were gone.
    pub fn freeze_primary_of(&self, key: &str) -> usize {
        let number = self.primary_of(key);
        self.nodes[number].freeze();
        number
    }

    fn primary_of(&self, key: &str) -> usize {
        let slot: u16 = self.ask(0, &["CLUSTER", "KEYSLOT", key]);
        let number = usize::from(slot) / shard_size();
        assert!(self.node_says(number, "INFO", "replication", "role:master"), "{key} has its first primary");
        number
    }

    /// Kills the primary that has the key, and its replica.
    pub fn kill_shard_of(&mut self, key: &str) {
        let number = self.kill_primary_of(key);
        self.nodes[number + PRIMARIES].kill();
    }

    /// Kills the node that the URL names first.
    pub fn kill_first_seed(&mut self) {
        self.nodes[0].kill();
    }

    /// Whether the replica of a primary that was killed has taken over.
    pub fn is_promoted(&self, number: usize) -> bool {
        self.node_says(number + PRIMARIES, "INFO", "replication", "role:master")
    }

    pub fn replica_knows_no_script(&self, number: usize) -> bool {
        self.node_says(number + PRIMARIES, "INFO", "memory", "number_of_cached_scripts:0")
    }

    fn share_slots(&self) {
        for number in 0..PRIMARIES {
            let last = if number + 1 == PRIMARIES { LAST_SLOT } else { (number + 1) * shard_size() - 1 };
            let (first, last) = ((number * shard_size()).to_string(), last.to_string());
            let _: Value = self.ask(number, &["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
        for number in 0..self.nodes.len() {
            let epoch = (number + 1).to_string();
            let _: Value = self.ask(number, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
    }

    fn meet(&self) {
        for number in 1..self.nodes.len() {
            let (port, bus): (String, String) = (self.nodes[number].port().to_string(), self.bus(number));
            let _: Value = self.ask(0, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        self.until("all have met", |number| {
            let known: String = self.ask(number, &["CLUSTER", "NODES"]);
            known.lines().filter(|line| !line.contains("handshake")).count() == self.nodes.len()
        });
    }

    fn replicate(&self) {
        for number in 0..PRIMARIES {
            let id: String = self.ask(number, &["CLUSTER", "MYID"]);
            let _: Value = self.ask(number + PRIMARIES, &["CLUSTER", "REPLICATE", &id]);
        }
        self.until("all slots are served", |number| {
            self.node_says(number, "CLUSTER", "INFO", "cluster_state:ok")
        });
        self.until("every replica follows its primary", |number| {
            let sign = if number < PRIMARIES { "state=online" } else { "master_link_status:up" };
            self.node_says(number, "INFO", "replication", sign)
        });
        self.until("everybody knows the replicas", |number| {
            let known: String = self.ask(number, &["CLUSTER", "NODES"]);
            known.lines().filter(|line| line.contains("slave")).count() == PRIMARIES
        });
    }

    fn until(&self, what: &str, holds: impl Fn(usize) -> bool) {
        let started = Instant::now();
        while !(0..self.nodes.len()).all(&holds) {
            assert!(started.elapsed() < Duration::from_secs(30), "never: {what}");
            std::thread::yield_now();
        }
    }

    fn bus(&self, number: usize) -> String {
        let setting: Vec<String> = self.ask(number, &["CONFIG", "GET", "cluster-port"]);
        setting[1].clone()
    }

    fn node_says(&self, number: usize, command: &str, argument: &str, text: &str) -> bool {
        self.ask::<String>(number, &[command, argument]).contains(text)
    }

    fn ask<T: FromRedisValue>(&self, number: usize, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut self.connect(number)).unwrap()
    }

    fn connect(&self, number: usize) -> Connection {
        let url = format!("redis://127.0.0.1:{}", self.nodes[number].port());
        Client::open(url).unwrap().get_connection().unwrap()
    }
}

fn shard_size() -> usize {
    LAST_SLOT / PRIMARIES + 1
}

fn node() -> RedisServer {
    let (port, bus) = (free_port(), free_port());
    let settings = [
        ["--port", &port.to_string()],
        ["--cluster-port", &bus.to_string()],
        ["--cluster-enabled", "yes"],
        ["--cluster-node-timeout", "1000"],
        // A replica that was cut off for long takes over all the same: there is no other.
        ["--cluster-replica-validity-factor", "0"],
        ["--repl-diskless-sync-delay", "0"],
        ["--shutdown-timeout", "0"],
    ];
    RedisServer::spawn(port, &settings.concat())
}
