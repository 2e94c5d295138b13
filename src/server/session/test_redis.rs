//! A real Redis for a test of this crate's inside: a port and a directory of its own, gone with
//! the value. Tests through HTTP have their own in tests/.
#![expect(clippy::unwrap_used)]

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use unsplit_billing::adapters::redis::RedisConnection;

pub(in crate::server) struct TestRedis {
    pub connection: RedisConnection,
    server: Child,
    directory: TempDir,
    port: u16,
}

impl TestRedis {
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let server = spawn(&directory, port);
        let connection = connect(port).await;
        Self { connection, server, directory, port }
    }

    pub fn stop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.server = spawn(&self.directory, self.port);
        connect(self.port).await;
    }
}

fn spawn(directory: &TempDir, port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

async fn connect(port: u16) -> RedisConnection {
    for _ in 0..100 {
        if let Ok(connection) = RedisConnection::open(&format!("redis://127.0.0.1:{port}/")).await {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("redis-server did not start on port {port}");
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
