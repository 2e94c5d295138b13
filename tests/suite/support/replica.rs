//! One process more of an app: the same Redis, Stripe and people, on an address of its own.

use tokio::net::TcpListener;
use unsplit::server::run::{Tuning, read_catalog};

use super::app::{Running, serve};
use super::{App, Browser};

/// Stops when it is dropped.
pub struct Replica {
    url: String,
    _running: Running,
}

impl Replica {
    pub async fn of(app: &App, tuning: Tuning) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (running, ..) = serve(listener, &app.config, read_catalog().unwrap(), tuning).await;
        Self { url, _running: running }
    }

    /// The same browser, which a balancer has sent here.
    pub fn window_of(&self, browser: &Browser) -> Browser {
        browser.window_at(&self.url)
    }
}
