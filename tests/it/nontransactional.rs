//! `transaction:false`: statement by statement, resumed where it stopped.

use expect_test::expect;

use crate::support::Project;

/// Three statements whose second fails until somebody creates the table `later`.
fn three_steps(project: &Project) -> &Project {
    project.file(
        "migrations/001_steps.sql",
        "-- migrate:up transaction:false\nSET work_mem = '5MB';\nCREATE TABLE once (id int);\nCREATE INDEX CONCURRENTLY later_id ON later (id);\nCREATE TABLE last AS SELECT current_setting('work_mem') AS work_mem;\n-- migrate:down\nDROP TABLE once, last;\n",
    )
}

#[test]
fn goes_on_at_the_statement_that_failed() {
    let project = Project::new();
    expect![[r#"
        exit 3
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_steps failed at statement 3 of 4
         --> db/migrations/001_steps.sql:4:1
          |
        4 | CREATE INDEX CONCURRENTLY later_id ON later (id);
          | ^ relation "later" does not exist [42P01]
          |
          = note: applied before it in this run: none. Not run: none.
          = help: correct statement 3 or its cause, build, and run `up` again: it continues at statement 3
    "#]].assert_eq(&three_steps(&project).run(&["up"]));
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001      steps  half-done  statement 3 of 4 (CREATE INDEX CONCURRENTLY later_id ON la ...): failed
        1 half-done. Next: `migrator up` resumes 001.
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
    "#]].assert_eq(&project.run(&["status"]));
    expect![[r#"
        exit 0
        --- stdout
        {"format":1,"command":"status","applied_repeatables":[],"binary_release":"1.0.0","counts":{"ahead":0,"applied":0,"changed":0,"half-done":1,"late":0,"pending":0,"unknown":0},"database":"DB","environment":null,"exit":0,"lock":null,"message":"1 half-done. Next: `migrator up` resumes 001.","migrations":[{"applied_at":null,"applied_by":null,"checksum":"659da4d988cda02b1ac4fad21c8cab44c5deb9506164804c23885d6210d4a02f","execution_ms":null,"half_done":{"detail":"relation \"later\" does not exist [42P01]","direction":"up","failed":true,"statement":3,"statements_done":1},"name":"steps","recorded_by":null,"recorded_checksum":null,"release":null,"state":"half-done","version":"001"}],"pending_repeatables":[],"server":"SERVER"}
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
    "#]].assert_eq(&project.run(&["status", "--json"]));
    expect![[r#"
        exit 4
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
        error: history and binary diverge: `db/migrations/001_steps.sql`: its `up` is half-done
          = help: run `up` to finish it first
    "#]].assert_eq(&project.run(&["down", "--yes"]));
    project.query("CREATE TABLE later (id int)");
    expect![[r#"
        exit 0
        --- stdout
        would apply 001_steps (outside a transaction, statements done: 1)
        plan digest: CHECKSUM
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
    "#]].assert_eq(&project.run(&["plan"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_steps (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["up"]));
    // The first statement was not repeated, the SET was replayed.
    assert_eq!(project.query("SELECT * FROM last"), "5MB\n");
    assert_eq!(
        project.query("SELECT statement, outcome, attempt FROM schema_migration_events ORDER BY id"),
        "2|done|1\n3|started|1\n3|failed|1\nnull|failed|null\n3|started|1\n3|done|1\n4|done|1\nnull|done|1\n"
    );
}

#[test]
fn what_is_done_must_stay_as_it_was() {
    let project = Project::new();
    three_steps(&project).run(&["up"]);
    let file = std::fs::read_to_string(project.db().join("migrations/001_steps.sql")).unwrap();
    project.file("migrations/001_steps.sql", &file.replace("once (id int)", "once (id bigint)"));
    expect![[r#"
        exit 4
        --- stderr
        warning: db/migrations/001_steps.sql:4:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails next to other statements [M053]; help: move it to its own migration
        error: history and binary diverge: `db/migrations/001_steps.sql`: 1 statement is done, but this half-done block begins differently in this binary
          = help: restore what has run; you may edit only the statements that have not
    "#]].assert_eq(&project.run(&["up"]));
    // The failed statement itself may be corrected.
    project.file("migrations/001_steps.sql", &file.replace("later (id)", "once (id)"));
    assert!(project.run(&["up"]).starts_with("exit 0"));
}

/// A migration whose second statement fails after it has committed a part of its work.
fn with_a_commit_inside() -> Project {
    let project = Project::new();
    project.file(
        "migrations/001_do.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nDO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / 0; END $$;\n-- migrate:down\nDROP TABLE a;\n",
    );
    project
}

#[test]
fn a_statement_whose_end_is_unknown_is_never_guessed() {
    let project = with_a_commit_inside();
    expect![[r#"
        exit 7
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_do failed at statement 2 of 2, which may be partly done
         --> db/migrations/001_do.sql:3:7
          |
        3 | DO $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / 0; END $$;
          |       ^ division by zero [22012]
          |
          = note: CONTEXT: SQL statement "SELECT 1 / 0"
                  PL/pgSQL function inline_code_block line 1 at PERFORM
          = note: applied before it in this run: none. Not run: none.
          = help: check how much of it is in the database, then run `migrator resolve 001 --statement 2 --applied`, or `--retry` to run it again
    "#]].assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 7
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_do is in doubt: statement 2 was started, and its outcome is unknown
          = note: the statement is in `db/migrations/001_do.sql`
          = help: check whether its effect is in the database, then run `migrator resolve 001 --statement 2 --applied`, or `--retry` to run it again
    "#]].assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001      do    half-done  statement 2 of 2 (DO $$ BEGIN INSERT INTO a VALUES (1); CO ...): started, outcome unknown
        1 half-done. Next: `migrator up` resumes 001 if the catalog shows how statement 2 ended, and otherwise asks for `migrator resolve`.
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
    "#]].assert_eq(&project.run(&["status"]));
}

#[test]
fn a_person_decides_about_the_open_statement_only() {
    let project = with_a_commit_inside();
    project.run(&["up"]);
    expect![[r#"
        exit 2
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
        error: statement 1 of migration 001_do is not the one to resolve: statement 2 is
          = help: resolve the statement that `migrator status` shows
    "#]].assert_eq(&project.run(&["resolve", "1", "--statement", "1", "--applied"]));
    expect![[r#"
        exit 0
        --- stdout
        statement 2 of 001_do counts as applied; `migrator up` continues
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["resolve", "1", "--statement", "2", "--applied"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_do (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
    "#]].assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT id FROM a"), "1\n");
    expect![[r#"
        exit 2
        --- stderr
        warning: db/migrations/001_do.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails next to other statements [M053]; help: move it to its own migration
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_do has no statement to resolve
          = help: `migrator status` shows what is half-done
    "#]].assert_eq(&project.run(&["resolve", "1", "--statement", "2", "--retry"]));
}

#[test]
fn a_retry_is_run_again() {
    let project = Project::new();
    project.file(
        "migrations/001_do.sql",
        "-- migrate:up transaction:false\nDO $$ BEGIN PERFORM FROM gate; END $$;\n-- migrate:down\nSELECT 1;\n",
    );
    assert!(project.run(&["up"]).starts_with("exit 7"));
    project.query("CREATE TABLE gate ()");
    expect![[r#"
        exit 0
        --- stdout
        statement 1 of 001_do will be run again; `migrator up` continues
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["resolve", "1", "--statement", "1", "--retry"]));
    assert!(project.run(&["up"]).starts_with("exit 0"));
}

#[test]
fn an_invalid_index_is_built_again() {
    let project = Project::new();
    project.query("CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)");
    project.file("migrations/001_i.sql", "-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a_id;\n");
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_i failed at statement 1 of 1
         --> db/migrations/001_i.sql:2:1
          |
        2 | CREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);
          | ^ could not create unique index "a_id" [23505]
          |
          = note: DETAIL: Key (id)=(1) is duplicated.
          = note: applied before it in this run: none. Not run: none.
          = help: existing rows violate it: correct the data, by hand or with an earlier statement, then run it again
          = help: correct statement 1 or its cause, build, and run `up` again: it continues at statement 1
    "#]]
    .assert_eq(&project.run(&["up"]));
    project.query("DELETE FROM a");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_i (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        001_i: index public.a_id is invalid, left by an unfinished build: dropping it and building it again
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(
        project.query("SELECT count(*) FROM pg_index WHERE indexrelid = 'a_id'::regclass AND indisvalid"),
        "1\n"
    );
    expect![[r#"
        exit 0
        --- stdout
        rolled back 001_i (N ms)
        rolled back 1 migration in N ms; no migration is applied any more
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
}

#[test]
fn a_transaction_inside_is_one_unit() {
    let project = Project::new();
    project.file(
        "migrations/001_unit.sql",
        "-- migrate:up transaction:false\nCREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nINSERT INTO a SELECT 2 FROM gate;\nCOMMIT;\nINSERT INTO a VALUES (3);\n-- migrate:down\nDROP TABLE a;\n",
    );
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: migration 001_unit failed at statement 2 of 6
         --> db/migrations/001_unit.sql:5:29
          |
        5 | INSERT INTO a SELECT 2 FROM gate;
          |                             ^ relation "gate" does not exist [42P01]
          |
          = note: applied before it in this run: none. Not run: none.
          = help: correct statement 2 or its cause, build, and run `up` again: it continues at statement 2
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT count(*) FROM a"), "0\n");
    project.query("CREATE TABLE gate AS SELECT 1");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_unit (N ms)
        applied 1 migration in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(project.query("SELECT id FROM a ORDER BY 1"), "1\n2\n3\n");
}
