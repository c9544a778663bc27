//! The round trip of `verify` over so many migrations that two databases share them.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use expect_test::{Expect, expect};

use migrator_postgres::TemporaryServer;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Project, query_at};

/// The verdict on the round trip, what belongs to it, and how it was done.
#[track_caller]
fn check(project: &Project, expected: Expect) {
    check_on(&TemporaryServer::start().unwrap(), project, expected);
}

/// On a server of its own: other tests make roles.
#[track_caller]
fn check_on(server: &TemporaryServer, project: &Project, expected: Expect) {
    let output = project.run_with(&["verify", "--verbose"], &[("DATABASE_URL", &server.url("postgres"))]);
    let belongs = |line: &str| line.starts_with(' ') || line.contains("round trip: ");
    let lines: Vec<&str> = output.lines().skip_while(|line| !line.contains("round trip: ")).collect();
    let (first, behind) = lines.split_first().unwrap_or_else(|| panic!("{output}"));
    let answer = std::iter::once(first).chain(behind.iter().take_while(|line| belongs(line)));
    let how = output.lines().filter(|line| line.starts_with("round trip: "));
    let text: String = answer.copied().chain(how).map(|line| format!("{}\n", line.replace(" (N ms)", ""))).collect();
    expected.assert_eq(&text);
}

