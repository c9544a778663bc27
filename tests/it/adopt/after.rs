//! What comes after an adoption: the other tool goes on, or we go back.

use expect_test::expect;

use super::{ends, is_adopted, migrated};
use crate::support::fingerprint;

const HISTORY: &str = "CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz); \
                       INSERT INTO gorp_migrations VALUES ('1_a.sql'), ('2_b.sql')";

const SOURCES: &[&str] = &["1_a.sql", "2_b.sql", "3_c.sql"];

#[test]
fn what_the_other_tool_applies_later_is_adopted_too_and_what_it_takes_back_is_refused() {
    let project = migrated("sql-migrate", SOURCES, HISTORY);
    ends(&project, "adopt sql-migrate", 0);
    project.query("INSERT INTO gorp_migrations VALUES ('3_c.sql')");
    assert!(ends(&project, "adopt sql-migrate", 0).contains("1 without running: 003_t3\n"));
    is_adopted(&project, "sql-migrate");
    project.query("DELETE FROM gorp_migrations WHERE id = '3_c.sql'");
    expect![[r#"
        exit 4
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the histories disagree: ours records 003_t3 as taken over, `public.gorp_migrations` does not list it
          = note: sql-migrate may have rolled it back meanwhile
          = help: if it is rolled back, delete the row `003` of `"public"."schema_migrations"`, and adopt again; otherwise apply it again with sql-migrate
    "#]].assert_eq(&project.run(&["adopt", "sql-migrate"]));
}

#[test]
fn what_we_have_rolled_back_is_not_adopted_a_second_time() {
    let project = migrated("sql-migrate", SOURCES, HISTORY);
    ends(&project, "adopt sql-migrate", 0);
    ends(&project, "down --yes", 0);
    expect![[r#"
        exit 4
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the histories disagree: `public.gorp_migrations` lists 002_t2, which was rolled back with `migrator down`
          = note: sql-migrate still counts it as applied
          = help: run `migrator up` to apply it again; if sql-migrate has applied it since, record it with `migrator stamp --to 002`
    "#]].assert_eq(&project.run(&["adopt", "sql-migrate"]));
    project.query("DROP TABLE t3");
    ends(&project, "up", 0);
    is_adopted(&project, "sql-migrate");
}

#[test]
fn a_history_of_ours_that_does_not_fit_is_refused() {
    let project = migrated("sql-migrate", SOURCES, HISTORY);
    ends(&project, "adopt sql-migrate", 0);
    project.migration("001_t1", "CREATE TABLE other (id int);", "DROP TABLE other;");
    let output = ends(&project, "adopt sql-migrate", 4);
    assert!(output.contains("history and binary diverge"), "{output}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let project = migrated("sql-migrate", SOURCES, HISTORY);
    let before = fingerprint(&project);
    expect![[r#"
        exit 0
        --- stdout
        would adopt from `public.gorp_migrations` of sql-migrate: 2 without running: 001_t1, 002_t2
        pending: 003_t3
    "#]]
    .assert_eq(&project.run(&["adopt", "sql-migrate", "--dry-run"]));
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn the_way_back_is_to_drop_our_tables() {
    let project = migrated("sql-migrate", SOURCES, HISTORY);
    let before = fingerprint(&project);
    let output = ends(&project, "adopt sql-migrate", 0);
    let (_, drop) = output.split_once("to go back: ").unwrap();
    project.query(drop.lines().next().unwrap());
    assert_eq!(fingerprint(&project), before);
}

/// Facts are of a release of PostgreSQL.
fn without_major(said: &str) -> String {
    said.replace(&format!("schema.facts.{}", crate::dump::major()), "schema.facts.MAJOR")
}

#[test]
fn a_schema_that_is_not_the_compiled_one_is_not_verified() {
    let project = migrated("sql-migrate", SOURCES, &format!("{HISTORY}, ('3_c.sql')"));
    let output = ends(&project, "adopt sql-migrate --verify", 2);
    assert!(output.contains("this binary has no schema facts"), "{output}");
    let facts = project.command(&["drift", "--facts"]).output().unwrap().stdout;
    let facts = String::from_utf8(facts).unwrap();
    let own = facts.lines().filter(|line| !line.contains("gorp_migrations")).map(|line| format!("{line}\n"));
    project.file(
        &format!("schema.facts.{}", crate::dump::major()),
        &own.collect::<String>().replacen(" at nothing", " at 003", 1),
    );
    project.query("ALTER TABLE t2 ADD COLUMN by_hand int");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the schema of database `DB` is not that of db/schema.facts.MAJOR; nothing was recorded
          = note: public.t2
                    added    column by_hand
                             + #2 integer
                  1 object differs: 1 added, 0 removed, 0 changed
          = help: bring the schema to that state, or list what may differ under `ignore` in [drift] of db/migrator.toml; without `--verify` nothing is compared
    "#]].assert_eq(&without_major(&project.run(&["adopt", "sql-migrate", "--verify"])));
    project.query("ALTER TABLE t2 DROP COLUMN by_hand");
    ends(&project, "adopt sql-migrate --verify", 0);
}

#[test]
fn a_stamp_can_be_verified_where_the_binary_knows_the_schema() {
    let project = crate::support::Project::new();
    project.tables(2);
    ends(&project, "up", 0);
    let facts = project.command(&["drift", "--facts"]).output().unwrap().stdout;
    project.file(&format!("schema.facts.{}", crate::dump::major()), &String::from_utf8(facts).unwrap());
    project.query("DROP TABLE schema_migrations, schema_migration_events; DROP TABLE t2");
    expect![[r#"
        exit 2
        --- stderr
        error: cannot verify the schema of version 1: this binary knows only that of 002
          = help: run `cargo xtask migrate stamp --to 1 --verify`, which makes that schema on a throwaway server
    "#]]
    .assert_eq(&project.run(&["stamp", "--to", "1", "--verify"]));
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the schema of database `DB` is not that of db/schema.facts.MAJOR; nothing was recorded
          = note: public.t2
                    removed  column id
                             - #1 integer
                    removed  table
                             - LOGGED
                  1 object differs: 0 added, 2 removed, 0 changed
          = help: bring the schema to that state, or list what may differ under `ignore` in [drift] of db/migrator.toml; without `--verify` nothing is compared
    "#]].assert_eq(&without_major(&project.run(&["stamp", "--all", "--verify"])));
    project.query("CREATE TABLE t2 (id int)");
    ends(&project, "stamp --to 2 --verify", 0);
}

#[test]
fn the_schema_of_an_earlier_version_is_made_on_a_scratch_database_to_verify_it() {
    let project = crate::support::Project::new();
    project.tables(3).query("CREATE TABLE t1 (id int); CREATE TABLE t2 (id int, more text)");
    let scratch = crate::support::server().url("postgres");
    let stamp = |to: &str| project.run(&["stamp", "--to", to, "--verify", "--scratch-url", &scratch]);
    expect![[r#"
        exit 8
        --- stderr
        error: the schema of database `DB` is not that of version 2; nothing was recorded
          = note: public.t2
                    added    column more
                             + #2 text
                  1 object differs: 1 added, 0 removed, 0 changed
          = help: stamp another version, bring the schema to that state, or list what may differ under `ignore` in [drift] of db/migrator.toml
    "#]].assert_eq(&stamp("2"));
    assert_eq!(project.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n");
    project.query("ALTER TABLE t2 DROP COLUMN more");
    expect![[r#"
        exit 0
        --- stdout
        stamped 2 without running: 001_t1, 002_t2
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&stamp("2"));
    expect![[r#"
        exit 0
        --- stdout
        nothing to stamp
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&stamp("2"));
    expect![[r#"
        exit 2
        --- stderr
        error: there is no migration 7 in this binary
          = help: `migrator list` shows the migrations of this binary
    "#]]
    .assert_eq(&stamp("7"));
}
