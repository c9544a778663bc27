//! Encrypted connections: an authority and certificates of the test's own, and every degree of `sslmode`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use expect_test::{Expect, expect};
use migrator_postgres::TemporaryServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::support::{Project, query_at};

/// A server with TLS, and what a client needs.
struct Encrypted {
    server: TemporaryServer,
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

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key for names, in PEM.
fn certificate(
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
    fn start(
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

    fn administer(&self, sql: &str) {
        query_at(&self.server.url("postgres"), sql);
    }

    /// Of all roles: anyone on this machine could come with one that is written here.
    fn password(&self) -> &str {
        self.server.password().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// `status` over a connection string to this server; `FILES` is the directory of the certificates.
    fn status(&self, text: &str) -> String {
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
fn good() -> &'static Encrypted {
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

/// The first line of an error, or `connected`.
#[track_caller]
fn check(server: &Encrypted, text: &str, expected: Expect) {
    let output = server.status(text);
    let shown =
        if output.starts_with("exit 0") { "connected\n".to_owned() } else { output.replace("--- stderr\n", "") };
    expected.assert_eq(&shown);
}

#[test]
fn the_right_server_is_let_in_by_every_mode_that_encrypts() {
    for text in [
        "host=localhost sslmode=prefer",
        "host=localhost sslmode=allow",
        "host=localhost sslmode=require",
        "host=localhost sslmode=verify-ca sslrootcert=FILES/ca.crt",
        "host=localhost sslmode=verify-full sslrootcert=FILES/ca.crt",
        "host=127.0.0.1 sslmode=verify-full sslrootcert=FILES/ca.crt",
        "hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=FILES/ca.crt",
        "host=localhost hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=FILES/ca.crt",
        "host=localhost sslmode=verify-full sslrootcert=FILES/ca.crt ssl_max_protocol_version=TLSv1.2",
        "host=localhost sslmode=verify-full sslrootcert=FILES/ca.crt ssl_min_protocol_version=TLSv1.3",
        "host=localhost user=bound sslmode=verify-full sslrootcert=FILES/ca.crt channel_binding=require",
        "host=localhost user=certified sslmode=verify-full sslrootcert=FILES/ca.crt sslcert=FILES/certified.crt sslkey=FILES/certified.key",
    ] {
        let text = if text.contains("user=") { text.to_owned() } else { format!("{text} user=postgres") };
        let output = good().status(&text);
        assert!(output.starts_with("exit 0"), "{text}: {output}");
    }
}

#[test]
fn plaintext_is_what_remains_only_where_it_may() {
    for text in ["sslmode=prefer", "sslmode=allow", "sslmode=disable"] {
        let output = good().status(&format!("host=localhost user=plain {text}"));
        assert!(output.starts_with("exit 0"), "{text}: {output}");
    }
    check(
        good(),
        "host=localhost user=plain sslmode=require",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://plain@localhost:PORT/postgres`: no pg_hba.conf entry for host "127.0.0.1", user "plain", database "postgres", SSL encryption [28000]
          = help: the server does not let this user in from here, or not this way: look at its pg_hba.conf, and at `sslmode`
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=disable",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: no pg_hba.conf entry for host "127.0.0.1", user "postgres", database "postgres", no encryption [28000]
          = help: the server does not let this user in from here, or not this way: look at its pg_hba.conf, and at `sslmode`
    "#]],
    );
}

#[test]
fn the_wrong_server_is_told_apart() {
    let stale = authority("stale");
    let expired = Encrypted::start(
        &certificate(&stale, &["localhost"], |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }),
        &[("ca.crt", stale.pem())],
        &[],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an authority that is not trusted
          = help: set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-ca sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an authority that is not trusted
          = help: set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=require sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an authority that is not trusted
          = help: set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)
    "#]],
    );
    check(
        good(),
        "host=db.example hostaddr=127.0.0.1 user=postgres sslmode=verify-full sslrootcert=FILES/ca.crt",
        expect![[r#"
            exit 6
            error: cannot connect to `postgresql://postgres@db.example:PORT/postgres`: the server's certificate is for localhost, 127.0.0.1, not for `db.example`
              = help: connect by a name that is in the certificate, or use `sslmode=verify-ca`
        "#]],
    );
    check(
        good(),
        "host=db.example hostaddr=127.0.0.1 user=postgres sslmode=verify-ca sslrootcert=FILES/ca.crt",
        expect![[r#"
            connected
        "#]],
    );
    check(
        &expired,
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/ca.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate has expired
          = help: renew it on the server; look at this machine's clock
    "#]],
    );
    check(
        &expired,
        "host=localhost user=postgres sslmode=verify-ca sslrootcert=FILES/ca.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate has expired
          = help: renew it on the server; look at this machine's clock
    "#]],
    );
    check(
        &expired,
        "host=localhost user=postgres sslmode=require",
        expect![[r#"
        connected
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/none.crt",
        expect![[r#"
        exit 6
        error: cannot read the certificate `FILES/none.crt`: there is none in it
          = help: files are in PEM format; a key must not be encrypted: `openssl pkey -in key.pem -out plain.pem`
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/missing.crt",
        expect![[r#"
        exit 6
        error: cannot read the certificate `FILES/missing.crt`: I/O error: No such file or directory (os error 2)
          = help: files are in PEM format; a key must not be encrypted: `openssl pkey -in key.pem -out plain.pem`
    "#]],
    );
}

#[test]
fn a_client_without_the_right_certificate_is_told_so() {
    let user = "host=localhost user=certified sslmode=require";
    check(
        good(),
        user,
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://certified@localhost:PORT/postgres`: connection requires a valid client certificate [28000]
          = help: the server does not let this user in from here, or not this way: look at its pg_hba.conf, and at `sslmode`
    "#]],
    );
    check(
        good(),
        &format!("{user} sslcert=FILES/stranger.crt sslkey=FILES/stranger.key"),
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://certified@localhost:PORT/postgres`: the server refused the client's certificate: UnknownCA
          = help: set `sslcert` and `sslkey` to a certificate that the server's authority has signed, and its key
    "#]],
    );
    check(
        good(),
        &format!("{user} sslcert=FILES/certified.crt sslkey=FILES/stranger.key"),
        expect![[r#"
        exit 6
        error: the certificate `FILES/certified.crt` and the key `FILES/stranger.key` do not go together: keys may not be consistent: KeyMismatch
    "#]],
    );
    std::fs::copy(good().path("certified.key"), good().path("open.key")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(good().path("open.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    check(
        good(),
        &format!("{user} sslcert=FILES/certified.crt sslkey=FILES/open.key"),
        expect![[r#"
        exit 6
        error: the private key `FILES/open.key` can be read by others
          = help: `chmod 600` it
    "#]],
    );
}

#[test]
fn a_server_without_tls_is_not_spoken_to_in_plaintext_instead() {
    let server = TemporaryServer::builder().tcp().start().unwrap();
    let project = Project::without_database();
    let url = format!("{}?sslmode=require", server.tcp_url("postgres").unwrap());
    let output = project.run_with(&["status"], &[("DATABASE_URL", &url)]);
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@127.0.0.1:PORT/postgres`: server does not support TLS
          = help: the server has `ssl` off; a connection that nobody can listen to is not made in plaintext instead
    "#]]
    .assert_eq(&output.replace(&server.port().to_string(), "PORT"));
}

#[test]
fn a_self_signed_certificate_is_trusted_if_it_is_in_the_file() {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    // What `openssl req -x509` makes.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    let server = Encrypted::start(&(own.clone(), key.serialize_pem()), &[("ca.crt", own)], &[]);
    check(
        &server,
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/ca.crt",
        expect![[r#"
        connected
    "#]],
    );
    check(
        &server,
        "host=127.0.0.1 user=postgres sslmode=verify-full sslrootcert=FILES/ca.crt",
        expect![[r#"
            exit 6
            error: cannot connect to `postgresql://postgres@127.0.0.1:PORT/postgres`: the server's certificate is for localhost, not for `127.0.0.1`
              = help: connect by a name that is in the certificate, or use `sslmode=verify-ca`
        "#]],
    );
    check(
        &server,
        "host=127.0.0.1 user=postgres sslmode=verify-ca sslrootcert=FILES/ca.crt",
        expect![[r#"
        connected
    "#]],
    );
    check(
        &server,
        "host=localhost user=postgres sslrootcert=system",
        expect![[r#"
            exit 6
            error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is not acceptable: CaUsedAsEndEntity
              = help: if it is self-signed, set `sslrootcert` to a file with the certificate itself
        "#]],
    );
}

#[test]
fn migrations_run_and_are_cancelled_over_tls() {
    let project = Project::without_database();
    project.tables(3).migration("004_slow", "SELECT pg_sleep(60);", "");
    good().administer("CREATE DATABASE encrypted");
    let text = format!(
        "host=localhost port={} dbname=encrypted user=postgres password={} sslmode=verify-full sslrootcert={}",
        good().server.port(),
        good().password(),
        good().path("ca.crt").display()
    );
    let mut command = project.command(&["up"]);
    let child = command.env("DATABASE_URL", text).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let query = |sql: &str| query_at(&good().server.url("encrypted"), sql);
    let sleeps = "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE ssl AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()";
    while query(sleeps) != "1\n" {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = project.finish(child);
    assert!(output.starts_with("exit 143"), "{output}");
    assert_eq!(query("SELECT count(*) FROM schema_migrations"), "3\n");
}