#[test]
fn what_two_databases_find_is_told_in_the_order_of_the_migrations() {
    let project = Project::new();
    project.tables(40);
    let broken = |number: usize, up: &str, down: &str| {
        project.migration(&format!("{number:03}_t{number}"), up, down);
    };
    broken(3, "CREATE TABLE t3 (a int, b int);", "DROP TABLE nobody;");
    broken(9, "ALTER TABLE t3 DROP COLUMN a;", "ALTER TABLE t3 ADD COLUMN a int;");
    broken(16, "CREATE TABLE t16 (id int);", "");
    broken(17, "CREATE TABLE t17 (id int);", "ALTER TABLE t17 RENAME TO left_behind;");
    broken(36, "CREATE TABLE IF NOT EXISTS t36 (id int);", "ALTER TABLE t36 ADD COLUMN more int;");
    broken(40, "CREATE SEQUENCE s;", "DROP SEQUENCE s; CREATE VIEW v AS SELECT 1 AS one;");
    check(
        &project,
        expect![[r#"
        FAILED  round trip: 34 of 39 rollbacks restore the schema exactly; migrations without a down block: 1
                    003_t3: the rollback fails
                    error: rollback of migration 003_t3 failed; the migration is still applied
                     --> db/migrations/003_t3.sql:5:1
                      |
                    5 | DROP TABLE nobody;
                      | ^ table "nobody" does not exist [42P01]
                      |
                      = note: rolled back before it in this run: none. Not run: none.
                      = help: correct the down block (it may always be edited), build, and run `down` again
                    017_t17: the rollback does not restore the schema
                    + public.left_behind column id #1 integer
                    + public.left_behind owner postgres
                    + public.left_behind table LOGGED
                    036_t36: the rollback does not restore the schema
                    + public.t36 column id #1 integer
                    + public.t36 column more #2 integer
                    + public.t36 owner postgres
                    + public.t36 table LOGGED
                    040_t40: the rollback does not restore the schema
                    + public.v column one #1 integer
                    + public.v owner postgres
                    + public.v view AS  SELECT 1 AS one;
                    009_t9: only the order of columns is not restored
                    - public.t3 column a #1 integer
                    + public.t3 column a #2 integer
                    - public.t3 column b #2 integer
                    + public.t3 column b #1 integer
        round trip: in two databases at once
    "#]],
    );
}

#[test]
fn a_second_way_up_that_leads_elsewhere_is_found_in_two_databases_too() {
    let project = Project::new();
    project.tables(20).migration("021_marks", "CREATE TABLE mark (id int);", "");
    project.migration(
        "022_twice",
        "INSERT INTO mark VALUES (1);\nDO $$ BEGIN EXECUTE format('CREATE TABLE u%s (id int)', (SELECT count(*) FROM mark)); END $$;",
        "DO $$ BEGIN EXECUTE format('DROP TABLE u%s', (SELECT count(*) FROM mark)); END $$;",
    );
    check(
        &project,
        expect![[r#"
        FAILED  round trip: 20 of 21 rollbacks restore the schema exactly; migrations without a down block: 1
                    022_twice: the second up produces another schema
                    - public.u1 column id #1 integer
                    - public.u1 owner postgres
                    - public.u1 table LOGGED
                    + public.u2 column id #1 integer
                    + public.u2 owner postgres
                    + public.u2 table LOGGED
        round trip: in two databases at once
    "#]],
    );
}

const ROLE: &str = "DO $$ BEGIN \
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN CREATE ROLE reader; END IF; END $$;";

#[test]
fn one_database_after_the_other_where_roles_are_made() {
    let project = Project::new();
    project.tables(40);
    project.remove("migrations/018_t18.sql").migration("018_role", ROLE, "DROP ROLE reader;");
    check(
        &project,
        expect![[r#"
        ok      round trip: 40 of 40 rollbacks restore the schema exactly; migrations without a down block: 0
        round trip: in one database after the other
    "#]],
    );
}

#[test]
fn everything_is_asked_again_by_one_where_a_role_turns_out_to_be_made_anew() {
    let project = Project::new();
    project.tables(40);
    project.remove("migrations/018_t18.sql").migration("018_role", ROLE, "DROP ROLE reader;");
    let server = TemporaryServer::start().unwrap();
    // It is there: the first way up does not touch it, the way back does.
    query_at(&server.url("postgres"), "CREATE ROLE reader");
    check_on(
        &server,
        &project,
        expect![[r#"
        ok      round trip: 40 of 40 rollbacks restore the schema exactly; migrations without a down block: 0
        round trip: in two databases at once
        round trip: in one database after the other
    "#]],
    );
}

#[test]
fn a_migration_that_writes_to_the_history_is_no_proof() {
    let project = Project::new();
    project.tables(2).migration("003_forges", "UPDATE schema_migrations SET name = 'other';", "SELECT 1;");
    check(
        &project,
        expect![[r#"
        FAILED  round trip: error: the history in `"public"."schema_migrations"` does not match what was applied
                      = help: no migration may write to the history tables
        round trip: in one database after the other
    "#]],
    );
}

#[test]
fn what_runs_outside_a_transaction_goes_its_way_up_down_and_up_again() {
    let project = Project::new();
    project.tables(20);
    project.file(
        "migrations/021_index.sql",
        "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY t1_id ON t1 (id);\nCREATE INDEX CONCURRENTLY t2_id ON t2 (id);\n\n\
         -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY t2_id;\nDROP INDEX CONCURRENTLY t1_id;\n",
    );
    check(
        &project,
        expect![[r#"
        ok      round trip: 21 of 21 rollbacks restore the schema exactly; migrations without a down block: 0
        round trip: in two databases at once
    "#]],
    );
}

#[test]
fn what_a_copy_of_a_database_would_not_have_is_there_behind_a_broken_way_back() {
    let project = Project::new();
    let setting =
        |what: &str| format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {what}', current_database()); END $$;");
    project
        .migration("001_setting", &setting("SET work_mem = ''5MB''"), &setting("RESET work_mem"))
        .migration("002_broken", "CREATE TABLE a (id int);", "DROP TABLE b;")
        .migration("003_fine", "CREATE TABLE b (id int);", "DROP TABLE b;")
        .migration("004_broken", "CREATE TABLE c (id int);", "ALTER TABLE c RENAME TO d;");
    check(
        &project,
        expect![[r#"
        FAILED  round trip: 2 of 4 rollbacks restore the schema exactly; migrations without a down block: 0
                    002_broken: the rollback fails
                    error: rollback of migration 002_broken failed; the migration is still applied
                     --> db/migrations/002_broken.sql:5:1
                      |
                    5 | DROP TABLE b;
                      | ^ table "b" does not exist [42P01]
                      |
                      = note: rolled back before it in this run: none. Not run: none.
                      = help: correct the down block (it may always be edited), build, and run `down` again
                    004_broken: the rollback does not restore the schema
                    + public.d column id #1 integer
                    + public.d owner postgres
                    + public.d table LOGGED
        round trip: in one database after the other
    "#]],
    );
}

#[test]
fn a_terminal_shows_how_many_migrations_have_been_through_it() {
    let project = Project::new();
    project.tables(40);
    let server = TemporaryServer::start().unwrap();
    let terminal = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other_end = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut verify = project.command(&["verify"]);
    verify.env("DATABASE_URL", server.url("postgres")).env("TERM", "xterm").stdout(Stdio::null());
    let mut child = verify.stderr(other_end).spawn().unwrap();
    // Ours of the other end is closed with the command, so that reading ends when the process does.
    drop(verify);
    let mut shown = Vec::new();
    let mut terminal = terminal;
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = terminal.read(&mut part) {
        shown.extend_from_slice(&part[..count]);
    }
    assert!(child.wait().unwrap().success());
    let shown = String::from_utf8_lossy(&shown).into_owned();
    let numbers: Vec<usize> =
        shown.split("round trip: ").skip(1).filter_map(|text| text.split_once(" of 40")?.0.parse().ok()).collect();
    assert!(!numbers.is_empty(), "{shown}");
    assert!(numbers.is_sorted() && numbers.iter().all(|number| (1..=40).contains(number)), "{numbers:?}");
}
