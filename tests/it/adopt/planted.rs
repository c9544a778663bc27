//! A table that another user has planted, one that may not be read, and text in it that is not meant for a terminal.

use expect_test::expect;

use super::{ends, migrated};
use crate::support::{Other, Project};

const TABLE: &str = "CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz)";

/// What is said where the table is made by `sql`.
#[track_caller]
fn is_refused(sql: &str, code: u8, expected: &str) {
    let project = migrated("sql-migrate", &["1_a.sql"], sql);
    for line in ["adopt sql-migrate", "adopt sql-migrate --dry-run"] {
        let output = ends(&project, line, code);
        assert!(output.contains(expected), "{sql}: {output}");
    }
    assert_eq!(project.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n", "{sql}");
}

#[test]
fn a_planted_table_is_not_read() {
    let alarm = "CREATE FUNCTION alarm() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END'";
    is_refused(
        "CREATE FUNCTION called() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called''; END'; \
         CREATE VIEW gorp_migrations AS SELECT called() AS id, now() AS applied_at",
        8,
        "cannot trust the history in `\"public\".\"gorp_migrations\"`: it is a view",
    );
    is_refused(
        &format!(
            "{TABLE}; {alarm}; CREATE TRIGGER t BEFORE INSERT ON gorp_migrations FOR EACH ROW EXECUTE FUNCTION alarm()"
        ),
        8,
        "it has triggers (t)",
    );
    is_refused(
        &format!("{TABLE}; CREATE RULE r AS ON INSERT TO gorp_migrations DO INSTEAD NOTHING"),
        8,
        "it has rules (r)",
    );
    is_refused(&format!("{TABLE}; CREATE TABLE more () INHERITS (gorp_migrations)"), 8, "by inheritance");
    is_refused(
        "CREATE TABLE gorp_migrations (id text, applied_at timestamptz) PARTITION BY LIST (id)",
        8,
        "it is a partitioned table",
    );
    is_refused(
        "CREATE ROLE adopt_eve; CREATE SCHEMA eve AUTHORIZATION adopt_eve; SET ROLE adopt_eve; \
         CREATE TABLE eve.gorp_migrations (id text, applied_at timestamptz); RESET ROLE",
        8,
        "it belongs to `adopt_eve`, which is neither this user",
    );
    is_refused(
        &format!("{TABLE}; ALTER TABLE gorp_migrations DROP COLUMN applied_at"),
        2,
        "it has no column `applied_at`",
    );
}

#[test]
fn several_candidates_are_named() {
    let project = migrated(
        "sql-migrate",
        &["1_a.sql"],
        &format!(
            "CREATE SCHEMA \"Old App\"; CREATE TABLE \"Old App\".gorp_migrations (id text, applied_at timestamptz); \
             INSERT INTO \"Old App\".gorp_migrations VALUES ('1_a.sql'); {TABLE}; INSERT INTO gorp_migrations VALUES ('1_a.sql')"
        ),
    );
    expect![[r#"
        exit 2
        --- stderr
        error: several tables may be the history of sql-migrate: "Old App".gorp_migrations, public.gorp_migrations
          = help: pass the right one: `migrator adopt sql-migrate --table "Old App".gorp_migrations`
    "#]]
    .assert_eq(&project.run(&["adopt", "sql-migrate"]));
    expect![[r#"
        exit 0
        --- stdout
        adopted from `"Old App".gorp_migrations` of sql-migrate: 1 without running: 001_t1
        `"Old App".gorp_migrations` was left as it is; to go back: DROP TABLE "public"."schema_migrations", "public"."schema_migration_events";
        Next: `migrator drift` compares the schema with the compiled one.
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["adopt", "sql-migrate", "--table", "\"Old App\".gorp_migrations"]));
    for (table, expected) in [
        ("gorp_migrations", "several tables"),
        ("public.gorp_migrations", "nothing to adopt"),
        ("nowhere.gorp_migrations", "there is no table `nowhere.gorp_migrations`"),
        ("a.b.c", "`a.b.c` is not the name of a table"),
    ] {
        let output = project.run(&["adopt", "sql-migrate", "--table", table, "--dry-run"]);
        assert!(output.contains(expected), "{table}: {output}");
    }
}

#[test]
fn the_table_of_another_tool_is_not_taken_for_the_one_that_is_named() {
    let project = Project::new();
    project.tables(2).file("migrator.toml", "[history]\ntable = \"changes\"\n").query(
        "CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); \
         INSERT INTO app.schema_migrations VALUES (2, false)",
    );
    for line in ["adopt dbmate", "adopt dbmate --table app.schema_migrations"] {
        let output = ends(&project, line, 2);
        assert!(
            output.contains("`app.schema_migrations` is not a history of dbmate: it is one of golang-migrate"),
            "{output}"
        );
    }
    project.query("ALTER TABLE app.schema_migrations RENAME TO versions");
    let output = ends(&project, "adopt dbmate --table app.versions", 2);
    assert!(output.contains("it has a column `dirty`"), "{output}");
    ends(&project, "adopt golang-migrate --table app.versions", 0);
    assert_eq!(project.query("SELECT count(*) FROM changes"), "2\n");
}

#[test]
fn a_role_that_may_not_read_it_is_told_what_to_grant() {
    let project = migrated("sql-migrate", &["1_a.sql"], TABLE);
    project.query(&format!(
        "CREATE ROLE adopt_reader LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO adopt_reader; INSERT INTO gorp_migrations VALUES ('1_a.sql'); \
         CREATE SCHEMA ours AUTHORIZATION adopt_reader; GRANT CONNECT ON DATABASE {} TO adopt_reader",
        project.database()
    ));
    project.file("migrator.toml", "[history]\nschema = \"ours\"\n");
    let adopt = |arguments: &[&str]| project.run_as("adopt_reader", &[&["adopt", "sql-migrate"], arguments].concat());
    expect![[r#"
        exit 8
        --- stderr
        error: this user may not read the history of sql-migrate in `public.gorp_migrations`
          = note: UPDATE is needed for the lock that keeps sql-migrate from running meanwhile; nothing is updated
          = help: have its owner run `GRANT USAGE ON SCHEMA "public" TO "adopt_reader"; GRANT SELECT, UPDATE ON public.gorp_migrations TO "adopt_reader"`
    "#]].assert_eq(&adopt(&["--dry-run"]));
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user adopt_reader · PostgreSQL X
        error: this user may not read the history of sql-migrate in `public.gorp_migrations`
          = note: UPDATE is needed for the lock that keeps sql-migrate from running meanwhile; nothing is updated
          = help: have its owner run `GRANT USAGE ON SCHEMA "public" TO "adopt_reader"; GRANT SELECT, UPDATE ON public.gorp_migrations TO "adopt_reader"`
    "#]].assert_eq(&adopt(&[]));
    project.query(
        "GRANT USAGE ON SCHEMA public TO adopt_reader; GRANT SELECT, UPDATE ON public.gorp_migrations TO adopt_reader",
    );
    let output = adopt(&[]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM ours.schema_migrations"), "1\n");
}

#[test]
fn text_of_the_table_stays_in_its_line() {
    let project = migrated("sql-migrate", &["1_a.sql"], TABLE);
    project.query("INSERT INTO gorp_migrations VALUES (E'x\\nerror: forged\\x1b[2J\\u202e')");
    project.query("INSERT INTO gorp_migrations VALUES (repeat('y', 100000))");
    let output = ends(&project, "adopt sql-migrate", 4);
    assert!(output.contains(r"`x\nerror: forged\u{1b}[2J\u{202e}`"), "{output}");
    assert!(output.len() < 3000 && output.lines().all(|line| !line.starts_with("error: forged")), "{output}");
}

#[test]
fn a_table_in_use_is_waited_for_and_its_user_named() {
    let project =
        migrated("sql-migrate", &["1_a.sql"], &format!("{TABLE}; INSERT INTO gorp_migrations VALUES ('1_a.sql')"));
    let other = Other::new(&project);
    other.run("BEGIN; INSERT INTO gorp_migrations VALUES ('2_b.sql')");
    let output = ends(&project, "adopt sql-migrate --wait-lock 1s", 5);
    assert!(
        output.contains("cannot read `gorp_migrations`") || output.contains("cannot read `public.gorp_migrations`"),
        "{output}"
    );
    assert!(output.contains("locked by pid PID (postgres, shop)"), "{output}");
    // Reading alone waits for no one.
    ends(&project, "adopt sql-migrate --dry-run", 0);
    other.run("COMMIT");
    assert!(ends(&project, "adopt sql-migrate", 4).contains("no migration explains `2_b.sql`"));
}

#[test]
fn two_at_once_record_everything_once() {
    let project = migrated(
        "sql-migrate",
        &["1_a.sql", "2_b.sql"],
        &format!("{TABLE}; INSERT INTO gorp_migrations VALUES ('1_a.sql'), ('2_b.sql')"),
    );
    let started: Vec<_> = (0..4).map(|_| project.start(&["adopt", "sql-migrate"])).collect();
    let outputs: Vec<String> = started.into_iter().map(|child| project.finish(child)).collect();
    assert!(outputs.iter().all(|output| output.starts_with("exit 0\n")), "{outputs:#?}");
    assert_eq!(outputs.iter().filter(|output| output.contains("2 without running")).count(), 1, "{outputs:#?}");
    let counts = "SELECT (SELECT count(*) FROM schema_migrations), (SELECT count(*) FROM schema_migration_events)";
    assert_eq!(project.query(counts), "2|2\n");
}

#[test]
fn ten_thousand_rows_take_seconds() {
    let project = Project::new();
    let mut map = super::Map::new("sql-migrate");
    for number in 1..=10_000 {
        project.migration(&format!("{number:05}_m"), "SELECT 1;", "SELECT 1;");
        map.file(&format!("{number:05}"), &format!("{number}.sql"), &format!("{number}.sql"), &[]);
    }
    map.write(&project);
    project.query(&format!("{TABLE}; INSERT INTO gorp_migrations SELECT n || '.sql' FROM generate_series(1, 10000) n"));
    let output = ends(&project, "adopt sql-migrate", 0);
    assert!(output.contains("10000 without running: 00001_m, 00002_m, 00003_m and 9997 more"), "{output}");
    assert!(ends(&project, "adopt sql-migrate", 0).contains("nothing to adopt"));
}

#[test]
fn what_is_no_table_and_other_types_are_said() {
    let project = Project::new();
    project.tables(1);
    let columns = "1::bigint AS version, 'a'::text AS description, now() AS installed_on, true AS success, 'x'::text AS checksum, 1::bigint AS execution_time";
    project.query(&format!("CREATE MATERIALIZED VIEW _sqlx_migrations AS SELECT {columns}"));
    let said = ends(&project, "adopt sqlx", 8);
    assert!(
        said.contains("`public._sqlx_migrations` is not an ordinary table: what it says is not believed"),
        "{said}"
    );
    project
        .query(&format!("DROP MATERIALIZED VIEW _sqlx_migrations; CREATE TABLE _sqlx_migrations AS SELECT {columns}"));
    let said = ends(&project, "adopt sqlx", 2);
    assert!(said.contains("is not a history of sqlx: its columns have other types"), "{said}");
    // `up` would refuse.
    let said = ends(&project, "status", 0);
    assert!(said.contains("Next: `migrator adopt sqlx` records what another tool has applied already"), "{said}");
}
