//! `init --baseline` where the source, pg_dump and the throwaway server are not all of one release.

use std::path::PathBuf;

use expect_test::expect;

use super::baseline::{Source, messages};
use crate::support::{major, not_tested, query_at};

/// What only some releases have, and each of them writes in its own way.
const SINCE_15: &str = "CREATE SCHEMA sold;
CREATE TABLE sold.orders (id bigint PRIMARY KEY, state text NOT NULL, note text COMPRESSION lz4);
CREATE TABLE sold.lines (id bigint PRIMARY KEY, parent bigint REFERENCES sold.orders, UNIQUE NULLS NOT DISTINCT (parent));
CREATE VIEW sold.paid WITH (security_invoker = true) AS
    SELECT o.id, count(*) AS lines FROM sold.orders o JOIN sold.lines l ON l.parent = o.id WHERE o.state <> 'new' GROUP BY o.id;
CREATE STATISTICS sold.lengths ON (length(note)), state FROM sold.orders;
CREATE PUBLICATION releases_columns FOR TABLE sold.orders (id, state) WHERE (id > 0);
CREATE PUBLICATION releases_schema FOR TABLES IN SCHEMA sold;";

/// The programs of a release newer than that of the shared server: `MIGRATOR_TEST_OTHER_BIN` names them.
fn newer() -> Option<PathBuf> {
    if major() < 15 {
        not_tested("baselines of what came with PostgreSQL 15: the server is older");
        return None;
    }
    let newer = std::env::var_os("MIGRATOR_TEST_OTHER_BIN").map(PathBuf::from);
    if newer.is_none() {
        not_tested(
            "baselines across releases: MIGRATOR_TEST_OTHER_BIN does not name the programs of a newer PostgreSQL",
        );
    }
    newer
}

#[test]
fn what_came_with_postgresql_15_comes_out_the_same() {
    if major() < 15 {
        not_tested("baselines of what came with PostgreSQL 15: the server is older");
        return;
    }
    let source = Source::new("baseline_since_15");
    source.project.query(SINCE_15);
    let output = messages(&source.init(&source.project.url(), ""));
    assert!(output.starts_with("exit 0") && !output.contains("compared with the dump"), "{output}");
    let (there, made) = source.facts();
    assert_eq!(there, made);
    for fact in ["COMPRESSION lz4", "releases_columns", "releases_schema", "lengths", "security_invoker"] {
        assert!(made.contains(fact), "{fact}: {made}");
    }
}

#[test]
fn a_source_of_an_older_release_is_compared_with_its_dump() {
    let Some(newer) = newer() else { return };
    let source = Source::new("baseline_older_source");
    source.project.query(SINCE_15);
    let output = messages(&source.init_with(&newer, &source.project.url(), ""));
    let comparison = "exit 0\ncompared with the dump as it is, on PostgreSQL X the source is PostgreSQL X\n";
    assert!(output.starts_with(comparison), "{output}");
    // What the newer pg_dump writes goes up on the older server too, and gives what is there.
    let (there, made) = source.facts();
    assert_eq!(there, made);
}

#[test]
fn a_source_of_a_newer_release_than_pg_dump_is_refused() {
    let Some(newer) = newer() else { return };
    let source = Source::new("baseline_newer_source");
    let mut start = source.workspace.program(env!("CARGO_BIN_EXE_xtask"));
    let started = source.workspace.run(start.args(["db", "start"]).env("PG_BIN", newer));
    assert!(started.starts_with("exit 0"), "{started}");
    let mut url = source.workspace.program(env!("CARGO_BIN_EXE_xtask"));
    let url = String::from_utf8(url.args(["db", "url"]).output().unwrap().stdout).unwrap();
    let url = url.replace("/baseline_newer_source_dev", "/postgres");
    let there: u32 =
        query_at(url.trim(), "SELECT current_setting('server_version_num')::int / 10000").trim().parse().unwrap();
    let here = major();
    assert!(there > here, "MIGRATOR_TEST_OTHER_BIN is PostgreSQL {there}, and the shared server {here}");
    expect![[r#"
        exit 9
        --- stderr
        error: the server is PostgreSQL X and the newest `pg_dump` here is of PostgreSQL X which does not read it
        help: install PostgreSQL X or set PG_BIN to the directory of its programs
    "#]]
    .assert_eq(&source.init(url.trim(), ""));
    assert!(!source.workspace.path("db").exists());
}
