//! `up`, `down`, `plan`: the straight way.

use expect_test::expect;

use crate::support::{Project, fingerprint};

#[test]
fn applies_what_is_pending_and_says_what_it_did() {
    let project = Project::new();
    project.tables(3);
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 002_t2 (N ms)
        applied 003_t3 (N ms)
        applied 3 migrations in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(
        project.query("SELECT version, name, release FROM schema_migrations ORDER BY version"),
        "001|t1|1.0.0\n002|t2|1.0.0\n003|t3|1.0.0\n"
    );
    assert_eq!(
        project.query("SELECT action, version, outcome FROM schema_migration_events ORDER BY id"),
        "up|001|done\nup|002|done\nup|003|done\n"
    );
}

#[test]
fn nothing_to_apply_takes_no_lock_and_writes_nothing() {
    let project = Project::new();
    project.tables(2).run(&["up"]);
    let before = fingerprint(&project);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn read_only_commands_write_nothing_not_even_their_own_tables() {
    let project = Project::new();
    project.tables(2);
    let before = fingerprint(&project);
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["plan"],
        &["up", "--dry-run"],
        &["environment"],
        &["list"],
        &["version"],
    ] {
        let output = project.run(arguments);
        assert!(output.starts_with("exit 0"), "{arguments:?}: {output}");
    }
    assert_eq!(fingerprint(&project), before);
}

