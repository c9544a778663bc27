use expect_test::{Expect, expect};

use super::{check, shown};

#[test]
fn nothing_given_is_an_error_and_not_a_guess() {
    check(
        None,
        &[],
        expect![[r#"
        exit 2
        error: no database given
          = help: set DATABASE_URL (`postgresql://user@host:5432/database`), pass --database-url, or set PGHOST and PGDATABASE
    "#]],
    );
}

#[test]
fn the_environment_fills_in_what_the_text_leaves_open() {
    check(
        Some("postgresql://db"),
        &[
            ("PGUSER", "deploy"),
            ("PGDATABASE", "crm"),
            ("PGPORT", "6432"),
            ("PGPASSWORD", "s3cret"),
            ("PGAPPNAME", "x"),
        ],
        expect![[r#"
            postgresql://deploy@db:6432/crm
            db:6432 with the password
            application_name x
        "#]],
    );
    check(
        None,
        &[("PGHOST", "/run/pg")],
        expect![[r#"
        postgresql://me@/run/pg:5432/me
    "#]],
    );
    check(
        None,
        &[("PGHOSTADDR", "10.0.0.7"), ("PGOPTIONS", "-c a=b"), ("PGCONNECT_TIMEOUT", "7")],
        expect![[r#"
        postgresql://me@10.0.0.7:5432/me
        10.0.0.7:5432 at 10.0.0.7
        options -c a=b
        connect_timeout 7s
    "#]],
    );
    check(
        None,
        &[("PGHOST", "db"), ("PGPORT", "x")],
        expect![[r#"
        exit 2
        error: the port `x` is not a number from 1 to 65535
    "#]],
    );
    check(
        None,
        &[("PGHOST", "db"), ("PGSSLMODE", "verify-full"), ("PGTARGETSESSIONATTRS", "primary")],
        expect![[r#"
        postgresql://me@db:5432/me
        session Primary
        ssl Ssl { mode: VerifyFull, roots: Some(System), client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
    // What the text says is stronger than the variable.
    check(
        Some("postgresql://db/crm?sslmode=disable"),
        &[("PGSSLMODE", "require"), ("PGHOST", "other")],
        expect![[r#"
        postgresql://me@db:5432/crm
        ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
    check(
        Some("host=db"),
        &[("PGREQUIREAUTH", "scram-sha-256")],
        expect![[r#"
            exit 2
            error: `require_auth` is not supported
              = help: remove it; the connection then lacks that protection
        "#]],
    );
}

/// A home directory with libpq's files.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::TempDir::new().unwrap())
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn check(&self, text: Option<&str>, pairs: &[(&str, &str)], expected: Expect) {
        let home = self.0.path().to_str().unwrap();
        let pairs: Vec<_> = pairs.iter().copied().chain([("HOME", home), ("PGSYSCONFDIR", "/nowhere")]).collect();
        expected.assert_eq(&shown(text, &pairs).replace(home, "~"));
    }
}

#[test]
fn password_files_are_read_as_libpq_reads_them() {
    let home = Home::new();
    home.write(".pgpass", "# a comment\ndb:5432:crm:me:s3cret\nlocalhost:*:*:*:other\n", 0o600);
    home.check(
        Some("host=db dbname=crm"),
        &[],
        expect![[r#"
        postgresql://me@db:5432/crm
        db:5432 with the password
    "#]],
    );
    home.check(
        Some("host=db,other dbname=crm"),
        &[],
        expect![[r#"
        postgresql://me@db:5432,other:5432/crm
        db:5432 with the password
    "#]],
    );
    home.check(
        Some("host=/var/run/postgresql"),
        &[],
        expect![[r#"
        postgresql://me@/var/run/postgresql:5432/me
        /var/run/postgresql:5432 with another password
    "#]],
    );
    home.check(
        Some("host=db dbname=crm password=mine"),
        &[],
        expect![[r#"
        postgresql://me@db:5432/crm
        db:5432 with another password
    "#]],
    );
    let open = home.write("open.pgpass", "*:*:*:*:s3cret\n", 0o644);
    home.check(
        Some("host=db"),
        &[("PGPASSFILE", &open)],
        expect![[r#"
            postgresql://me@db:5432/me
            warning ignoring the password file `~/open.pgpass`: other users can read it; `chmod 600` it
        "#]],
    );
}

#[test]
fn service_files_are_read_as_libpq_reads_them() {
    let home = Home::new();
    let services = "# services\n[other]\nhost=wrong\n\n[crm]\nhost=db\nport=6432\nuser=deploy\npassword=s3cret\nsslmode=disable\n[next]\nhost=no\n";
    home.write(".pg_service.conf", services, 0o644);
    home.check(
        None,
        &[("PGSERVICE", "crm")],
        expect![[r#"
        postgresql://deploy@db:6432/deploy
        db:6432 with the password
        ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
    home.check(
        Some("service=crm port=7000"),
        &[("PGUSER", "ignored"), ("PGDATABASE", "from_env")],
        expect![[r#"
        postgresql://deploy@db:7000/from_env
        db:7000 with the password
        ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
    home.check(
        Some("postgresql:///app?service=crm"),
        &[],
        expect![[r#"
        postgresql://deploy@db:6432/app
        db:6432 with the password
        ssl Ssl { mode: Disable, roots: None, client: None, direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
    home.check(
        None,
        &[("PGSERVICE", "missing")],
        expect![[r#"
        exit 2
        error: the service `missing` is not defined in `~/.pg_service.conf` or `/nowhere/pg_service.conf`
    "#]],
    );
    let broken = home.write("broken.conf", "[crm]\nhost=db\nnonsense\n", 0o644);
    home.check(
        None,
        &[("PGSERVICE", "crm"), ("PGSERVICEFILE", &broken)],
        expect![[r#"
        exit 2
        error: `~/broken.conf`:3: not a `key=value` line
    "#]],
    );
    let unknown = home.write("unknown.conf", "[crm]\nhots=db\n", 0o644);
    home.check(
        None,
        &[("PGSERVICE", "crm"), ("PGSERVICEFILE", &unknown)],
        expect![[r#"
            exit 2
            error: the service `crm` has a parameter that libpq does not know
              = help: did you mean `host`?
        "#]],
    );
    home.check(
        None,
        &[("PGSERVICE", "crm"), ("PGSERVICEFILE", "/nowhere/at/all")],
        expect![[r#"
        exit 2
        error: cannot read the service file `/nowhere/at/all`: No such file or directory (os error 2)
    "#]],
    );
}

#[test]
fn certificates_in_the_home_directory_are_used() {
    let home = Home::new();
    std::fs::create_dir(home.0.path().join(".postgresql")).unwrap();
    for name in ["root.crt", "postgresql.crt", "postgresql.key"] {
        home.write(&format!(".postgresql/{name}"), "", 0o600);
    }
    home.check(
        Some("host=db sslmode=require"),
        &[],
        expect![[r#"
        postgresql://me@db:5432/me
        ssl Ssl { mode: Require, roots: Some(File("~/.postgresql/root.crt")), client: Some(("~/.postgresql/postgresql.crt", "~/.postgresql/postgresql.key")), direct: false, only_1_3: false, only_1_2: false, channel_binding: Prefer }
    "#]],
    );
}
