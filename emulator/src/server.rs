//! Putting it together: the state, the dispatcher of webhooks, the router and its life.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::faults::Faults;
use crate::idempotency::InUse;
use crate::limits::Limiter;
use crate::requests::Requests;
use crate::state::{Settings, Stamp, State, Store, StoreError};
use crate::webhooks::{Command, Dispatcher};
use crate::{FASTEST, Options, StartError, controls, hosted, v1};

/// How long requests may go on after a stop was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// What every handler shares.
#[derive(Clone)]
pub struct App {
    pub state: State,
    pub secret_key: Arc<str>,
    pub base_url: Arc<str>,
    pub requests: Requests,
    pub faults: Faults,
    pub limiter: Limiter,
    pub keys_in_use: InUse,
    pub dispatcher: mpsc::UnboundedSender<Command>,
}

impl App {
    /// Where a person finds a request in the log.
    pub fn log_url(&self, request_id: &str) -> String {
        format!("{}/_emulator?request={request_id}", self.base_url)
    }
}

/// A running emulator. Dropping it stops it roughly; `stop` lets requests finish.
pub struct Emulator {
    address: SocketAddr,
    account_id: String,
    state: State,
    commands: mpsc::UnboundedSender<Command>,
    faults: Faults,
    stopping: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    ticker: JoinHandle<()>,
    _dispatcher: JoinHandle<()>,
}

impl Emulator {
    /// Opens the state, listens and answers. Needs a Tokio runtime.
    pub async fn start(options: Options) -> Result<Emulator, StartError> {
        let listener =
            TcpListener::bind(options.listen).await.map_err(|source| listen_error(options.listen, source))?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: options.listen, source })?;
        let (new, new_deliveries) = mpsc::unbounded_channel();
        let settings =
            Settings { base_url: url_of(address), forwards: options.webhooks, ..Settings::default() };
        let state = State::open(options.data_dir.as_deref(), settings, new)?;
        set_speed(&state, options.speed)?;
        let (commands, received) = mpsc::unbounded_channel();
        let dispatcher = Dispatcher::new(state.clone(), new_deliveries, received)
            .map_err(|error| StartError::Client(error.to_string()))?;
        let app = App {
            state: state.clone(),
            secret_key: options.secret_key.into(),
            base_url: url_of(address).into(),
            requests: Requests::default(),
            faults: Faults::default(),
            limiter: Limiter::new(options.rate_limits),
            keys_in_use: InUse::default(),
            dispatcher: commands.clone(),
        };
        let (stopping, stopped) = watch::channel(false);
        Ok(Emulator {
            address,
            account_id: state.read(Store::account_id),
            state: state.clone(),
            commands,
            faults: app.faults.clone(),
            stopping,
            server: tokio::spawn(serve(listener, router(app), stopped)),
            ticker: tokio::spawn(tick(state)),
            _dispatcher: tokio::spawn(dispatcher.run()),
        })
    }

    /// Where it listens, for example `http://127.0.0.1:12111`.
    pub fn url(&self) -> String {
        url_of(self.address)
    }

    /// The id of the account that everything here belongs to; it survives a restart.
    pub fn account_id(&self) -> String {
        self.account_id.clone()
    }

    /// Stops listening, lets running requests finish for a moment, and ends all deliveries.
    pub async fn stop(mut self) {
        let _ = self.stopping.send(true);
        self.faults.release();
        if tokio::time::timeout(GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
        let (done, stopped) = oneshot::channel();
        if self.commands.send(Command::Stop(done)).is_ok() {
            let _ = tokio::time::timeout(GRACE, stopped).await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
        self.ticker.abort();
        let (done, _) = oneshot::channel();
        let _ = self.commands.send(Command::Stop(done));
        self.state.close();
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/v1/{*path}", any(v1::handle))
        .merge(hosted::router(app.clone()))
        .merge(controls::router())
        .fallback(v1::handle)
        .layer(DefaultBodyLimit::max(1024 * 1024))
        .with_state(app)
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let until = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    // An answer must not wait for more to go along with it.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, service).with_graceful_shutdown(until).await
}

/// Lets things happen that time alone brings, also while nobody asks.
async fn tick(state: State) {
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    loop {
        every_second.tick().await;
        if let Err(error) = state.transact(Stamp::default(), |_| Ok::<_, StoreError>(())).await {
            tracing::error!(%error, "what was due could not be stored");
        }
    }
}

/// Lets the clock go as fast as was asked for; else it stays as the data directory has it.
fn set_speed(state: &State, speed: Option<i64>) -> Result<(), StartError> {
    match speed {
        None => Ok(()),
        Some(speed) if (1..=FASTEST).contains(&speed) => {
            state.set_speed(speed).map_err(|error| StartError::State(error.to_string()))
        }
        Some(speed) => Err(StartError::Speed(speed)),
    }
}

fn url_of(address: SocketAddr) -> String {
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

fn listen_error(address: SocketAddr, source: io::Error) -> StartError {
    if source.kind() == io::ErrorKind::AddrInUse {
        StartError::PortInUse { address }
    } else {
        StartError::Listen { address, source }
    }
}
