//! Servers with TLS, and the authorities and certificates that they need.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use migrator_postgres::TemporaryServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::{Project, query_at};

/// A server with TLS, and what a client needs.
pub(super) struct Encrypted {
    pub(super) server: TemporaryServer,
    files: TempDir,
}

/// `certified` must show a certificate, the others know a password; `plain` may only come in plaintext, `bound` and `postgres` only
/// encrypted.
const HBA: &str = "\
local     all      postgres   trust
hostssl   all      certified  all  cert
hostnossl all      plain      all  scram-sha-256
hostssl   all      bound      all  scram-sha-256
hostssl   all      postgres   all  scram-sha-256
";

pub(super) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key for names, in PEM.
pub(super) fn certificate(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, names[0].clone());
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

impl Encrypted {
    pub(super) fn start(
        server: &(String, String),
        authorities: &[(&str, String)],
        clients: &[(&str, (String, String))],
    ) -> Encrypted {
        let files = TempDir::new().unwrap();
        for (name, pem) in authorities {
            std::fs::write(files.path().join(name), pem).unwrap();
        }
        for (name, (certificate, key)) in clients {
            std::fs::write(files.path().join(format!("{name}.crt")), certificate).unwrap();
            private(&files.path().join(format!("{name}.key")), key);
        }
        let server = TemporaryServer::builder()
            .tcp()
            .setting("ssl", "on")
            .setting("ssl_cert_file", "server.crt")
            .setting("ssl_key_file", "server.key")
            .setting("ssl_ca_file", "ca.crt")
            .file("server.crt", &server.0)
            .file("server.key", &server.1)
            .file("ca.crt", &authorities[0].1)
            .file("pg_hba.conf", HBA)
            .start()
            .unwrap_or_else(|error| panic!("no PostgreSQL to test against: {error:#}"));
        let encrypted = Encrypted { server, files };
        for role in ["certified", "plain", "bound"] {
            encrypted.administer(&format!("CREATE ROLE {role} SUPERUSER LOGIN PASSWORD '{}'", encrypted.password()));
        }
        encrypted
    }

    pub(super) fn administer(&self, sql: &str) {
        query_at(&self.server.url("postgres"), sql);
    }

    /// Of all roles: anyone on this machine could come with one that is written here.
    pub(super) fn password(&self) -> &str {
        self.server.password().unwrap()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// `status` over a connection string to this server; `FILES` is the directory of the certificates.
    pub(super) fn status(&self, text: &str) -> String {
        let project = Project::without_database();
        project.tables(1);
        let files = self.files.path().to_str().unwrap();
        let text = text.replace("FILES", files);
        let (port, password) = (self.server.port(), self.password());
        let text = format!("{text} port={port} password={password} dbname=postgres connect_timeout=5");
        let output = project.run_with(&["status"], &[("DATABASE_URL", &text), ("HOME", files)]);
        assert!(!output.contains(password), "{output}");
        output.replace(files, "FILES").replace(&self.server.port().to_string(), "PORT")
    }
}

fn private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A server that is called `localhost` and `127.0.0.1`.
pub(super) fn good() -> &'static Encrypted {
    static SERVER: OnceLock<Encrypted> = OnceLock::new();
    SERVER.get_or_init(|| {
        let (ours, other) = (authority("ours"), authority("other"));
        Encrypted::start(
            &certificate(&ours, &["localhost", "127.0.0.1"], |_| {}),
            &[("ca.crt", ours.pem()), ("other.crt", other.pem()), ("none.crt", String::new())],
            &[
                ("certified", certificate(&ours, &["certified"], |_| {})),
                ("stranger", certificate(&other, &["certified"], |_| {})),
            ],
        )
    })
}
