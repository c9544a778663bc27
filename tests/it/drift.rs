//! `drift`: the live schema against the one that is compiled in.

pub(crate) mod injected;
mod restored;
mod unknown;

use expect_test::expect;

use crate::support::{Project, fingerprint, query_on, schema};

/// A database with one object of every kind, and its facts compiled in.
pub(crate) fn everything() -> Project {
    let project = Project::new();
    create_reader();
    project.migration("001_a", "CREATE TABLE public.a (id int);", "DROP TABLE public.a;").run(&["up"]);
    project.query(include_str!("drift/everything.sql"));
    write_facts(&project);
    project
}

/// Roles belong to the cluster: another test may be making this one.
fn create_reader() {
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE drift_reader; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
}

fn small() -> Project {
    let project = Project::new();
    project
        .migration("001_a", "CREATE TABLE public.a (id int PRIMARY KEY, name text);", "DROP TABLE public.a;")
        .run(&["up"]);
    write_facts(&project);
    project
}

fn major() -> String {
    query_on("postgres", "SHOW server_version_num").trim()[..2].to_owned()
}

pub(crate) fn facts(project: &Project) -> String {
    let output = project.command(&["drift", "--facts"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn write_facts(project: &Project) {
    project.file(&format!("schema.facts.{}", major()), &facts(project));
}

/// The kinds in a file of facts.
fn kinds(facts: &str) -> std::collections::BTreeSet<&str> {
    let names = facts.lines().skip(1).filter_map(|line| line.split('\t').nth(1));
    names.map(|name| name.split(' ').next().unwrap_or_default()).collect()
}

#[test]
fn an_untouched_schema_has_no_drift_and_nothing_is_written() {
    let project = small();
    let before = fingerprint(&project);
    expect![[r#"
        exit 0
        --- stdout
        no drift
    "#]]
    .assert_eq(&project.run(&["drift"]));
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn differences_are_grouped_by_table() {
    let project = small();
    project.query("ALTER TABLE a DROP COLUMN name, ADD COLUMN email text NOT NULL; CREATE TABLE b (x int); ALTER TABLE a ALTER id TYPE bigint");
    expect![[r#"
        exit 1
        --- stdout
        public.a
          added    column email
                   + #2 text NOT NULL
          changed  column id
                   - #1 integer NOT NULL
                   + #1 bigint NOT NULL
          removed  column name
                   - #2 text
        public.b
          added    column x
                   + #1 integer
          added    table
                   + LOGGED
        2 objects differ: 3 added, 1 removed, 1 changed
    "#]]
    .assert_eq(&project.run(&["drift"]));
    project.query("DROP TABLE b; ALTER TABLE a DROP COLUMN email, ALTER id TYPE int");
    expect![[r##"
        exit 1
        --- stdout
        {"format":1,"command":"drift","differences":[{"difference":"removed","expected":"#2 text","found":null,"kind":"column","object":"public.a","part":"name"}],"drift":true,"exit":1,"message":"1 difference","not_comparable":null,"outdated":null,"postgresql":X}
    "##]].assert_eq(
        &project.run(&["drift", "--json"]).replace(&format!("\"postgresql\":{}", major()), "\"postgresql\":X"),
    );
}

#[test]
fn what_the_settings_name_is_not_compared() {
    let project = small();
    project.query("CREATE TABLE tmp_1 (x int); CREATE INDEX by_hand ON a (name); CREATE ROLE drift_owner; ALTER TABLE a OWNER TO drift_owner");
    project.file("migrator.toml", "[drift]\nignore = [\"table public.tmp_*\", \"index public.a.by_*\"]\n");
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
    project.query("ALTER TABLE a OWNER TO postgres");
    project.file("migrator.toml", "[drift]\nowners = true\nignore = [\"* public.tmp_*\", \"index *\"]\n");
    write_facts(&project);
    project.query("ALTER TABLE a OWNER TO drift_owner");
    expect![[r#"
        exit 1
        --- stdout
        public.a
          changed  owner
                   - postgres
                   + drift_owner
        1 object differs: 0 added, 0 removed, 1 changed
    "#]]
    .assert_eq(&project.run(&["drift"]));
    project.query("ALTER TABLE a OWNER TO postgres");
    query_on("postgres", "DROP ROLE drift_owner");
}

#[test]
fn without_facts_for_the_servers_release_there_is_no_answer() {
    let project = small();
    let shown = |text: String| text.replace(&major(), "MAJOR");
    project.remove(&format!("schema.facts.{}", major()));
    expect![[r#"
        exit 2
        --- stderr
        error: this binary has no schema facts for PostgreSQL X it has: none
          = help: run `cargo xtask dump` with PG_BIN set to the programs of PostgreSQL X to write db/schema.facts.MAJOR; without its pg_dump, run `migrator drift --facts > db/schema.facts.MAJOR` on a database with these migrations and nothing else; commit the file, and build again
    "#]]
    .assert_eq(&shown(project.run(&["drift"])));
    project.file("schema.facts.99", "# schema facts of PostgreSQL 99 at 001\n");
    expect![[r#"
        exit 2
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: this binary has no schema facts for PostgreSQL X it has: 99
          = help: run `cargo xtask dump` with PG_BIN set to the programs of PostgreSQL X to write db/schema.facts.MAJOR; without its pg_dump, run `migrator drift --facts > db/schema.facts.MAJOR` on a database with these migrations and nothing else; commit the file, and build again
    "#]]
    .assert_eq(&shown(project.run(&["up", "--check-drift"])));
}

#[test]
fn a_database_in_another_state_is_compared_with_a_warning() {
    let project = small();
    project.migration("002_b", "CREATE TABLE public.b (id int);", "DROP TABLE public.b;").run(&["up"]);
    expect![[r#"
        exit 1
        --- stdout
        public.b
          added    column id
                   + #1 integer
          added    table
                   + LOGGED
        1 object differs: 2 added, 0 removed, 0 changed
        --- stderr
        warning: differences are expected: 002 is applied, and db/schema.facts.MAJOR describes the schema without it
    "#]]
    .assert_eq(&project.run(&["drift"]).replace(&major(), "MAJOR"));
    project.run(&["down", "--to", "0", "--yes"]);
    expect![[r#"
        exit 1
        --- stdout
        public.a
          removed  column id
                   - #1 integer NOT NULL
          removed  column name
                   - #2 text
          removed  constraint a_pkey
                   - PRIMARY KEY (id)
          removed  index a_pkey
                   - CREATE UNIQUE INDEX a_pkey ON public.a USING btree (id)
          removed  table
                   - LOGGED
        1 object differs: 0 added, 5 removed, 0 changed
        --- stderr
        warning: differences are expected: 001 is not applied, and db/schema.facts.MAJOR describes the schema with it
    "#]]
    .assert_eq(&project.run(&["drift"]).replace(&major(), "MAJOR"));
}

#[test]
fn up_refuses_a_drifted_schema_before_anything_is_written() {
    let project = small();
    project.query("CREATE TABLE by_hand (x int)");
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the schema of database `DB` has drifted; nothing was applied
          = note: public.by_hand
                    added    column x
                             + #1 integer
                    added    table
                             + LOGGED
                  1 object differs: 2 added, 0 removed, 0 changed
          = help: write a migration for the changes to keep, undo the others, or list them under `ignore` in [drift] of db/migrator.toml
    "#]].assert_eq(&project.run(&["up", "--check-drift"]));
    project.migration("002_b", "CREATE TABLE public.b (id int);", "DROP TABLE public.b;");
    let before = fingerprint(&project);
    expect![[r#"
        exit 8
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the schema of database `DB` has drifted; nothing was applied
          = note: public.by_hand
                    added    column x
                             + #1 integer
                    added    table
                             + LOGGED
                  1 object differs: 2 added, 0 removed, 0 changed
          = help: write a migration for the changes to keep, undo the others, or list them under `ignore` in [drift] of db/migrator.toml
    "#]].assert_eq(&project.run(&["up", "--check-drift"]));
    assert_eq!(fingerprint(&project), before);
    project.query("DROP TABLE by_hand");
    expect![[r#"
        exit 0
        --- stdout
        applied 002_b (N ms)
        applied 1 migration in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        no drift
        drift check skipped: 002 is applied, and db/schema.facts.MAJOR describes the schema without it
    "#]]
    .assert_eq(&project.run(&["up", "--check-drift"]).replace(&major(), "MAJOR"));
}

#[test]
fn up_says_where_it_did_not_look_and_looks_afterwards() {
    let project = small();
    project.migration("002_b", "CREATE TABLE public.b (id int);", "DROP TABLE public.b;").run(&["up"]);
    write_facts(&project);
    project.run(&["down", "--yes"]);
    project.query("CREATE TABLE by_hand (x int)");
    expect![[r#"
        exit 1
        --- stdout
        applied 002_b (N ms)
        applied 1 migration in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        drift check skipped: 002 is not applied, and db/schema.facts.MAJOR describes the schema with it
        warning: the schema differs from the compiled one:
          public.by_hand
            added    column x
                     + #1 integer
            added    table
                     + LOGGED
          1 object differs: 2 added, 0 removed, 0 changed
    "#]]
    .assert_eq(&project.run(&["up", "--check-drift"]).replace(&major(), "MAJOR"));
}

#[test]
fn a_schema_that_another_session_changes_is_not_waited_for() {
    let project = small();
    project.query("CREATE VIEW v AS SELECT id FROM a");
    let other = crate::support::Other::new(&project);
    other.run("BEGIN; LOCK TABLE v IN ACCESS EXCLUSIVE MODE");
    expect![[r#"
        exit 9
        --- stderr
        error: the server refused reading the schema: canceling statement due to lock timeout [55P03]
    "#]]
    .assert_eq(&project.run(&["drift"]));
    other.run("ROLLBACK");
}

#[test]
fn the_facts_hold_no_password() {
    let project = everything();
    let facts = facts(&project);
    assert!(facts.contains("user-mapping"), "{facts}");
    assert!(!facts.contains("wrapped-secret"), "{facts}");
}

#[test]
fn the_facts_say_the_same_to_every_session() {
    let project = everything();
    let before = facts(&project);
    create_reader();
    let database = project.database();
    project.query(&format!("ALTER DATABASE {database} SET search_path = app; ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'; ALTER DATABASE {database} SET datestyle = 'SQL, DMY'; ALTER DATABASE {database} SET quote_all_identifiers = on"));
    let settings = |line: &&str| !line.starts_with("database\tsetting ");
    let after = facts(&project);
    let after: Vec<&str> = after.lines().filter(settings).collect();
    assert_eq!(after, before.lines().collect::<Vec<_>>());
}

#[test]
fn who_may_do_nothing_sees_the_same_schema() {
    let project = everything();
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE drift_guest LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    project.query("GRANT SELECT ON schema_migrations, schema_migration_events TO drift_guest");
    assert_eq!(project.run_as("drift_guest", &["drift"]), "exit 0\n--- stdout\nno drift\n");
}

/// Somebody may have revoked what everybody may read at first.
#[test]
fn who_may_not_read_a_catalog_is_told_which() {
    let project = everything();
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE drift_guest LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    project.query("GRANT SELECT ON schema_migrations, schema_migration_events TO drift_guest");
    project.query("REVOKE SELECT ON pg_catalog.pg_policy FROM PUBLIC");
    for arguments in [&["drift"][..], &["drift", "--facts"]] {
        expect![[r#"
            exit 8
            --- stderr
            error: the server refused reading the schema: permission denied for table pg_policy [42501]
              = note: nothing was compared: the schema could not be read completely
              = help: grant the privilege to the migrator's user, or connect as the owner
        "#]]
        .assert_eq(&project.run_as("drift_guest", arguments));
    }
    let denied = schema::result(&project.run_as("drift_guest", &["drift", "--json"]));
    assert_eq!((&denied["error"]["code"], &denied["exit"]), (&"permission_denied".into(), &8.into()));
}

/// What our questions use is planted in the first schema of the path; none of it is called, and the names stay qualified.
#[test]
fn s1_nothing_that_is_planted_in_the_search_path_is_used() {
    let project = everything();
    let before = facts(&project);
    query_on(
        "postgres",
        "DO $$ BEGIN CREATE ROLE drift_planted LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    );
    query_on("postgres", "ALTER ROLE drift_planted SET search_path = evil, app, public, pg_catalog");
    project.query(include_str!("drift/planted.sql"));
    project.file("migrator.toml", "[drift]\nignore = [\"* evil*\"]\n");
    for arguments in [&["drift"][..], &["up", "--check-drift"]] {
        let output = project.run_as("drift_planted", arguments);
        assert!(output.starts_with("exit 0\n") && output.contains("no drift\n"), "{output}");
    }
    let json = project.run_as("drift_planted", &["drift", "--json"]);
    assert!(json.contains("\"drift\":false"), "{json}");
    let url = project.url().replace("postgres@", "drift_planted@");
    let output = project.command(&["drift", "--facts"]).env("DATABASE_URL", url).output().unwrap();
    let after = String::from_utf8(output.stdout).unwrap();
    let evil = |line: &&str| !line.starts_with("evil");
    assert_eq!(after.lines().filter(evil).collect::<Vec<_>>(), before.lines().collect::<Vec<_>>());
    // It works where it is meant to: with the trap in the path the query itself falls into it.
    assert_eq!(
        project.query("SET search_path = evil, pg_catalog; SELECT quote_ident('a'::pg_catalog.text)"),
        "planted\n"
    );
}

#[test]
fn the_order_in_which_objects_were_made_does_not_matter() {
    let statements = [
        "CREATE TABLE b (id int CONSTRAINT b_positive CHECK (id > 0))",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 2'",
        "CREATE INDEX a_name ON a (name)",
        "CREATE INDEX a_both ON a (name, id)",
        "CREATE POLICY p1 ON a TO drift_reader, postgres USING (true)",
        "CREATE POLICY p2 ON a USING (true)",
        "GRANT SELECT ON a TO drift_reader",
        "GRANT INSERT ON a TO PUBLIC",
        "COMMENT ON TABLE a IS 'a'",
        "ALTER TABLE a SET (fillfactor = 80)",
        "ALTER TABLE a SET (autovacuum_enabled = off)",
        "CREATE SEQUENCE s",
        "CREATE VIEW v AS SELECT name FROM a",
        "CREATE STATISTICS st ON id, name FROM a",
        "CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple)",
        "CREATE DOMAIN d AS int CONSTRAINT one CHECK (VALUE > 1) CONSTRAINT two CHECK (VALUE > 2)",
    ];
    create_reader();
    let (forward, backward) = (small(), small());
    statements.iter().for_each(|statement| drop(forward.query(statement)));
    statements.iter().rev().for_each(|statement| drop(backward.query(statement)));
    assert!(facts(&forward).lines().count() > 25);
    assert_eq!(facts(&forward), facts(&backward));
}
