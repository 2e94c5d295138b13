//! A real redis-server that speaks TLS only, with a certificate for `localhost` from an authority of
//! its own, and one user who needs a password. Its door may stand before a cluster's nodes as well.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::redis_server::{RedisServer, free_port};

pub const USER: &str = "ada";
pub const PASSWORD: &str = "topsecret";

/// The certificates and the user, without whom nobody comes in.
pub struct Door {
    directory: tempfile::TempDir,
}

impl Door {
    /// With a certificate for these names and addresses.
    pub fn of(names: &[&str]) -> Self {
        let door = Self { directory: tempfile::tempdir().unwrap() };
        let (authority, stranger) = (authority(), authority());
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let mut certificate = CertificateParams::new(names).unwrap();
        // Nodes of a cluster check each other's with OpenSSL, for which one that has the name of its
        // authority has signed itself.
        certificate.distinguished_name.push(DnType::CommonName, "redis");
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        for (name, pem) in [
            ("ca.pem", authority.pem()),
            ("stranger.pem", stranger.pem()),
            ("redis.pem", certificate.pem()),
            ("redis.key", key.serialize_pem()),
        ] {
            std::fs::write(door.path(name), pem).unwrap();
        }
        door
    }

    /// What a server needs to listen on this port.
    pub fn settings(&self, port: u16) -> Vec<String> {
        let path = |name| self.path(name).to_string_lossy().into_owned();
        let user = ["--user", USER, "on", &format!(">{PASSWORD}"), "~*", "&*", "+@all"];
        let settings = [
            ["--port", "0"],
            ["--tls-port", &port.to_string()],
            ["--tls-cert-file", &path("redis.pem")],
            ["--tls-key-file", &path("redis.key")],
            ["--tls-ca-cert-file", &path("ca.pem")],
            ["--tls-auth-clients", "no"],
        ];
        let settings = [&settings.concat()[..], &user, &["--user", "default", "off"]].concat();
        settings.into_iter().map(str::to_owned).collect()
    }

    /// What stands before the port in a URL.
    pub fn home(&self) -> String {
        format!("rediss://{USER}:{PASSWORD}@localhost")
    }

    /// The authority that has signed the certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

pub struct RedisTls {
    server: RedisServer,
    door: Door,
}

impl RedisTls {
    pub fn start() -> Self {
        let (port, door) = (free_port(), Door::of(&["localhost"]));
        let settings = door.settings(port);
        let settings: Vec<_> = settings.iter().map(String::as_str).collect();
        let server = RedisServer::spawn(port, &settings);
        server.wait();
        Self { server, door }
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    pub fn url(&self) -> String {
        format!("{}:{}", self.door.home(), self.port())
    }

    /// The authority that has signed the certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.door.ca_file()
    }

    /// One that has not.
    pub fn another_ca_file(&self) -> PathBuf {
        self.door.path("stranger.pem")
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}
