//! What is said after something went wrong was read from the database.

use expect_test::expect;

use crate::support::{Other, Project, wait_until};

/// A function that keeps rows away from the history, and the trigger that calls it.
const SWALLOW: &str = "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
    CREATE TRIGGER swallow BEFORE INSERT OR DELETE ON schema_migrations FOR EACH ROW EXECUTE FUNCTION swallow();";

#[test]
fn a_block_that_ran_to_its_end_and_is_not_recorded_is_called_so() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.file(
        "migrations/002_x.sql",
        "-- migrate:up transaction:false\nCREATE TABLE x (id int);\nINSERT INTO x VALUES (1);\n\
         ALTER TABLE schema_migrations ADD CONSTRAINT \"full\" CHECK (version < '002');\n-- migrate:down\nDROP TABLE x;\n",
    );
    let output = project.run(&["up"]);
    let said = "error: migration 002_x ran to completion: it could not be recorded: new row for relation \"schema_migrations\" violates";
    assert!(output.starts_with("exit 3\n") && output.contains(said), "{output}");
    assert!(output.contains("run `up` again: only its row in the history is missing"), "{output}");
    assert!(!output.contains("rolled back") && !output.contains("never been applied"), "{output}");
    project.query("ALTER TABLE schema_migrations DROP CONSTRAINT \"full\"");
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    assert_eq!(project.query("SELECT count(*) FROM x"), "1\n");
}

#[test]
fn a_row_that_the_history_does_not_keep_takes_the_migration_back() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.migration("002_x", &format!("CREATE TABLE x (id int); {SWALLOW}"), "DROP TABLE x;");
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 8\n"), "{output}");
    assert!(
        output.contains("error: migration 002_x failed and was rolled back: the history did not keep its row"),
        "{output}"
    );
    assert_eq!(project.query("SELECT to_regclass('x') IS NULL"), "t\n");
    // The same for the way down, with a rule.
    project.migration(
        "002_x",
        "CREATE TABLE x (id int);",
        "CREATE RULE keep AS ON DELETE TO schema_migrations DO INSTEAD NOTHING;",
    );
    assert!(project.run(&["up"]).starts_with("exit 0\n"));
    let output = project.run(&["down", "--yes"]);
    assert!(!output.starts_with("exit 0\n") && !output.contains("--- stdout"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations WHERE version = '002'"), "1\n");
}

#[test]
fn a_rollback_whose_connection_was_lost_is_called_what_it_is() {
    let project = Project::new();
    project.migration(
        "001_a",
        "CREATE TABLE a (id int);",
        "DROP TABLE a; SELECT pg_terminate_backend(pg_backend_pid());",
    );
    project.run(&["up"]);
    let output = project.run(&["down", "--yes"]);
    assert!(output.starts_with("exit 6\n"), "{output}");
    assert!(output.contains("error: migration 001_a is still applied: the connection was lost"), "{output}");
    assert!(!output.contains("was rolled back"), "{output}");
    assert_eq!(project.query("SELECT count(*) FROM a"), "0\n");
}

#[test]
fn a_failed_rollback_is_still_applied() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE b;");
    project.run(&["up"]);
    let output = project.run(&["down", "--yes"]);
    assert!(output.contains("error: rollback of migration 001_a failed; the migration is still applied\n"), "{output}");
}

#[test]
fn a_file_that_was_applied_before_is_not_said_never_to_have_been() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.run(&["down", "--yes"]);
    project.migration("001_t1", "CREATE TABLE t1 (id oops);", "DROP TABLE t1;");
    let output = project.run(&["up"]);
    assert!(output.contains("correct the file (it is not applied, so it may be edited)"), "{output}");
}

