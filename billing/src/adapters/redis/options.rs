//! Where Redis is: REDIS_URL and REDIS_CA_FILE, read and checked before anything connects. May not
//! connect itself, and neither `Debug` nor an error shows what stands before the `@`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult,
    TlsCertificates,
};

use super::ConnectError;

/// What `RedisConnection::open` takes; a text is a URL without an authority of its own.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://user:password@host:port/database`, or `rediss://` for TLS. Several, separated by
    /// commas, are nodes of one cluster; the first one's user and password are for all.
    pub url: String,
    /// A PEM file with the authorities whose certificates are taken. `None`: the public ones.
    pub ca_file: Option<PathBuf>,
}

impl<T: Into<String>> From<T> for RedisOptions {
    fn from(url: T) -> Self {
        Self { url: url.into(), ca_file: None }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions").field("url", &"(hidden)").field("ca_file", &self.ca_file).finish()
    }
}

/// The nodes of REDIS_URL, with everything that is needed to connect to them, or to another of
/// their cluster.
pub(super) struct Seeds {
    /// At least one; all with one user, password, protocol and database.
    pub nodes: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
}

impl Seeds {
    pub fn read(options: &RedisOptions) -> Result<Self, ConnectError> {
        let texts = options.url.split(',').map(str::trim).filter(|text| !text.is_empty());
        let mut nodes = texts.map(node).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = nodes.first().cloned() else {
            return Err(ConnectError::Url("it is empty".to_owned()));
        };
        for node in &mut nodes {
            *node = like(&first, node)?;
        }
        let certificates = match &options.ca_file {
            Some(path) => Some(read_authorities(path, &first)?),
            None => None,
        };
        Ok(Self { nodes, certificates })
    }

    pub fn is_tls(&self) -> bool {
        self.nodes.iter().any(is_tls)
    }

    pub fn client(&self, node: ConnectionInfo) -> RedisResult<Client> {
        match &self.certificates {
            Some(certificates) => Client::build_with_tls(node, certificates.clone()),
            None => Client::open(node),
        }
    }

    /// A client of the cluster, for the caller to add its durations.
    pub fn cluster(
        &self,
        tune: impl FnOnce(ClusterClientBuilder) -> ClusterClientBuilder,
    ) -> RedisResult<ClusterClient> {
        let builder = ClusterClientBuilder::new(self.nodes.clone()).tcp_settings(tcp());
        let builder = match &self.certificates {
            Some(certificates) => builder.certs(certificates.clone()),
            None => builder,
        };
        tune(builder).build()
    }

    /// The seeds as they are, but at another address.
    pub fn at(&self, host: String, port: u16) -> Option<ConnectionInfo> {
        let addr = match self.nodes.first()?.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        self.nodes.first().cloned().map(|node| node.set_addr(addr))
    }
}

fn node(text: &str) -> Result<ConnectionInfo, ConnectError> {
    let info = text.into_connection_info().map_err(|error| ConnectError::Url(error.to_string()))?;
    Ok(info.set_tcp_settings(tcp()))
}

/// The node, with the first one's user and password where it has none.
fn like(first: &ConnectionInfo, node: &ConnectionInfo) -> Result<ConnectionInfo, ConnectError> {
    let differ = |what| Err(ConnectError::Url(format!("its nodes differ in {what}")));
    if is_tls(first) != is_tls(node) {
        return differ("redis:// and rediss://");
    }
    let (all, own) = (first.redis_settings(), node.redis_settings());
    if own.db() != all.db() {
        return differ("the database");
    }
    let silent = own.username().is_none() && own.password().is_none();
    if !silent && login(own) != login(all) {
        return differ("user or password");
    }
    Ok(node.clone().set_redis_settings(all.clone()))
}

fn login(settings: &RedisConnectionInfo) -> (Option<&str>, Option<&str>) {
    (settings.username(), settings.password())
}

fn is_tls(node: &ConnectionInfo) -> bool {
    matches!(node.addr(), ConnectionAddr::TcpTls { .. })
}

fn read_authorities(path: &Path, first: &ConnectionInfo) -> Result<TlsCertificates, ConnectError> {
    let wrong = |reason: &str| ConnectError::CaFile(path.to_owned(), reason.to_owned());
    if !is_tls(first) {
        return Err(wrong("REDIS_URL asks for no TLS: write rediss://, or leave REDIS_CA_FILE out"));
    }
    let pem = std::fs::read(path).map_err(|error| wrong(&format!("it can't be read ({error})")))?;
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong("it has no certificate: it must be a PEM file"));
    }
    let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem) };
    match Client::build_with_tls(first.clone(), certificates.clone()) {
        Ok(_) => Ok(certificates),
        Err(error) => Err(wrong(&error.to_string())),
    }
}

/// A machine that is gone says nothing: without these a connection to it would look alive for a
/// quarter of an hour. No delay: many tasks share one connection.
fn tcp() -> TcpSettings {
    let probes = TcpKeepalive::new().with_time(Duration::from_secs(10)).with_interval(Duration::from_secs(5));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(probes);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Result<Vec<ConnectionInfo>, String> {
        Seeds::read(&url.into()).map(|seeds| seeds.nodes).map_err(|error| error.to_string())
    }

    #[test]
    fn several_nodes_share_the_first_ones_user() {
        let url = "rediss://ada:s%2Cecret@one:1, rediss://two:2,rediss://ada:s%2Cecret@three:3,";
        let nodes = nodes(url).unwrap_or_default();
        let hosts: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(hosts, ["one:1", "two:2", "three:3"]);
        assert!(nodes.iter().all(|node| login(node.redis_settings()) == (Some("ada"), Some("s,ecret"))));
    }

    #[test]
    fn nodes_that_differ_are_refused_and_no_password_is_shown() {
        for (url, names) in [
            ("redis://:topsecret@one,rediss://:topsecret@two", "rediss://"),
            ("redis://:topsecret@one,redis://:topsecret2@two", "password"),
            ("redis://:topsecret@one,redis://eve:topsecret@two", "user"),
            ("redis://:topsecret@one/0,redis://two/1", "database"),
            ("redis://:topsecret@one,two", "Redis URL"),
            ("redis://:top,secret@one", "%2C"),
            (" , ", "empty"),
        ] {
            let error = nodes(url).err().unwrap_or_default();
            assert!(error.contains(names) && error.contains("REDIS_URL"), "{url}: {error}");
            assert!(!error.contains("secret@") && !error.contains("topsecret"), "{url}: {error}");
        }
        let options = RedisOptions::from("redis://:topsecret@one");
        assert!(!format!("{options:?}").contains("topsecret"));
    }

    #[test]
    fn a_wrong_authority_names_the_variable_and_the_fix() {
        let read = |url: &str, path: &str| {
            let options = RedisOptions { url: url.to_owned(), ca_file: Some(path.into()) };
            Seeds::read(&options).err().map(|error| error.to_string()).unwrap_or_default()
        };
        for (url, path, fix) in [
            ("redis://one", "Cargo.toml", "rediss://"),
            ("rediss://one", "nowhere.pem", "can't be read"),
            ("rediss://one", "Cargo.toml", "PEM"),
        ] {
            let error = read(url, path);
            assert!(error.contains("REDIS_CA_FILE") && error.contains(fix), "{error}");
        }
    }
}
