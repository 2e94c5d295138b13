//! Between a store and a real Redis, as a newer one that answers before what it has is on disk: it
//! knows WAITAOF, and the test says what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

pub struct Proxy {
    pub url: String,
    pub asked: Arc<Semaphore>,
    /// A permit for each answer to WAITAOF.
    pub answers: Arc<Semaphore>,
    /// How many disks have it.
    pub disks: Arc<AtomicU64>,
    pub waits: Arc<AtomicUsize>,
}

impl Proxy {
    /// `fsync` is what CONFIG says of appendfsync; `None` where it may not be asked.
    pub async fn start(redis: &str, fsync: Option<&'static str>) -> Self {
        let address = redis.trim_start_matches("redis://").split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("redis://{}/0", listener.local_addr().unwrap()),
            asked: Arc::new(Semaphore::new(0)),
            answers: Arc::new(Semaphore::new(0)),
            disks: Arc::new(AtomicU64::new(1)),
            waits: Arc::new(AtomicUsize::new(0)),
        };
        let (asked, answers) = (proxy.asked.clone(), proxy.answers.clone());
        let (disks, waits) = (proxy.disks.clone(), proxy.waits.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.unwrap();
                let link = Link {
                    client: BufReader::new(client),
                    server: BufReader::new(server),
                    asked: asked.clone(),
                    answers: answers.clone(),
                    disks: disks.clone(),
                    waits: waits.clone(),
                    fsync,
                };
                tokio::spawn(link.run());
            }
        });
        proxy
    }
}

struct Link {
    client: BufReader<TcpStream>,
    server: BufReader<TcpStream>,
    asked: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    disks: Arc<AtomicU64>,
    waits: Arc<AtomicUsize>,
    fsync: Option<&'static str>,
}

impl Link {
    /// One command after the other, until either side closes.
    async fn run(mut self) {
        while let Some(command) = value(&mut self.client).await {
            let text = String::from_utf8_lossy(&command).to_uppercase();
            let answer = if text.contains("\r\nWAITAOF\r\n") {
                self.waits.fetch_add(1, Ordering::SeqCst);
                self.asked.add_permits(1);
                self.answers.acquire().await.unwrap().forget();
                format!("*2\r\n:{}\r\n:0\r\n", self.disks.load(Ordering::SeqCst)).into_bytes()
            } else if text.contains("\r\nAPPENDFSYNC\r\n") {
                match self.fsync {
                    Some(fsync) => {
                        format!("*2\r\n$11\r\nappendfsync\r\n${}\r\n{fsync}\r\n", fsync.len()).into_bytes()
                    }
                    None => b"-NOPERM this user may not\r\n".to_vec(),
                }
            } else {
                self.server.get_mut().write_all(&command).await.unwrap();
                let Some(answer) = value(&mut self.server).await else { return };
                newer(answer)
            };
            if self.client.get_mut().write_all(&answer).await.is_err() {
                return;
            }
        }
    }
}

/// INFO's text has as many bytes as before.
fn newer(answer: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(answer) {
        Ok(text) if text.contains("redis_version:7.0.15") => {
            text.replace("redis_version:7.0.15", "redis_version:7.4.15").into_bytes()
        }
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

/// One value of the protocol, to the letter; `None` at the end.
async fn value(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut read, mut missing) = (Vec::new(), 1);
    while missing > 0 {
        missing -= 1;
        let start = read.len();
        if from.read_until(b'\n', &mut read).await.ok()? == 0 {
            return None;
        }
        let number = || String::from_utf8_lossy(&read[start + 1..]).trim().parse::<i64>().unwrap_or(0);
        match read[start] {
            b'*' | b'~' | b'>' => missing += number().max(0),
            b'%' => missing += 2 * number().max(0),
            b'$' | b'=' if number() >= 0 => {
                let mut text = vec![0; usize::try_from(number()).unwrap() + 2];
                from.read_exact(&mut text).await.ok()?;
                read.extend(text);
            }
            _ => {}
        }
    }
    Some(read)
}
