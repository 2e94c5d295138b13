//! A Redis of our own: a child process on its own port, with its data below `.data`. It never
//! outlives us: a shell between us and Redis ends it when our end of its pipe closes, which also
//! happens when we are killed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};
use unsplit_billing::adapters::redis::RedisConnection;

use crate::server::run::StartError;

/// Redis in the background; a reader of our pipe that ends it; and the shell waits for Redis.
const GUARD: &str = r#"
exec 3<&0
"$0" "$@" </dev/null 3<&- &
redis=$!
{ cat <&3 >/dev/null; kill "$redis" 2>/dev/null; } 3<&3 &
exec 3<&-
wait "$redis"
"#;

pub struct PrivateRedis {
    child: Child,
    /// Redis lives as long as this is open. Kept apart, as `Child::wait` closes what it finds.
    lifeline: Option<ChildStdin>,
    url: String,
}

impl PrivateRedis {
    /// Starts Redis with every write on disk before it is acknowledged, and waits until it answers.
    ///
    /// # Errors
    /// `StartError` that says what to do.
    pub async fn start(address: SocketAddr, directory: &Path) -> Result<Self, StartError> {
        let directory = prepared(directory)?;
        free(address).await?;
        let mut child = Command::new("sh")
            .args(["-c", GUARD, "redis-server"])
            .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()])
            .args(["--dir", &directory.to_string_lossy(), "--logfile", "redis.log"])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
            .args(["--daemonize", "no", "--maxmemory-policy", "noeviction"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for us: we stop Redis when the app has stopped.
            .process_group(0)
            .spawn()
            .map_err(|error| StartError::new(format!("Redis can't be started: {error}")))?;
        let lifeline = child.stdin.take();
        let mut redis = Self { child, lifeline, url: format!("redis://{address}") };
        redis.answer(&directory).await?;
        Ok(redis)
    }

    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn answer(&mut self, directory: &Path) -> Result<(), StartError> {
        for _ in 0..200 {
            let ended = self.child.try_wait().map_err(StartError::new)?;
            if ended.is_some() {
                let log = directory.join("redis.log");
                let fix = "is redis-server installed? `make setup` installs it";
                return Err(StartError::new(format!("Redis ended at once: see {}; {fix}", log.display())));
            }
            if let Ok(mut connection) = RedisConnection::open(&self.url).await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(StartError::new(format!(
            "Redis does not answer at {}: see its log in {}",
            self.url,
            directory.display()
        )))
    }

    /// Resolves when Redis has ended by itself, which it should not.
    pub async fn ended(&mut self) {
        let _ = self.child.wait().await;
    }

    /// Ends Redis and waits for it.
    pub async fn stop(mut self) {
        drop(self.lifeline.take());
        let _ = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
    }
}

fn prepared(directory: &Path) -> Result<PathBuf, StartError> {
    let fail =
        |error| StartError::new(format!("{} can't be used for Redis' data: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(fail)?;
    directory.canonicalize().map_err(fail)
}

/// A Redis that was orphaned a moment ago needs a moment to end.
async fn free(address: SocketAddr) -> Result<(), StartError> {
    let mut tries = 0;
    while let Err(error) = tokio::net::TcpListener::bind(address).await {
        tries += 1;
        if tries > 30 {
            let fix = "stop what runs there, or choose another port with --redis-port";
            return Err(StartError::new(format!("{address} is not free for Redis ({error}): {fix}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