#[test]
fn a_migrator_waits_for_another_one_that_is_half_through_a_rollback() {
    let project = Project::new();
    project.migration("001_t", "CREATE TABLE t (id int);", "DROP TABLE t;").file(
        "migrations/002_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
    );
    project.run(&["up"]);
    let other = Other::new(&project);
    other.run("BEGIN; SELECT count(*) FROM t");
    let down = project.start(&["down", "--yes"]);
    wait_until(
        &project,
        "SELECT count(*) > 0 FROM schema_migration_events WHERE action = 'down' AND outcome = 'started'",
    );
    let up = project.start(&["up"]);
    wait_until(
        &project,
        "SELECT count(*) >= 3 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrator%'",
    );
    other.run("COMMIT");
    let (down, up) = (project.finish(down), project.finish(up));
    assert!(down.starts_with("exit 0\n"), "{down}");
    assert!(up.starts_with("exit 0\n") && up.contains("applied 002_i"), "{up}");
}

#[test]
fn two_branches_with_one_number_are_told_apart_by_their_names() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;").migration(
        "002_mine",
        "SELECT 1;",
        "SELECT 1;",
    );
    project.run(&["up"]);
    project.remove("migrations/002_mine.sql").migration("002_theirs", "SELECT 2;", "SELECT 2;");
    expect![[r#"
        exit 4
        --- stderr
        error: history and binary diverge: version 002 is applied as `mine`, but `db/migrations/002_theirs.sql` has the same number
          = help: give `theirs` the next number, above 002
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn a_block_of_which_nothing_was_done_may_become_a_transaction() {
    let project = Project::new();
    project.file(
        "migrations/001_a.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id oops);\n-- migrate:down\nDROP TABLE a;\n",
    );
    assert!(project.run(&["up"]).starts_with("exit 3\n"));
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;");
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    // But not one of which a part is done.
    project.file(
        "migrations/002_b.sql",
        "-- migrate:up transaction:false\nCREATE TABLE b (id int);\nCREATE TABLE c (id oops);\n-- migrate:down\n",
    );
    assert!(project.run(&["up"]).starts_with("exit 3\n"));
    project.file(
        "migrations/002_b.sql",
        "-- migrate:up\nCREATE TABLE b (id int);\nCREATE TABLE c (id int);\n-- migrate:down\n",
    );
    assert!(project.run(&["up"]).starts_with("exit 4\n"));
}

#[test]
fn a_transaction_may_choose_its_isolation() {
    let project = Project::new();
    let shown = "CREATE TABLE {t} AS SELECT current_setting('transaction_isolation') AS level;";
    for (n, set) in [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;",
        "SET LOCAL lock_timeout = '1s'; SET LOCAL transaction_isolation = 'repeatable read';",
        "/* ä */ set transaction isolation level repeatable read; -- first\n",
    ]
    .iter()
    .enumerate()
    {
        let table = format!("l{n}");
        project.migration(
            &format!("{:03}_{table}", n + 1),
            &format!("{set} {}", shown.replace("{t}", &table)),
            &format!("DROP TABLE {table};"),
        );
    }
    project.file(
        "migrations/004_l3.sql",
        &format!("-- migrate:up transaction:false\nBEGIN;\nSET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\n{}\nCOMMIT;\n-- migrate:down\nDROP TABLE l3;\n", shown.replace("{t}", "l3")),
    );
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 0\n"), "{output}");
    for n in 0..4 {
        assert_eq!(project.query(&format!("SELECT level FROM l{n}")), "repeatable read\n");
    }
    // A mistake is still shown where it is, in either part.
    for (text, place) in [
        ("SET TRANSACTION ISOLATION LEVEL oops;\nSELECT 1;", ":2:33"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSELECT 'ä', oops;", ":3:13"),
    ] {
        project.file(
            "migrations/005_x.sql",
            &format!("-- migrate:up\n-- migrate:unchecked the server judges\n{text}\n-- migrate:down\n"),
        );
        let output = project.run(&["up"]);
        let place = place.replace(":2:", ":3:").replace(":3:13", ":4:13");
        assert!(output.contains(&format!("005_x.sql{place}")), "{place}: {output}");
    }
}
