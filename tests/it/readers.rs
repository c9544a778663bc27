//! Readers that are gone, and disks that are full: the work goes on, and what could not be said is not passed over.

use std::fs::File;
use std::process::{Command, Stdio};

use expect_test::expect;

use crate::support::Project;

fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads.
fn dead() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// The exit code.
fn ends(command: &mut Command) -> Option<i32> {
    command.status().unwrap().code()
}

/// So many migrations, each of which speaks.
fn noisy(project: &Project, count: usize) {
    for n in 1..=count {
        let up = format!("CREATE TABLE t{n} (id int);\nDO $$ BEGIN RAISE NOTICE 'from {n}'; END $$;");
        project.migration(&format!("{n:03}_t{n}"), &up, &format!("DROP TABLE t{n};"));
    }
}

#[test]
fn a_run_whose_reader_has_gone_ends_as_it_would_have() {
    let project = Project::new();
    noisy(&project, 20);
    // `up 2>&1 | head -3`: both go to where nobody reads.
    assert_eq!(ends(project.command(&["up", "--verbose"]).stdout(dead()).stderr(dead())), Some(0));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "20\n");
    project.file(
        "migrations/021_steps.sql",
        "-- migrate:up transaction:false\nCREATE TABLE once ();\nDO $$ BEGIN RAISE NOTICE 'two'; END $$;\nCREATE TABLE three ();\n-- migrate:down\n",
    );
    assert_eq!(ends(project.command(&["up", "--verbose"]).stderr(dead())), Some(0));
    assert_eq!(project.query("SELECT to_regclass('three') IS NOT NULL, count(*) FROM schema_migrations"), "t|21\n");
    assert!(project.run(&["status"]).contains("up to date"), "no statement is in doubt");
    project.migration("022_fails", "SELECT 1 / 0;", "");
    assert_eq!(ends(project.command(&["up"]).stdout(dead()).stderr(dead())), Some(3));
    assert_eq!(ends(project.command(&["up"]).stderr(full())), Some(3));
    project.migration("022_fails", "SELECT 1;", "SELECT 1;");
    assert_eq!(ends(project.command(&["up"]).stderr(full())), Some(0));
    assert_eq!(ends(project.command(&["down", "--yes"]).stdout(dead()).stderr(dead())), Some(0));
    // A reader that has seen enough is no failure.
    for command in
        [&["status", "--json"][..], &["list"], &["plan", "--sql"], &["--help"], &["up", "--help"], &["--version"]]
    {
        assert_eq!(ends(project.command(command).stdout(dead()).stderr(dead())), Some(0), "{command:?}");
    }
    for command in [&["nonesuch"][..], &["up", "--nonesuch"], &["show", "99"]] {
        assert_eq!(ends(project.command(command).stderr(dead())), Some(2), "{command:?}");
    }
}

/// Runs it with stdout on a full disk.
fn run_full(project: &Project, arguments: &[&str]) -> String {
    let child = project.command(arguments).stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
    project.finish(child)
}

#[test]
fn a_result_that_cannot_be_written_is_an_error_of_every_command_that_reads() {
    let project = Project::new();
    project.tables(2).file("checks/c.sql", "SELECT 1 WHERE false;\n").run(&["up"]);
    let major = &project.query("SHOW server_version_num").trim()[..2].to_owned();
    let facts = project.command(&["drift", "--facts"]).output().unwrap();
    project.file(&format!("schema.facts.{major}"), &String::from_utf8(facts.stdout).unwrap());
    expect![[r#"
        exit 9
        --- stderr
        error: the result could not be written to stdout: No space left on device (os error 28)
          = help: make room where stdout goes, or write it elsewhere, and run the command again
    "#]]
    .assert_eq(&run_full(&project, &["status", "--json"]));
    let commands: [&[&str]; 22] = [
        &["status"],
        &["status", "--check"],
        &["status", "--check", "--json"],
        &["plan"],
        &["plan", "--sql"],
        &["plan", "--json"],
        &["up", "--dry-run"],
        &["list"],
        &["list", "--json"],
        &["show", "1"],
        &["version"],
        &["version", "--json"],
        &["audit"],
        &["audit", "--json"],
        &["drift"],
        &["drift", "--json"],
        &["drift", "--facts"],
        &["environment"],
        &["wait"],
        &["--help"],
        &["up", "--help"],
        &["--version"],
    ];
    for command in commands {
        let output = run_full(&project, command);
        let said = "error: the result could not be written to stdout: No space left on device";
        assert!(output.starts_with("exit 9") && output.contains(said), "{command:?}: {output}");
    }
}

#[test]
fn a_command_that_has_done_its_work_says_what_is_true_also_where_nobody_can_read_it() {
    let project = Project::new();
    project.tables(2).file("seeds/s.sql", "SELECT 1;\n");
    expect![[r#"
        exit 9
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
        error: the result could not be written to stdout: No space left on device (os error 28)
          = note: the result, which could not be written, was: applied 2 migrations in N ms; the database is at 002
          = help: make room where stdout goes; `migrator status` shows what is in the database
    "#]]
    .assert_eq(&run_full(&project, &["up"]));
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "2\n");
    let commands: [(&[&str], &str); 5] = [
        (&["up"], "nothing to apply"),
        (&["seed", "s"], "seeded s"),
        (&["environment", "set", "staging"], "is now marked as `staging`"),
        (&["down", "--yes"], "rolled back 1 migration"),
        (&["stamp", "--to", "2"], "stamped 1 without running: 002_t2"),
    ];
    for (command, truth) in commands {
        let output = run_full(&project, command);
        assert!(
            output.starts_with("exit 9") && output.contains("which could not be written, was: "),
            "{command:?}: {output}"
        );
        assert!(output.contains(truth), "{command:?}: {output}");
    }
    // What has failed is worse than what could not be said of it.
    project.migration("003_fails", "SELECT 1 / 0;", "").migration("004_later", "SELECT 1;", "");
    project.query("DELETE FROM schema_migrations WHERE version = '002'; DROP TABLE IF EXISTS t2");
    let output = run_full(&project, &["up"]);
    assert!(output.starts_with("exit 3") && output.contains("could not be written"), "{output}");
}

#[test]
fn a_task_that_has_changed_a_database_says_so_too() {
    let project = Project::new();
    project.tables(2);
    let database = project.database();
    let reset = ["reset", "--yes", "--database", database];
    let output = run_full(&project, &reset);
    let truth = "which could not be written, was: applied 2 migrations";
    assert!(output.starts_with("exit 9") && output.contains(truth), "{output}");
    let output = run_full(&project, &["drop", "--yes", "--database", database]);
    assert!(output.starts_with("exit 9") && output.contains("was: dropped database `DB`"), "{output}");
    let output = run_full(&project, &["create"]);
    assert!(output.starts_with("exit 9") && output.contains("was: created database `DB`"), "{output}");
    project.migration("003_fails", "SELECT 1 / 0;", "");
    let output = run_full(&project, &reset);
    assert!(output.starts_with("exit 3") && output.contains("could not be written"), "{output}");
    // The questions of `verify` change nothing that is kept.
    let output = run_full(&project, &["verify"]);
    assert!(output.starts_with("exit 9") && !output.contains("which could not be written, was"), "{output}");
}
