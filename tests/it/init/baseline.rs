//! `init --baseline`: the schema of a database as the first migration.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use migrator_postgres::TemporaryServer;

use crate::support::{Project, major, place, query_at, server};
use crate::workspace::{Workspace, repository};

/// A database and an empty workspace.
pub(super) struct Source {
    pub(super) workspace: Workspace,
    pub(super) project: Project,
}

impl Source {
    pub(super) fn new(name: &str) -> Source {
        let manifest = b"[workspace]\nresolver = \"3\"\n".to_vec();
        Source { workspace: Workspace::of(name, &[("Cargo.toml".into(), manifest)]), project: Project::new() }
    }

    pub(super) fn init(&self, url: &str, line: &str) -> String {
        self.run(self.workspace.program(env!("CARGO_BIN_EXE_xtask")), url, line)
    }

    /// With the programs of another release in that directory.
    pub(super) fn init_with(&self, programs: &Path, url: &str, line: &str) -> String {
        let mut init = self.workspace.program(env!("CARGO_BIN_EXE_xtask"));
        init.env("PG_BIN", programs);
        self.run(init, url, line)
    }

    fn run(&self, mut init: Command, url: &str, line: &str) -> String {
        init.args(["init", "--yes", "--baseline", url]).args(line.split_whitespace()).arg("--path").arg(repository());
        let output = self.workspace.run(&mut init).replace(&place(server()), "SERVER");
        output.replace(self.project.database(), "DB")
    }

    fn baseline(&self) -> String {
        fs::read_to_string(self.workspace.path("db/migrations/001_init.sql")).unwrap()
    }

    /// What a new database is after the baseline, and the source, as facts.
    pub(super) fn facts(&self) -> (String, String) {
        let made = Project::of(&self.workspace.path("db"));
        let up = made.run(&["up"]);
        assert!(up.starts_with("exit 0"), "{up}");
        let facts = |project: &Project| {
            let said = project.run(&["drift", "--facts"]);
            let (_, facts) = said.split_once("# schema facts").unwrap_or_else(|| panic!("{said}"));
            let facts = facts.split_once("--- stderr").map_or(facts, |(facts, _)| facts);
            facts.split_once('\n').unwrap().1.to_owned()
        };
        (facts(&self.project), facts(&made))
    }
}

/// Only what is said on stderr.
pub(super) fn messages(output: &str) -> String {
    let head = output.lines().next().unwrap_or_default();
    format!("{head}\n{}", output.split_once("--- stderr\n").map_or("", |(_, messages)| messages))
}

