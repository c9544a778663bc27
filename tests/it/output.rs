//! What the commands print beside the results of `up`.

use expect_test::expect;

use crate::support::Project;

#[test]
fn notices_are_shown_under_their_migration() {
    let project = Project::new();
    project.tables(1).migration(
        "002_noisy",
        "DO $$ BEGIN RAISE NOTICE 'batch 1'; RAISE WARNING 'slow' USING HINT = 'wait'; END $$;",
        "",
    );
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 002_noisy (N ms)
        applied 2 migrations in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        002_noisy:
          NOTICE: batch 1
          WARNING: slow
          HINT: wait
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn shows_what_is_inside() {
    let project = Project::new();
    project.tables(1).file("seeds/test.sql", "SELECT 1;\n").file("checks/c.sql", "SELECT 1 WHERE false;\n");
    expect![[r#"
        exit 0
        --- stdout
        migration  001_t1
        seed       test
        check      c
    "#]]
    .assert_eq(&project.run(&["list"]));
    expect![[r#"
        exit 0
        --- stdout
        -- db/migrations/001_t1.sql
        -- checksum CHECKSUM
        -- migrate:up
        CREATE TABLE t1 (id int);

        -- migrate:down
        DROP TABLE t1;
    "#]]
    .assert_eq(&project.run(&["show", "1"]));
    expect![[r#"
        exit 2
        --- stderr
        error: there is no migration 9 in this binary
          = help: `migrator list` shows the migrations of this binary
    "#]]
    .assert_eq(&project.run(&["show", "9"]));
    expect![[r#"
        exit 0
        --- stdout
        migrator 1.0.0
        commit      test
        migrations  1 (newest 001)
        digest      CHECKSUM
    "#]]
    .assert_eq(&project.run(&["version", "--verbose"]));
}

#[test]
fn verbose_says_how_it_connects_and_what_it_sends() {
    let project = Project::new();
    project.tables(1).file(
        "migrations/002_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\n-- migrate:down\nDROP INDEX t1_id;\n",
    );
    let output = project.run(&["up", "--verbose"]);
    // The message holds the time and the process of this run.
    let lines =
        output.lines().map(|line| match line.split_once(": ").filter(|(_, rest)| rest.ends_with("bytes sent")) {
            Some((label, _)) => format!("{label}: N bytes sent\n"),
            None => format!("{line}\n"),
        });
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 002_index (N ms)
        applied 2 migrations in N ms; the database is at 002
        --- stderr
        connected to postgresql://postgres@SERVER/DB at SERVER in N ms, sslmode prefer
        the history in "public"."schema_migrations": 0 applied, 0 events
        SERVER · database DB · user postgres · PostgreSQL X
        took the lock 7300916411259422349 after N ms as pid PID
        001_t1: N bytes sent
        002_index: statement 1 sent
    "#]]
    .assert_eq(&lines.collect::<String>());
}