#[test]
fn goes_up_to_a_version_and_no_further() {
    let project = Project::new();
    project.tables(3).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied 002_t2 (N ms)
        applied 2 migrations in N ms; the database is at 002
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up", "--to", "2"]));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot go to version 7: it is not a valid target
          = help: `migrator status` shows the versions; `up --to` takes one of this binary, `down --to` an applied one or 0
    "#]].assert_eq(&project.run(&["up", "--to", "7"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 003_t3 (N ms)
        applied repeatable v (N ms)
        applied 1 migration and 1 repeatable in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn a_plan_names_the_steps_and_their_sql() {
    let project = Project::new();
    project.tables(1).file(
        "migrations/002_i.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON t1 (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
    );
    expect![[r#"
        exit 0
        --- stdout
        would apply 001_t1
        would apply 002_i (outside a transaction)
        plan digest: CHECKSUM
    "#]]
    .assert_eq(&project.run(&["up", "--dry-run"]));
    expect![[r#"
        exit 0
        --- stdout
        -- would apply 001_t1
        CREATE TABLE t1 (id int);

        -- would apply 002_i (outside a transaction)
        CREATE INDEX CONCURRENTLY i ON t1 (id);

        -- plan digest: CHECKSUM
    "#]]
    .assert_eq(&project.run(&["plan", "--sql"]));
    expect![[r#"
        exit 0
        --- stdout
        {"format":1,"command":"plan","ahead":[],"digest":"07e5154b8a0953c9e35c15e2df50aed493c503a2d182deada90f43da399d21c9.BASIS","exit":0,"message":"would apply 1 step","steps":[{"checksum":"0f8634ecda33a40d6600eebdc14b7434b28cf004556b07fa2bcaaa5dc9e8b10b","direction":"up","file":"db/migrations/001_t1.sql","kind":"migration","name":"t1","statements_done":0,"transaction":true,"version":"001"}]}
    "#]]
    .assert_eq(&without_basis(&project.run(&["plan", "--json", "--to", "1"])));
}

/// The digest without what differs from one database to the next.
fn without_basis(json: &str) -> String {
    let (before, rest) = json.split_once("\"digest\":\"").unwrap();
    let (digest, after) = rest.split_once('"').unwrap();
    format!("{before}\"digest\":\"{}.BASIS\"{after}", &digest[..64])
}

#[test]
fn rolls_back_the_newest_first_and_leaves_the_target_in_place() {
    let project = Project::new();
    project.tables(4).run(&["up"]);
    expect![[r#"
        exit 0
        --- stdout
        rolled back 004_t4 (N ms)
        rolled back 1 migration in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
    expect![[r#"
        exit 0
        --- stdout
        rolled back 003_t3 (N ms)
        rolled back 002_t2 (N ms)
        rolled back 2 migrations in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["down", "--to", "1", "--yes"]));
    assert_eq!(project.query("SELECT version FROM schema_migrations"), "001\n");
    expect![[r#"
        exit 2
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: nothing was rolled back: there is no terminal to confirm the rollback of 001_t1
          = help: pass --yes
    "#]]
    .assert_eq(&project.run(&["down", "--to", "0"]));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot go to version 3: it is not a valid target
          = help: `migrator status` shows the versions; `up --to` takes one of this binary, `down --to` an applied one or 0
    "#]].assert_eq(&project.run(&["down", "--to", "3", "--yes"]));
    expect![[r#"
        exit 0
        --- stdout
        rolled back 001_t1 (N ms)
        rolled back 1 migration in N ms; no migration is applied any more
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["down", "--to", "0", "--yes"]));
    expect![[r#"
        exit 0
        --- stdout
        nothing to roll back
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["down", "--yes"]));
}

#[test]
fn checks_every_way_back_before_the_first_step() {
    let project = Project::new();
    project.tables(3).migration("002_t2", "CREATE TABLE t2 (id int);", "").run(&["up"]);
    expect![[r#"
        exit 8
        --- stderr
        error: cannot roll back 002_t2: it has no down block
          = note: nothing was rolled back; the file is `db/migrations/002_t2.sql`
          = help: write its `-- migrate:down` block (you may add it at any time), or write a new migration instead
    "#]]
    .assert_eq(&project.run(&["down", "--to", "0", "--yes"]));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "3\n");
}

#[test]
fn applies_a_repeatable_when_it_has_changed_or_something_was_taken_back() {
    let project = Project::new();
    project.tables(1).file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    project.run(&["up"]);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    project.file("repeatable/v.sql", "-- a comment changes nothing\nCREATE OR REPLACE VIEW v AS SELECT 1 AS one;\n");
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        -  v  applied  DATE TIME UTC  WHO  N ms
        up to date
    "#]]
    .assert_eq(&project.run(&["status", "--check"]));
    project.file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;\n");
    expect![[r#"
        exit 1
        --- stdout
        database DB at SERVER · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  applied  DATE TIME UTC  postgres  N ms
        -  v  pending  repeatable, last applied DATE TIME UTC by WHO
        1 pending. Next: `migrator up` applies what is pending.
    "#]]
    .assert_eq(&project.run(&["status", "--check"]));
    expect![[r#"
        exit 0
        --- stdout
        applied repeatable v (N ms)
        applied 1 repeatable in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    project.run(&["down", "--yes"]);
    expect![[r#"
        exit 0
        --- stdout
        applied 001_t1 (N ms)
        applied repeatable v (N ms)
        applied 1 migration and 1 repeatable in N ms; the database is at 001
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
}

#[test]
fn records_an_existing_schema_without_running_it() {
    let project = Project::new();
    project.tables(3).query("CREATE TABLE t1 (id int)");
    expect![[r#"
        exit 0
        --- stdout
        stamped 1 without running: 001_t1
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["stamp", "--to", "1"]));
    expect![[r#"
        exit 0
        --- stdout
        applied 002_t2 (N ms)
        applied 003_t3 (N ms)
        applied 2 migrations in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["up"]));
    expect![[r#"
        exit 0
        --- stdout
        nothing to stamp
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["stamp", "--all"]));
    expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          <--to <VERSION>|--all>

        Usage: dir-migrator stamp <--to <VERSION>|--all>

        For more information, try '--help'.
    "#]]
    .assert_eq(&project.run(&["stamp"]));
}

#[test]
fn seeds_run_in_one_transaction_and_are_recorded() {
    let project = Project::new();
    project.tables(1).file("seeds/development.sql", "INSERT INTO t1 VALUES (1);\n");
    project.file("seeds/bad.sql", "INSERT INTO t1 VALUES (2);\nINSERT INTO nowhere VALUES (1);\n");
    project.run(&["up"]);
    expect![[r#"
        exit 0
        --- stdout
        seeded development (N ms)
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&project.run(&["seed"]));
    expect![[r#"
        exit 3
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: seed bad failed and was rolled back
         --> db/seeds/bad.sql:2:13
          |
        2 | INSERT INTO nowhere VALUES (1);
          |             ^ relation "nowhere" does not exist [42P01]
          |
          = help: correct the file, build, and run `seed` again: none of it is in the database
    "#]]
    .assert_eq(&project.run(&["seed", "bad"]));
    expect![[r#"
        exit 2
        --- stderr
        error: there is no seed `nope` in this binary
          = note: seeds in this binary: bad, development
          = help: write `db/seeds/nope.sql` and build again
    "#]]
    .assert_eq(&project.run(&["seed", "nope"]));
    assert_eq!(project.query("SELECT id FROM t1"), "1\n");
    assert_eq!(
        project.query("SELECT name, outcome FROM schema_migration_events WHERE action = 'seed'"),
        "development|done\n"
    );
}
