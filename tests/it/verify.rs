//! `verify`: every migration up, down and up again, on databases that are thrown away.

use std::process::{Command, Stdio};

use expect_test::expect;
use migrator_postgres::TemporaryServer;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Project, query_on, server, wait_until};

fn without_times(output: &str) -> String {
    output.lines().map(|line| line.replace(" (N ms)", "") + "\n").collect()
}

#[test]
fn a_history_that_holds_says_so_and_leaves_no_database() {
    let project = Project::new();
    project
        .tables(3)
        .migration("004_no_way_back", "DROP TABLE t3;", "")
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n")
        .file("seeds/development.sql", "INSERT INTO t1 SELECT 1 WHERE NOT EXISTS (SELECT FROM t1);\n");
    let verify = project.start(&["verify"]);
    let process = verify.id();
    expect![[r#"
        exit 0
        --- stdout
        ok      up from zero: 4 migrations
        ok      round trip: 3 of 3 rollbacks restore the schema exactly; migrations without a down block: 1
        ok      next release: 004_no_way_back on all but the newest, up
                    not rolled back: 004_no_way_back has no down block
        skipped release: only `cargo xtask verify` reads it from git
        ok      second up: nothing to apply
        ok      repeatables twice: 1 repeatable
        ok      seeds: development
        ok      seeded data: 1 migration on seeded databases; there are no checks
        ok      data tests: there are none
        ok      data losses: no new migration has a down block
        skipped schema: only `cargo xtask verify` compares the committed schema
        ok      two at once: 5 steps, each applied once
        ok      locks: 1 statement blocks others on an existing relation
                    004_no_way_back statement 1: AccessExclusiveLock on public.t3, dropped: reads and writes wait
        everything else passed; not checked: release, schema
    "#]]
    .assert_eq(&without_times(&project.finish(verify)));
    let left = format!("SELECT count(*) FROM pg_database WHERE datname ~ '^migrator_verify_{process}_'");
    assert_eq!(query_on("postgres", &left), "0\n");
}

#[test]
fn a_way_back_that_fails_or_does_not_restore_is_shown() {
    let project = Project::new();
    project
        .migration("001_a", "CREATE TABLE a (id int, name text);", "DROP TABLE a;")
        .migration("002_fails", "CREATE TABLE b (id int);", "DROP TABLE c;")
        .migration(
            "003_forgets",
            "CREATE TYPE mood AS ENUM ('ok');\nALTER TABLE a ADD COLUMN mood mood;",
            "ALTER TABLE a DROP COLUMN mood;",
        )
        .migration("004_order", "ALTER TABLE a DROP COLUMN id;", "ALTER TABLE a ADD COLUMN id int;")
        .migration("005_fine", "CREATE INDEX a_name ON a (name);", "DROP INDEX a_name;");
    expect![[r#"
        exit 1
        --- stdout
        ok      up from zero: 5 migrations
        FAILED  round trip: 2 of 5 rollbacks restore the schema exactly; migrations without a down block: 0
                    002_fails: the rollback fails
                    error: rollback of migration 002_fails failed; the migration is still applied
                     --> db/migrations/002_fails.sql:5:1
                      |
                    5 | DROP TABLE c;
                      | ^ table "c" does not exist [42P01]
                      |
                      = note: rolled back before it in this run: none. Not run: none.
                      = help: correct the down block (it may always be edited), build, and run `down` again
                    003_forgets: the rollback does not restore the schema
                    + public.mood owner postgres
                    + public.mood type ENUM ('ok')
                    004_order: only the order of columns is not restored
                    - public.a column id #1 integer
                    + public.a column id #3 integer
                    - public.a column mood #3 public.mood
                    + public.a column mood #2 public.mood
                    - public.a column name #2 text
                    + public.a column name #1 text
        ok      next release: 005_fine on all but the newest, up, down and up again
        skipped release: only `cargo xtask verify` reads it from git
        ok      second up: nothing to apply
        ok      repeatables twice: there are none
        ok      seeds: there are none
        ok      seeded data: there are no seeds
        ok      data tests: there are none
        ok      data losses: 1 rollback loses nothing
        skipped schema: only `cargo xtask verify` compares the committed schema
        ok      two at once: 5 steps, each applied once
        ok      locks: 3 statements block others on existing relations
                    003_forgets statement 2: AccessExclusiveLock on public.a: reads and writes wait
                    004_order statement 1: AccessExclusiveLock on public.a: reads and writes wait
                    005_fine statement 1: ShareLock on public.a, scanned: writes wait
        1 of 13 checks failed
    "#]]
    .assert_eq(&without_times(&project.run(&["verify"])));
}

#[test]
fn what_cannot_be_run_twice_is_shown() {
    let project = Project::new();
    project
        .migration("001_a", "CREATE TABLE a (id int PRIMARY KEY);", "DROP TABLE a;")
        .file("repeatable/v.sql", "CREATE VIEW v AS SELECT 1 AS one;\n")
        .file("seeds/test.sql", "INSERT INTO a VALUES (1);\n");
    expect![[r#"
        exit 1
        --- stdout
        ok      up from zero: 1 migration
        ok      round trip: 1 of 1 rollbacks restore the schema exactly; migrations without a down block: 0
        FAILED  next release: 001_a on all but the newest: the up block fails
                    error: repeatable v failed and was rolled back
                     --> db/repeatable/v.sql:1:1
                      |
                    1 | CREATE VIEW v AS SELECT 1 AS one;
                      | ^ relation "v" already exists [42P07]
                      |
                      = note: applied before it in this run: 001_a. Not run: none.
                      = help: correct the file, build, and run `up` again
        skipped release: only `cargo xtask verify` reads it from git
        ok      second up: nothing to apply
        FAILED  repeatables twice: error: repeatable v failed and was rolled back
                     --> db/repeatable/v.sql:1:1
                      |
                    1 | CREATE VIEW v AS SELECT 1 AS one;
                      | ^ relation "v" already exists [42P07]
                      |
                      = note: applied before it in this run: none. Not run: none.
                      = help: correct the file, build, and run `up` again
        FAILED  seeds: test cannot be run twice (use `ON CONFLICT ...`)
                    error: seed test failed and was rolled back
                     --> db/seeds/test.sql:1:1
                      |
                    1 | INSERT INTO a VALUES (1);
                      | ^ duplicate key value violates unique constraint "a_pkey" [23505]
                      |
                      = note: DETAIL: Key (id)=(1) already exists.
                      = help: correct the file, build, and run `seed` again: none of it is in the database
        ok      seeded data: 0 migrations on seeded databases; there are no checks; seeds that do not fit: test before 001_a
        ok      data tests: there are none
        mild    data losses: 1 of 1 rollback loses data
                    rolling 001_a back loses 1 table with 3 rows: public.a
                    help: where that is meant, say so in the down block: `-- migrate:loses <schema>.<table>.<column>`
        skipped schema: only `cargo xtask verify` compares the committed schema
        ok      two at once: 2 steps, each applied once
        ok      locks: no statement blocks others on an existing relation
        3 of 13 checks failed
    "#]]
    .assert_eq(&without_times(&project.run(&["verify"])));
}

#[test]
fn a_migration_that_does_not_go_up_is_shown_and_the_rest_is_still_asked() {
    let project = Project::new();
    project.tables(1).migration("002_broken", "CREATE TABLE b (id itn);", "DROP TABLE b;");
    expect![[r#"
        exit 1
        --- stdout
        FAILED  up from zero: error: migration 002_broken failed and was rolled back
                     --> db/migrations/002_broken.sql:2:20
                      |
                    2 | CREATE TABLE b (id itn);
                      |                    ^ type "itn" does not exist [42704]
                      |
                      = note: applied before it in this run: none. Not run: none.
                      = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
        FAILED  round trip: 1 of 2 rollbacks restore the schema exactly; migrations without a down block: 0
                    skipped: 002_broken and what follows, because it does not go up
                    error: migration 002_broken failed and was rolled back
                     --> db/migrations/002_broken.sql:2:20
                      |
                    2 | CREATE TABLE b (id itn);
                      |                    ^ type "itn" does not exist [42704]
                      |
                      = note: applied before it in this run: none. Not run: none.
                      = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
        skipped next release: the migrations do not go up
        skipped release: the migrations do not go up
        skipped second up: the migrations do not go up
        skipped repeatables twice: the migrations do not go up
        skipped seeds: the migrations do not go up
        skipped seeded data: the migrations do not go up
        skipped data tests: the migrations do not go up
        skipped data losses: the migrations do not go up
        skipped schema: the migrations do not go up
        skipped two at once: the migrations do not go up
        skipped locks: the migrations do not go up
        2 of 13 checks failed
    "#]]
    .assert_eq(&without_times(&project.run(&["verify"])));
}

#[test]
fn what_the_caller_found_out_about_the_committed_schema_stands_in_its_place_and_counts() {
    let project = Project::new();
    let verify = |outcome: &str, more: &[&str]| project.run(&[&["verify", "--schema", outcome], more].concat());
    let failed = r#"{"verdict":"failed","lines":["db/schema.sql is stale","- old"],"ms":42}"#;
    expect![[r#"
        exit 1
        --- stdout
        ok      up from zero: there are none
        ok      round trip: 0 of 0 rollbacks restore the schema exactly; migrations without a down block: 0
        skipped next release: there are no migrations
        skipped release: only `cargo xtask verify` reads it from git
        ok      second up: nothing to apply
        ok      repeatables twice: there are none
        ok      seeds: there are none
        ok      seeded data: there are no seeds
        ok      data tests: there are none
        ok      data losses: there are no migrations
        FAILED  schema: db/schema.sql is stale
                    - old
        ok      two at once: there are none
        ok      locks: no statement blocks others on an existing relation
        1 of 13 checks failed
    "#]]
    .assert_eq(&without_times(&verify(failed, &[])));
    let json = verify(failed, &["--json"]);
    let schema = r#"{"lines":["db/schema.sql is stale","- old"],"ms":42,"name":"schema","verdict":"failed"}"#;
    assert!(json.contains(schema), "{json}");
    let ok = verify(r#"{"verdict":"ok","lines":["as committed"],"ms":1}"#, &[]);
    assert!(ok.starts_with("exit 0") && ok.contains("\nok      schema: as committed"), "{ok}");
    let skipped = verify(r#"{"verdict":"skipped","lines":["no pg_dump"],"ms":0}"#, &[]);
    assert!(skipped.starts_with("exit 0") && skipped.contains("\nskipped schema: no pg_dump"), "{skipped}");
}

#[test]
fn a_scratch_database_that_cannot_be_dropped_is_named_and_changes_no_verdict() {
    let project = Project::new();
    let (maker, keeper) = (format!("{}_maker", project.database()), format!("{}_keeper", project.database()));
    query_on(
        "postgres",
        &format!("CREATE ROLE {keeper} CREATEDB; CREATE ROLE {maker} LOGIN NOINHERIT CREATEDB IN ROLE {keeper}"),
    );
    // Nothing on a server keeps a database for good but its owner.
    let give =
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO {keeper}', current_database()); END $$;");
    project.file("migrator.toml", "[history]\nschema = \"history\"\n").migration("001_give", &give, "");
    let url = server().url("postgres").replace("postgres@", &format!("{maker}@"));
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &url)]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    let warned = output.lines().filter(|line| line.starts_with("warning: the database `migrator_verify_"));
    let reason = "[42501]";
    assert_eq!(
        warned.filter(|line| line.contains("` is left behind: ") && line.ends_with(reason)).count(),
        7,
        "{output}"
    );
}

#[test]
fn the_way_back_of_a_newest_migration_without_a_transaction_is_looked_at_without_repeatables() {
    let project = Project::new();
    project
        .tables(1)
        .file(
            "migrations/002_index.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t1_id;\n",
        )
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    let output = project.run(&["verify"]);
    let line = "ok      round trip: 2 of 2 rollbacks restore the schema exactly; migrations without a down block: 0";
    assert!(output.starts_with("exit 0") && output.contains(line), "{output}");
}

/// Sends the signal in the midst of the statement that sleeps; what is said, and no database is left.
fn stopped(project: &Project, command: &mut Command, signal: Signal) -> String {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let own = format!("'^migrator_verify_{}_'", child.id());
    let asleep = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname ~ {own} AND wait_event = 'PgSleep'");
    wait_until(project, &asleep);
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = project.finish(child);
    assert_eq!(query_on("postgres", &format!("SELECT count(*) FROM pg_database WHERE datname ~ {own}")), "0\n");
    output
}

#[test]
fn a_signal_ends_it_at_the_question_that_is_asked_and_drops_its_databases() {
    let project = Project::new();
    project.tables(1).migration("002_slow", "SELECT pg_sleep(60);", "SELECT 1;");
    expect![[r#"
        exit 130
        --- stderr
        warning: SIGINT: stopping; the running statement is cancelled
        error: stopped by SIGINT while checking `up from zero`
          = note: the databases of this run were dropped; nothing else was changed
          = help: run the command again to start over
    "#]]
    .assert_eq(&stopped(&project, &mut project.command(&["verify"]), Signal::INT));
    // In the midst of it two databases are at work.
    let shared = Project::new();
    shared.tables(40).migration("020_t20", "CREATE TABLE t20 ();", "DROP TABLE t20;\nSELECT pg_sleep(60);");
    let output = stopped(&shared, &mut shared.command(&["verify"]), Signal::INT);
    let said = "error: stopped by SIGINT while checking `round trip`";
    assert!(output.starts_with("exit 130\n") && output.contains(said), "{output}");
    let mut plan = project.command(&["plan", "--locks", "--scratch-url", &server().url("postgres")]);
    expect![[r#"
        exit 143
        --- stderr
        warning: SIGTERM: stopping; the running statement is cancelled
        error: stopped by SIGTERM
          = note: done in this run: none. Not run: 002_slow.
          = note: this happened on a scratch copy; the database itself was not changed
          = help: run the command again: it continues where it stopped
    "#]]
    .assert_eq(&stopped(&project, &mut plan, Signal::TERM));
}

#[test]
fn a_way_back_may_drop_the_role_that_its_way_up_has_made() {
    // Roles belong to the server.
    let server = TemporaryServer::start().unwrap();
    let project = Project::new();
    let role = "DO $$ BEGIN CREATE ROLE own_role; EXCEPTION WHEN duplicate_object THEN NULL; END $$;";
    project
        .tables(1)
        .migration(
            "002_role",
            &format!("{role}\nCREATE TABLE r ();\nGRANT SELECT ON r TO own_role;"),
            "DROP TABLE r;\nDROP ROLE own_role;",
        )
        .migration("003_broken", "CREATE TABLE b ();", "SELECT 1;")
        .migration("004_grant", "CREATE TABLE c ();\nGRANT SELECT ON c TO own_role;", "DROP TABLE c;");
    let output = project.run_with(&["verify"], &[("DATABASE_URL", &server.url("postgres"))]);
    let line = "FAILED  round trip: 3 of 4 rollbacks restore the schema exactly; migrations without a down block: 0";
    assert!(output.contains(line), "{output}");
}

#[test]
fn another_second_way_up_is_not_excused_by_the_order_of_columns() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (x int, y int);\nCREATE SEQUENCE runs;", "").migration(
        "002_order",
        "ALTER TABLE a DROP COLUMN x;\nDO $$ BEGIN EXECUTE format('CREATE TABLE made_%s ()', nextval('runs')); END $$;",
        "DO $$ BEGIN EXECUTE format('DROP TABLE made_%s', currval('runs')); END $$;\nALTER TABLE a ADD COLUMN x int;",
    );
    let output = project.run(&["verify"]);
    assert!(output.contains("002_order: the second up produces another schema"), "{output}");
}
