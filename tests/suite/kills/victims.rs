//! Who is killed: `unsplit serve`, and a Redis of its own. Both are started again at once, as a
//! supervisor would. A Redis may also only hang for a while.

use std::convert::Infallible;
use std::fmt;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::process::{Child, Command};

use crate::support::{Place, RedisServer, Stripe, finished};

/// No other app's: a test beside this one may get our port while nobody listens on it.
pub const SECRET: &str = "whsec_kills";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    App,
    Redis,
    Both,
    /// Redis says nothing, closes nothing, and goes on later.
    Hung,
}

impl Victim {
    pub fn by_chance(dice: &mut StdRng) -> Self {
        [Self::App, Self::Redis, Self::Both, Self::Hung][dice.random_range(0..4)]
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::App => "the app",
            Self::Redis => "Redis",
            Self::Both => "both",
            Self::Hung => "Redis, which hangs",
        })
    }
}

pub struct Victims {
    place: Place,
    redis: RedisServer,
    stripe: String,
    app: Child,
}

impl Victims {
    /// Both, with the plans at Stripe.
    pub async fn start(stripe: &Stripe) -> Self {
        let (place, redis) = (Place::new(), RedisServer::start());
        let push = finished(command(&place, &redis, &stripe.url, &["plans", "push"])).await;
        assert!(push.status.success(), "{}", String::from_utf8_lossy(&push.stderr));
        let app = serve(&place, &redis, &stripe.url);
        Self { place, redis, stripe: stripe.url.clone(), app }
    }

    /// Where the app is reached.
    pub fn home(&self) -> String {
        self.place.home()
    }

    pub fn redis_url(&self) -> String {
        self.redis.url()
    }

    /// As `kill -9` does. Returns when they are gone.
    pub async fn kill(&mut self, victim: Victim) {
        if matches!(victim, Victim::App | Victim::Both) {
            self.app.start_kill().unwrap();
        }
        match victim {
            Victim::App => {}
            Victim::Redis | Victim::Both => self.redis.kill(),
            Victim::Hung => self.redis.freeze(),
        }
        if matches!(victim, Victim::App | Victim::Both) {
            self.app.wait().await.unwrap();
        }
    }

    /// Starts them again, and waits for neither to be ready.
    pub fn revive(&mut self, victim: Victim) {
        match victim {
            Victim::App => {}
            Victim::Redis | Victim::Both => self.redis.restart(),
            Victim::Hung => self.redis.thaw(),
        }
        if matches!(victim, Victim::App | Victim::Both) {
            self.app = serve(&self.place, &self.redis, &self.stripe);
        }
    }

    /// Does some work. Should the app end by itself in the meantime, as it does when Redis dies
    /// while it starts, it is started again.
    pub async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            never = self.supervise() => match never {},
            done = work => done,
        }
    }

    async fn supervise(&mut self) -> Infallible {
        loop {
            let ended = self.app.wait().await.unwrap();
            assert_eq!(ended.code(), Some(1), "it ends with one line, or never");
            self.app = serve(&self.place, &self.redis, &self.stripe);
        }
    }
}

fn serve(place: &Place, redis: &RedisServer, stripe: &str) -> Child {
    let mut serve = Command::from(command(place, redis, stripe, &["serve"]));
    let log = std::env::var_os("KILLS_LOG").map(|path| {
        std::process::Stdio::from(std::fs::File::options().append(true).create(true).open(path).unwrap())
    });
    serve.stdout(std::process::Stdio::null()).stderr(log.unwrap_or_else(std::process::Stdio::null));
    serve.kill_on_drop(true).spawn().unwrap()
}

fn command(place: &Place, redis: &RedisServer, stripe: &str, arguments: &[&str]) -> std::process::Command {
    let (redis, home) = (redis.url(), place.home());
    let variables = [
        ("STRIPE_SECRET_KEY", "sk_test_emulator"),
        ("STRIPE_WEBHOOK_SECRET", SECRET),
        ("STRIPE_API_BASE", stripe),
        ("REDIS_URL", &redis),
        ("PUBLIC_URL", &home),
    ];
    place.command(arguments, &variables)
}
