//! A real Redis Cluster of a test's own: three primaries with a replica each, which takes over a
//! second or two after its primary is killed. None of the six outlives the test.

use std::time::{Duration, Instant};

use redis::{Client, Connection, FromRedisValue, RedisResult, TlsCertificates, Value};

use super::redis_server::{RedisServer, free_port};

const PRIMARIES: usize = 3;
const LAST_SLOT: usize = 16383;

pub struct RedisCluster {
    /// The primaries first; the replica of number n is n + 3.
    nodes: Vec<RedisServer>,
    access: Access,
}

/// How nodes are reached, by each other and by whoever comes.
pub struct Access {
    /// What stands before the port in a URL.
    pub home: String,
    /// The authority of their certificates, as PEM.
    pub authority: Option<Vec<u8>>,
    /// What a node needs to listen on this port.
    pub settings: Box<dyn Fn(u16) -> Vec<String> + Send + Sync>,
}

impl Access {
    /// Without TLS, and without a user.
    fn open() -> Self {
        let settings = Box::new(|port: u16| vec!["--port".to_owned(), port.to_string()]);
        Self { home: "redis://127.0.0.1".to_owned(), authority: None, settings }
    }
}

impl RedisCluster {
    pub fn start() -> Self {
        Self::behind(Access::open())
    }

    pub fn behind(access: Access) -> Self {
        let nodes: Vec<_> = (0..2 * PRIMARIES).map(|_| node(&access)).collect();
        nodes.iter().for_each(RedisServer::wait);
        let cluster = Self { nodes, access };
        cluster.share_slots();
        cluster.meet();
        cluster.replicate();
        cluster
    }

    /// Two of the six, of different shards: the others are found through them.
    pub fn url(&self) -> String {
        let url = |node: &RedisServer| format!("{}:{}", self.access.home, node.port());
        format!("{},{}", url(&self.nodes[0]), url(&self.nodes[PRIMARIES + 1]))
    }

    /// Waits until every replica has what its primary has acknowledged: a failover loses the rest.
    pub fn until_replicated(&self) {
        self.until("every replica has caught up", |number| number >= PRIMARIES || self.has_all(number));
    }

    /// Whether the replica of a primary has told it that it has everything.
    fn has_all(&self, number: usize) -> bool {
        let info: String = self.ask(number, &["INFO", "replication"]);
        let Some((_, offset)) = info.split_once("master_repl_offset:") else { return false };
        let offset = offset.lines().next().unwrap_or_default();
        info.contains(&format!("offset={offset},"))
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

    /// Cuts off the replica of the primary that has the key: it hears of nothing that comes now. It is
    /// frozen first, or it would connect again. Returns the primary's number.
    pub fn cut_off_replica_of(&self, key: &str) -> usize {
        let number = self.primary_of(key);
        self.nodes[number + PRIMARIES].freeze();
        let cut: u64 = self.ask(number, &["CLIENT", "KILL", "TYPE", "replica"]);
        assert_eq!(cut, 1, "its replica was there");
        number
    }

    /// Kills a primary whose replica was cut off, and lets the replica take over with what it knows.
    pub fn fail_over_to_the_past(&mut self, number: usize) {
        assert!(self.node_says(number, "INFO", "replication", "connected_slaves:0"), "nobody has followed");
        self.nodes[number].kill();
        self.nodes[number + PRIMARIES].thaw();
    }

    /// Kills the primary that has the key at a moment when its replica has all that it has acknowledged:
    /// it acknowledges nothing more before. Returns its number.
    pub fn kill_primary_without_loss(&mut self, key: &str) -> usize {
        let number = self.primary_of(key);
        let _: Value = self.ask(number, &["CLIENT", "PAUSE", "60000", "WRITE"]);
        self.until("its replica has caught up", |other| other != number || self.has_all(number));
        self.nodes[number].kill();
        number
    }

    /// A dead shard is no reason to refuse the keys of the others.
    pub fn serve_what_is_left(&self) {
        for number in 0..self.nodes.len() {
            let _: Value = self.ask(number, &["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
        }
    }

    /// The number of the primary that has the key.
    pub fn primary_of(&self, key: &str) -> usize {
        let slot: u16 = self.ask(0, &["CLUSTER", "KEYSLOT", key]);
        let number = usize::from(slot) / shard_size();
        assert!(self.node_says(number, "INFO", "replication", "role:master"), "{key} has its first primary");
        number
    }

    /// Kills the primary that has the key, and its replica. Returns the primary's number.
    pub fn kill_shard_of(&mut self, key: &str) -> usize {
        let number = self.kill_primary_of(key);
        self.nodes[number + PRIMARIES].kill();
        number
    }

    /// Starts a primary and its replica again, with what they had.
    pub fn revive_shard(&mut self, number: usize) {
        self.nodes[number].restart();
        self.nodes[number + PRIMARIES].restart();
        self.until("all slots are served", |number| {
            self.node_says(number, "CLUSTER", "INFO", "cluster_slots_ok:16384")
        });
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
        self.until("all have met", |number| {
            let known: String = self.ask(number, &["CLUSTER", "NODES"]);
            // On a busy machine a handshake may take too long, and is forgotten.
            for stranger in (1..self.nodes.len()).filter(|_| number == 0) {
                let port = self.nodes[stranger].port().to_string();
                if !known.contains(&format!(":{port}@")) {
                    let met = ["CLUSTER", "MEET", "127.0.0.1", &port, &self.bus(stranger)];
                    let _: Value = self.ask(0, &met);
                }
            }
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
        // One that was started again reads its data first, and answers nothing.
        self.answer::<String>(number, &[command, argument]).is_ok_and(|answer| answer.contains(text))
    }

    fn ask<T: FromRedisValue>(&self, number: usize, words: &[&str]) -> T {
        self.answer(number, words).unwrap()
    }

    fn answer<T: FromRedisValue>(&self, number: usize, words: &[&str]) -> RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]).query(&mut self.connect(number)?)
    }

    fn connect(&self, number: usize) -> RedisResult<Connection> {
        let url = format!("{}:{}", self.access.home, self.nodes[number].port());
        let client = match &self.access.authority {
            Some(pem) => Client::build_with_tls(
                url,
                TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) },
            ),
            None => Client::open(url),
        };
        client?.get_connection()
    }
}

fn shard_size() -> usize {
    LAST_SLOT / PRIMARIES + 1
}

fn node(access: &Access) -> RedisServer {
    let (port, bus) = (free_port(), free_port());
    let settings = [
        ["--cluster-port", &bus.to_string()],
        ["--cluster-enabled", "yes"],
        ["--cluster-node-timeout", "1000"],
        // A replica that was cut off for long takes over all the same: there is no other.
        ["--cluster-replica-validity-factor", "0"],
        ["--repl-diskless-sync-delay", "0"],
        ["--shutdown-timeout", "0"],
    ];
    let reached = (access.settings)(port);
    let reached: Vec<_> = reached.iter().map(String::as_str).collect();
    RedisServer::spawn(port, &[&settings.concat()[..], &reached].concat())
}
