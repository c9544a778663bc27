//! Encrypted connections: an authority and certificates of the test's own, and every degree of `sslmode`.

mod server;

use std::process::Stdio;

use expect_test::{Expect, expect};
use migrator_postgres::TemporaryServer;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use server::{Encrypted, authority, certificate, good};

use crate::support::{Project, query_at};

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
          = help: the server does not accept this user from this host or with this `sslmode`: check its pg_hba.conf
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=disable",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: no pg_hba.conf entry for host "127.0.0.1", user "postgres", database "postgres", no encryption [28000]
          = help: the server does not accept this user from this host or with this `sslmode`: check its pg_hba.conf
    "#]],
    );
}

#[test]
fn a_server_of_another_authority_or_name_is_told_apart() {
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an untrusted authority
          = help: set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-ca sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an untrusted authority
          = help: set `sslrootcert` to the certificate of the server's authority (managed services publish theirs)
    "#]],
    );
    check(
        good(),
        "host=localhost user=postgres sslmode=require sslrootcert=FILES/other.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is signed by an untrusted authority
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
}

#[test]
fn a_server_with_an_expired_certificate_is_told_apart() {
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
        &expired,
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/ca.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate has expired
          = help: renew it on the server, or check this machine's clock
    "#]],
    );
    check(
        &expired,
        "host=localhost user=postgres sslmode=verify-ca sslrootcert=FILES/ca.crt",
        expect![[r#"
        exit 6
        error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate has expired
          = help: renew it on the server, or check this machine's clock
    "#]],
    );
    check(
        &expired,
        "host=localhost user=postgres sslmode=require",
        expect![[r#"
        connected
    "#]],
    );
}

#[test]
fn a_file_without_an_authority_is_named() {
    check(
        good(),
        "host=localhost user=postgres sslmode=verify-full sslrootcert=FILES/none.crt",
        expect![[r#"
        exit 6
        error: cannot read the certificate `FILES/none.crt`: the file has none
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
          = help: the server does not accept this user from this host or with this `sslmode`: check its pg_hba.conf
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
        error: the certificate `FILES/certified.crt` and the key `FILES/stranger.key` do not match: keys may not be consistent: KeyMismatch
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
        error: other users can read the private key `FILES/open.key`
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
          = help: the server has `ssl` off; migrator does not fall back to plaintext where `sslmode` demands encryption
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
            error: cannot connect to `postgresql://postgres@localhost:PORT/postgres`: the server's certificate is invalid: CaUsedAsEndEntity
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
    let sleeps =
        "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE ssl AND wait_event = 'PgSleep'";
    while query(sleeps) != "1\n" {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let output = project.finish(child);
    assert!(output.starts_with("exit 143"), "{output}");
    assert_eq!(query("SELECT count(*) FROM schema_migrations"), "3\n");
}
