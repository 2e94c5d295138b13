//! A real redis-server: one for the whole binary with a database a test, or one for a test that
//! wants to stop it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};

const DATABASES: u32 = 512;

pub struct RedisServer {
    guard: Child,
    pid: u32,
    port: u16,
    directory: tempfile::TempDir,
    settings: Vec<String>,
}

/// Below those that the system gives to connections: one of them may be given away before the server
/// listens, or while it is being started again.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(rand::random()));
    loop {
        let port = 10_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl RedisServer {
    pub fn start() -> Self {
        let port = free_port();
        let databases = DATABASES.to_string();
        let server = Self::spawn(port, &["--port", &port.to_string(), "--databases", &databases]);
        server.wait();
        server
    }

    /// Starts one that will listen on this port, without waiting for it. The settings say so.
    pub fn spawn(port: u16, settings: &[&str]) -> Self {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        let directory = tempfile::tempdir().unwrap();
        let (guard, pid) = spawn(&directory, &settings);
        Self { guard, pid, port, directory, settings }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.signal("-9");
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
            std::thread::yield_now();
        }
    }

    /// It lives, its connections stand, and it answers nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.pid.to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The same data on the same port.
    pub fn restart(&mut self) {
        (self.guard, self.pid) = spawn(&self.directory, &self.settings);
        self.wait();
    }

    /// Until it listens.
    pub fn wait(&self) {
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "redis-server does not answer: is it installed?"
            );
            std::thread::yield_now();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Should the test binary end in any way, the shell sees its pipe close and takes Redis along.
fn spawn(directory: &tempfile::TempDir, settings: &[String]) -> (Child, u32) {
    let mut guard = Command::new("sh")
        .args([
            "-c",
            r#""$0" "$@" </dev/null >/dev/null 2>&1 & echo $!; cat >/dev/null; kill -9 $!"#,
            "redis-server",
        ])
        .args(["--bind", "127.0.0.1", "--dir"])
        .arg(directory.path())
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", ""])
        .args(settings)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(guard.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    (guard, pid.trim().parse().unwrap())
}

/// The URL of a fresh database on the shared server.
pub fn database() -> String {
    static SERVER: OnceLock<RedisServer> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(RedisServer::start);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    assert!(number < DATABASES, "more tests than databases");
    format!("redis://127.0.0.1:{}/{number}", server.port)
}
