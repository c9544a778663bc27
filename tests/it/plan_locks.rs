//! `plan --locks`: what each pending statement locks, seen on a throw-away copy of the schema.

mod seen;

use std::process::Stdio;

use expect_test::expect;

use crate::support::{Project, query_on, server};

/// Applied before anything is traced.
const BASE: &str = "CREATE TABLE a (id int PRIMARY KEY, n int, t text);
CREATE INDEX a_n ON a (n);
CREATE TABLE p (id int) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
CREATE VIEW vw AS SELECT id FROM a;
CREATE SEQUENCE numbers;";

impl Project {
    /// A project whose first migration is applied and whose next ones are pending.
    fn with_base() -> Project {
        let project = Project::new();
        project.migration("001_base", BASE, "");
        project.run(&["up"]);
        project
    }

    /// `plan --locks` with a server for the copy, of which nothing is left.
    fn trace(&self, arguments: &[&str]) -> String {
        let mut command = self.command(&["plan", "--locks", "--scratch-url", &server().url("postgres")]);
        command.args(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let process = child.id();
        let output = self.finish(child);
        let left = format!("SELECT count(*) FROM pg_database WHERE datname ~ '^migrator_verify_{process}_'");
        assert_eq!(
            query_on("postgres", &left),
            "0
",
            "{output}"
        );
        output
    }
}

#[test]
fn shows_what_each_pending_statement_locks_and_leaves_nothing_behind() {
    let project = Project::with_base();
    project
        .migration("002_check", "ALTER TABLE a ADD CONSTRAINT small CHECK (n < 9) NOT VALID;\nALTER TABLE a VALIDATE CONSTRAINT small;", "")
        .migration("003_new", "CREATE TABLE c (id int);\nCREATE INDEX ON c (id);\nINSERT INTO c SELECT id FROM a;", "")
        .migration("004_hidden", "DO $$ BEGIN EXECUTE 'ALTER TABLE a ALTER COLUMN n TYPE bigint'; END $$;", "")
        .migration("005_others", "CREATE OR REPLACE VIEW vw AS SELECT id, n FROM a;\nALTER SEQUENCE numbers INCREMENT 2;\nDROP TABLE a CASCADE;", "")
        .file("repeatable/r.sql", "CREATE OR REPLACE VIEW r AS SELECT id FROM c;\n");
    let before = project.query("SELECT * FROM schema_migration_events");
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_check
            statement 1: AccessExclusiveLock on public.a: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock still held on public.a, scanned, validates small: reads and writes wait (N ms)
        would apply 003_new
            no one waits for an existing relation
        would apply 004_hidden
            statement 1: AccessExclusiveLock on public.a, rewritten, scanned, validates small: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on public.a_pkey, rewritten: reads and writes wait (N ms)
            statement 1: AccessExclusiveLock on public.a_n, rewritten: reads and writes wait (N ms)
        would apply 005_others
            statement 1: AccessExclusiveLock on public.vw: reads and writes wait (N ms)
            statement 2: ShareRowExclusiveLock on public.numbers: writes wait (N ms)
            statement 3: AccessExclusiveLock on public.a, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock on public.a_pkey, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock still held on public.vw, dropped: reads and writes wait (N ms)
            statement 3: AccessExclusiveLock on public.a_n, dropped: reads and writes wait (N ms)
        would apply repeatable r
            no one waits for an existing relation
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
    assert_eq!(project.query("SELECT * FROM schema_migration_events"), before);
    assert_eq!(project.query("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'c')"), "1\n");
}

#[test]
fn a_repeatable_that_was_there_is_traced_as_the_replacement_of_itself() {
    let project = Project::with_base();
    project
        .file("repeatable/kept.sql", "CREATE OR REPLACE VIEW kept AS SELECT id FROM a;\n")
        .file("repeatable/changed.sql", "CREATE OR REPLACE VIEW changed AS SELECT id FROM a;\n");
    project.run(&["up"]);
    project
        .file("repeatable/changed.sql", "CREATE OR REPLACE VIEW changed AS SELECT id, n FROM a;\n")
        .file("repeatable/new.sql", "CREATE OR REPLACE VIEW new AS SELECT id FROM kept;\n");
    expect![[r#"
        exit 0
        --- stdout
        would apply repeatable changed
            CREATE OR REPLACE VIEW changed AS SELECT id, n FROM a
            statement 1: AccessExclusiveLock on public.changed: reads and writes wait (N ms)
        would apply repeatable new
            CREATE OR REPLACE VIEW new AS SELECT id FROM kept
            no one waits for an existing relation
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&["--sql"]));
}

#[test]
fn a_repeatable_that_is_due_only_because_of_a_rollback_was_there_too() {
    let project = Project::with_base();
    project
        .migration("002_more", "ALTER TABLE a ADD COLUMN more int;", "ALTER TABLE a DROP COLUMN more CASCADE;")
        .file("repeatable/r.sql", "CREATE OR REPLACE VIEW r AS SELECT more FROM a;\n");
    project.run(&["up"]);
    project.run(&["down", "--yes"]);
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_more
            statement 1: AccessExclusiveLock on public.a: reads and writes wait (N ms)
        would apply repeatable r
            statement 1: AccessExclusiveLock on public.r: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn a_migration_that_fails_on_the_copy_is_shown_with_its_place() {
    let project = Project::with_base();
    project.migration("002_fine", "ALTER TABLE a ADD COLUMN x int;", "").migration(
        "003_broken",
        "ALTER TABLE a ADD COLUMN y int;\nALTER TABLE a DROP COLUMN nn;",
        "",
    );
    expect![[r#"
        exit 3
        --- stderr
        error: migration 003_broken failed and was rolled back
         --> db/migrations/003_broken.sql:3:1
          |
        3 | ALTER TABLE a DROP COLUMN nn;
          | ^ column "nn" of relation "a" does not exist [42703]
          |
          = note: applied before it in this run: none. Not run: none.
          = note: this happened on a scratch copy; the database itself was not changed
          = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn what_is_done_already_of_a_half_done_migration_is_not_shown() {
    let project = Project::with_base();
    let up = |second: &str| {
        format!(
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY a_t ON a (t);\n{second};\n\n-- migrate:down\n"
        )
    };
    project.file("migrations/002_half.sql", &up("ALTER TABLE a ADD COLUMN n int"));
    assert!(project.run(&["up"]).starts_with("exit 3\n"));
    project.file("migrations/002_half.sql", &up("ALTER TABLE a ADD COLUMN m int"));
    let output = project.trace(&[]);
    let stdout: Vec<&str> = output.lines().take_while(|line| !line.starts_with("--- stderr")).collect();
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_half (outside a transaction, statements done: 1)
            statement 2: AccessExclusiveLock on public.a: reads and writes wait (N ms)
        plan digest: CHECKSUM"#]]
    .assert_eq(&stdout.join("\n"));
}

#[test]
fn a_pending_migration_may_use_a_repeatable_that_has_another_text_since() {
    let project = Project::with_base();
    project.file("repeatable/r.sql", "CREATE OR REPLACE VIEW r AS SELECT id, n FROM a;\n");
    project.run(&["up"]);
    project.file("repeatable/r.sql", "CREATE OR REPLACE VIEW r AS SELECT id FROM a;\n").migration(
        "002_drop",
        "DROP VIEW r;\nALTER TABLE a DROP COLUMN n;",
        "",
    );
    expect![[r#"
        exit 0
        --- stdout
        would apply 002_drop
            statement 1: AccessExclusiveLock on public.r, dropped: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock on public.a: reads and writes wait (N ms)
            statement 2: AccessExclusiveLock on public.a_n, dropped: reads and writes wait (N ms)
        would apply repeatable r
            statement 1: AccessExclusiveLock on public.r: reads and writes wait (N ms)
        plan digest: CHECKSUM
        --- stderr
        seen on an empty copy of the schema on PostgreSQL X with real data, the same locks are held longer
    "#]]
    .assert_eq(&project.trace(&[]));
}

#[test]
fn nothing_pending_locks_nothing() {
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
    "#]]
    .assert_eq(&Project::with_base().trace(&[]));
}

#[test]
fn without_a_server_for_the_copy_nothing_is_traced() {
    let project = Project::with_base();
    let nowhere = ["plan", "--locks", "--scratch-url", "postgresql://postgres@127.0.0.1:1/x"];
    expect![[r#"
        exit 6
        --- stderr
        error: cannot connect to `postgresql://postgres@127.0.0.1:1/postgres`: Connection refused (os error 111)
          = note: this happened on a scratch copy; the database itself was not changed
          = help: check that the server is running and that the host and port are correct
    "#]]
    .assert_eq(&project.run(&nowhere));
}

#[test]
fn what_says_how_a_transaction_is_to_be_is_the_first_in_it_here_too() {
    let project = Project::with_base();
    project.migration("002_plain", "SET LOCAL transaction_isolation = 'serializable';\nALTER TABLE a ADD COLUMN x int;", "").file(
        "migrations/003_alone.sql",
        "-- migrate:up transaction:false\nBEGIN;\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nALTER TABLE a ADD COLUMN y int;\nCOMMIT;\n\n-- migrate:down\n",
    );
    let output = project.trace(&[]);
    for line in [
        "would apply 002_plain\n    statement 2: AccessExclusiveLock on public.a: reads and writes wait (N ms)\n",
        "would apply 003_alone (outside a transaction)\n    statement 3: AccessExclusiveLock on public.a: reads and writes wait (N ms)\n",
    ] {
        assert!(output.starts_with("exit 0") && output.contains(line), "{output}");
    }
}

#[test]
fn a_repeatable_that_a_pending_migration_drops_is_made_anew() {
    let project = Project::with_base();
    project.file("repeatable/r.sql", "CREATE OR REPLACE VIEW r AS SELECT id FROM a;\n");
    project.file("repeatable/s.sql", "CREATE OR REPLACE VIEW s AS SELECT id FROM a;\n");
    project.run(&["up"]);
    project.migration("002_drop", "DROP VIEW r;", "");
    let output = project.trace(&[]);
    let lines = "would apply repeatable r\n    no one waits for an existing relation\n\
                 would apply repeatable s\n    statement 1: AccessExclusiveLock on public.s: reads and writes wait (N ms)\n";
    assert!(output.contains(lines), "{output}");
}

#[test]
fn programs_read_every_lock() {
    let project = Project::with_base();
    project.migration("002_x", "ALTER TABLE a ALTER COLUMN n SET NOT NULL;", "");
    let output = project.trace(&["--json"]);
    let mut plan = crate::support::schema::result(&output);
    let statement = &mut plan["steps"][0]["statements"][0];
    assert!(statement["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{statement}");
    statement["ms"] = 0.into();
    expect![[r#"
        {
          "effects": [
            {
              "dropped": false,
              "lock": "AccessExclusiveLock",
              "relation": "public.a",
              "rewritten": false,
              "scanned": true,
              "taken": true,
              "validated": [
                "NOT NULL of n"
              ],
              "waits": "reads and writes"
            }
          ],
          "line": 2,
          "ms": 0,
          "polled": false,
          "sql": "ALTER TABLE a ALTER COLUMN n SET NOT NULL",
          "statement": 1
        }"#]]
    .assert_eq(&format!("{statement:#}"));
}
