//! `GET /api/live`, read event by event as a browser's script does.

use std::time::Duration;

use reqwest::header::{ACCEPT, COOKIE};
use reqwest::{Client, Response};

use super::Browser;

/// Longer than anything takes that does come.
const WHILE: Duration = Duration::from_secs(30);

pub struct Stream {
    answer: Response,
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    Event(String, String),
    /// That it is still there.
    Comment,
}

impl Stream {
    pub async fn open(browser: &Browser) -> Self {
        let answer = Self::ask(browser).await;
        assert_eq!(answer.status(), 200);
        Self { answer, text: String::new() }
    }

    /// The answer, whatever it is.
    pub async fn ask(browser: &Browser) -> Response {
        Self::request(browser, "/api/live", "text/event-stream", "gzip").await
    }

    /// A page as the script loads it again.
    pub async fn load(browser: &Browser, path: &str) -> String {
        Self::request(browser, path, "*/*", "identity").await.text().await.unwrap()
    }

    async fn request(browser: &Browser, path: &str, accept: &str, encoding: &str) -> Response {
        // Each has a connection of its own, as a stream has.
        let client = Client::new();
        let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client.get(format!("{}{path}", browser.home())).header(ACCEPT, accept);
        let request = request.header("accept-encoding", encoding).header("sec-fetch-site", "same-origin");
        within("an answer", request.header(COOKIE, cookies.join("; ")).send()).await.unwrap()
    }

    /// What it says next; `None` where it has ended.
    pub async fn next(&mut self) -> Option<Said> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let said = read(block);
                self.text = rest.to_owned();
                return Some(said);
            }
            let chunk = within("the stream says something", self.answer.chunk()).await.unwrap()?;
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next version.
    pub async fn version(&mut self) -> String {
        loop {
            match self.next().await {
                Some(Said::Event(name, version)) if name == "version" => return version,
                Some(Said::Comment) => {}
                other => panic!("{other:?} instead of a version"),
            }
        }
    }

    /// Waits until it has looked and seen nothing.
    pub async fn still_there(&mut self) {
        assert_eq!(self.next().await, Some(Said::Comment));
    }

    /// It says nothing more but that the log-in has ended.
    pub async fn ended(&mut self) {
        loop {
            match self.next().await {
                Some(Said::Event(name, _)) if name == "ended" => break,
                Some(Said::Comment) => {}
                other => panic!("{other:?} instead of the end"),
            }
        }
        assert_eq!(self.next().await, None);
    }
}

async fn within<T>(what: &str, waited: impl Future<Output = T>) -> T {
    tokio::time::timeout(WHILE, waited).await.unwrap_or_else(|_| panic!("never: {what}"))
}

fn read(block: &str) -> Said {
    let field = |name: &str| {
        let lines = block.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(field, _)| *field == name).map(|(_, value)| value.trim().to_owned());
        values.next()
    };
    field("event").map_or(Said::Comment, |event| {
        Said::Event(event, field("data").filter(|data| !data.is_empty()).unwrap())
    })
}
