//! A directory of its own in which the built program runs, on ports of its own.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use super::{eventually, free_port};

const UNSPLIT: &str = env!("CARGO_BIN_EXE_unsplit");

fn free_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}

/// A directory to run in, with nothing of the developer's own environment.
pub struct Place {
    directory: tempfile::TempDir,
    pub site: SocketAddr,
    pub redis: SocketAddr,
    pub emulator: SocketAddr,
}

impl Place {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in ["plans.toml", "Leptos.toml"] {
            std::fs::copy(file, directory.path().join(file)).unwrap();
        }
        Self { directory, site: free_address(), redis: free_address(), emulator: free_address() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where the app is reached.
    pub fn home(&self) -> String {
        format!("http://{}", self.site)
    }

    pub fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(UNSPLIT);
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap()).env("LEPTOS_SITE_ADDR", self.site.to_string());
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command
    }

    pub fn dev(&self) -> Command {
        let (redis, emulator) = (self.redis.port().to_string(), self.emulator.to_string());
        let arguments = ["dev", "--data-dir", ".data", "--redis-port", &redis, "--emulator", &emulator];
        self.command(&arguments, &[])
    }

    /// `unsplit dev`, up and answering.
    pub async fn running(&self) -> Running {
        self.answering(self.dev()).await
    }

    /// The command, up and answering.
    pub async fn answering(&self, command: Command) -> Running {
        self.answering_and_logging(command, Stdio::null()).await
    }

    /// The same, with its log.
    pub async fn answering_and_logging(&self, mut command: Command, log: Stdio) -> Running {
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut running = Running { child };
        let ready = format!("{}/readyz", self.home());
        eventually("it answers", async || {
            assert_eq!(running.child.try_wait().unwrap(), None, "it ended at once");
            let answer = reqwest::get(&ready).await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        running
    }

    pub async fn nothing_listens(&self) {
        for address in [self.site, self.redis, self.emulator] {
            let what = format!("nobody listens on {address}");
            eventually(&what, async || TcpStream::connect(address).is_err().then_some(())).await;
        }
    }
}

/// A process that does not outlive its test.
pub struct Running {
    child: Child,
}

impl Running {
    /// Sends a signal, and waits until it has ended.
    pub fn signal(&mut self, signal: &str) -> ExitStatus {
        self.tell(signal);
        self.ended()
    }

    /// Sends a signal, and waits for nothing.
    pub fn tell(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs to its end.
pub async fn finished(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}
