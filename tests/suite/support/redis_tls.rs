//! A real redis-server that speaks TLS only, with a certificate for `localhost` from an authority of
//! its own, and one user who needs a password.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::redis_server::{RedisServer, free_port};

pub const USER: &str = "ada";
pub const PASSWORD: &str = "topsecret";

pub struct RedisTls {
    server: RedisServer,
    directory: tempfile::TempDir,
}

impl RedisTls {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
        let (authority, stranger) = (authority(), authority());
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        for (name, pem) in [
            ("ca.pem", authority.pem()),
            ("stranger.pem", stranger.pem()),
            ("redis.pem", certificate.pem()),
            ("redis.key", key.serialize_pem()),
        ] {
            std::fs::write(path(name), pem).unwrap();
        }
        let port = free_port();
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
        let server = RedisServer::spawn(port, &settings);
        server.wait();
        Self { server, directory }
    }

    pub fn port(&self) -> u16 {
        self.server.port()
    }

    pub fn url(&self) -> String {
        format!("rediss://{USER}:{PASSWORD}@localhost:{}", self.port())
    }

    /// The authority that has signed the certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// One that has not.
    pub fn another_ca_file(&self) -> PathBuf {
        self.directory.path().join("stranger.pem")
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}