#[test]
fn everything_that_a_schema_may_hold_comes_out_the_same() {
    let source = Source::new("baseline");
    source.project.query(include_str!("rich.sql"));
    let database = source.project.database().to_owned();
    source.project.query(&format!("ALTER DATABASE {database} SET work_mem = '5MB'"));
    expect![[r#"
        exit 0
        not in the migration: `public._sqlx_migrations`, the history of sqlx
        not in the migration: `public.flyway_schema_history`, the history of Flyway
        `CREATE USER MAPPING FOR baseline_reader SERVER elsewhere` lost its options, which may hold a password
        `db/migrations/001_init.sql` creates these roles where they are missing: baseline O'Writer, baseline_reader
        not in the migration: `work_mem`, a setting of the database (`ALTER DATABASE ... SET`)
        wrote into `<root>`: db/README.md, db/migrator.toml, db/migrations/001_init.sql, migrator/build.rs, migrator/src/main.rs, migrator/Cargo.toml, .cargo/config.toml, xtask/src/main.rs, xtask/Cargo.toml, .gitignore, Cargo.toml
        next: `cargo xtask new NAME` writes a migration, `cargo xtask up` applies it to the database `baseline_dev` on the workspace's own PostgreSQL; the first build takes minutes
    "#]].assert_eq(&messages(&source.init(&source.project.url(), "")));
    let text = source.baseline();
    assert!(!text.contains("do not write me down"), "a password");
    for absent in ["_sqlx_migrations", "flyway", "\\restrict", "search_path", "\nSET ", "OWNER TO"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    let again = source.init(&source.project.url(), "");
    assert!(again.starts_with("exit 0") && again.contains("nothing to change"), "{again}");
    let stamped = source.init(&source.project.url(), "--stamp");
    assert!(stamped.starts_with("exit 0") && stamped.contains("stamped 001_init without running it"), "{stamped}");
    let again = source.init(&source.project.url(), "--stamp");
    assert!(again.starts_with("exit 0") && again.contains("nothing to stamp"), "{again}");
    source.project.query(&format!(
        "DROP TABLE _sqlx_migrations, flyway_schema_history; ALTER DATABASE {database} RESET work_mem"
    ));
    let (there, made) = source.facts();
    assert_eq!(there, made);
    fs::write(source.workspace.path("db/migrations/001_init.sql"), text.replace("'what is sold'", "'x'")).unwrap();
    expect![[r#"
        exit 9
        left as they are: db/migrations/001_init.sql
        error: `db/migrations/001_init.sql` is not what the source gives, so it was not stamped
        help: remove `db/migrations/001_init.sql`, and run this again
    "#]]
    .assert_eq(&messages(&source.init(&source.project.url(), "--stamp")));
    fs::write(source.workspace.path("db/migrations/002_more.sql"), "-- migrate:up\n-- migrate:down\n").unwrap();
    expect![[r#"
        exit 2
        --- stderr
        error: a baseline is the first migration, and db/migrations has `002_more.sql` already
        help: `migrator stamp` records migrations as applied without running them
    "#]]
    .assert_eq(&source.init(&source.project.url(), ""));
    source.project.query("DROP PUBLICATION outbox; DROP OWNED BY baseline_reader, \"baseline O'Writer\" CASCADE");
}

#[test]
fn a_role_that_may_not_read_every_table_is_told_which() {
    let source = Source::new("baseline_rights");
    source.project.query(
        "CREATE ROLE baseline_half LOGIN; CREATE TABLE a (id int); CREATE TABLE b (id int); GRANT SELECT ON b TO baseline_half;\
         CREATE SCHEMA closed; CREATE TABLE closed.c (id int); GRANT SELECT ON closed.c TO baseline_half",
    );
    let url = source.project.url().replace("postgres@", "baseline_half@");
    expect![[r#"
        exit 9
        --- stderr
        error: `baseline_half` may not read everything in `postgresql://baseline_half@SERVER/DB`, and a schema without these tables is not the same: closed.c, public.a
        help: connect as the owner of the tables, or run `GRANT pg_read_all_data TO "baseline_half"`
    "#]].assert_eq(&source.init(&url, ""));
    assert!(!source.workspace.path("db").exists());
    source.project.query("GRANT pg_read_all_data TO baseline_half");
    if major() >= 14 {
        assert!(source.init(&url, "").starts_with("exit 0"));
    }
    source.project.query("DROP OWNED BY baseline_half; DROP ROLE baseline_half");
}

#[test]
fn a_password_reaches_pg_dump_and_no_output() {
    let source = Source::new("baseline_password");
    let server = TemporaryServer::builder().tcp().start().unwrap();
    let url = server.tcp_url("postgres").unwrap();
    query_at(&url, "CREATE TABLE t (id int)");
    let output = source.init(&url, "");
    assert!(output.starts_with("exit 0") && source.baseline().contains("CREATE TABLE public.t"), "{output}");
    assert!(!output.contains(server.password().unwrap()), "{output}");
    let output = source.init(&url.replace(server.password().unwrap(), "wrong"), "");
    assert!(output.starts_with("exit 6") && output.contains("password authentication failed"), "{output}");
}

#[test]
fn what_a_copy_would_not_have_is_named_and_nothing_is_written() {
    let source = Source::new("baseline_differs");
    source
        .project
        .query("CREATE TABLE a (id int); DROP SCHEMA public CASCADE; CREATE SCHEMA app; CREATE TABLE app.a (id int)");
    expect![[r#"
        exit 1
        --- stdout
        public
          added    comment schema public
                   + standard public schema
          added    privileges
                   + OWNER: CREATE, USAGE; PUBLIC: USAGE
          added    schema
        1 object differs: 3 added, 0 removed, 0 changed
        --- stderr
        error: what pg_dump writes of `postgresql://postgres@SERVER/DB` makes another schema on a throwaway server; nothing was written
        help: change the source so that a copy of it is the same, and run this again
    "#]].assert_eq(&source.init(&source.project.url(), ""));
    assert!(!source.workspace.path("db").exists());
    let gone = source.project.url().replace(source.project.database(), "nowhere");
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@SERVER/nowhere`: database "nowhere" does not exist [3D000]
          = help: create the database first (`createdb`, or `cargo xtask migrate create` in development)
    "#]]
    .assert_eq(&source.init(&gone, ""));
}

#[test]
fn functions_that_name_each_other_go_up() {
    let source = Source::new("baseline_circle");
    source.project.query(
        "SET check_function_bodies = off; CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT two()';\
         CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT one()'; CREATE TABLE t (a int DEFAULT one())",
    );
    let output = source.init(&source.project.url(), "");
    assert!(output.starts_with("exit 0") && output.contains("switches off `check_function_bodies`"), "{output}");
    let (there, made) = source.facts();
    assert_eq!(there, made);
}

/// A database that has this history, baselined: a new database from the baseline has the same facts.
fn has_the_same_facts(name: &str, history: &str) {
    let migrations =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/histories").join(history).join("migrations");
    if !migrations.is_dir() {
        crate::support::not_tested(&format!("the corpora are not here: the history of {history} was not baselined"));
        return;
    }
    let source = Source::new(name);
    for entry in fs::read_dir(migrations).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), source.project.db().join("migrations").join(entry.file_name())).unwrap();
    }
    source.project.file("migrator.toml", "[history]\nschema = \"ops\"\n[check]\nstart_after = \"000300\"\n");
    let up = source.project.run(&["up", "--quiet"]);
    assert!(up.starts_with("exit 0"), "{up}");
    // What was applied is the source now; its history is not the baseline's.
    source.project.query("DROP SCHEMA ops CASCADE");
    let output = source.init(&source.project.url(), "");
    assert!(output.starts_with("exit 0"), "{}", messages(&output));
    fs::remove_dir_all(source.project.db().join("migrations")).unwrap();
    fs::create_dir(source.project.db().join("migrations")).unwrap();
    source.project.remove("migrator.toml");
    let (there, made) = source.facts();
    assert!(there.lines().count() > 100);
    assert_eq!(there, made);
}

#[test]
fn the_schema_of_crates_io_comes_out_the_same() {
    has_the_same_facts("baseline_crates_io", "crates-io");
}

#[test]
fn the_schema_of_zksync_comes_out_the_same() {
    has_the_same_facts("baseline_zksync", "zksync-core");
}
