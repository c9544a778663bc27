//! What `cargo xtask migrate up` does behind the migrator: the committed schema, and the signals meanwhile.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::dump::{major, programs_without_pg_dump};
use crate::support::{Project, query_at};
use crate::workspace::Workspace;

const SCHEMA: &str = "db/schema.sql";

fn facts() -> String {
    format!("db/schema.facts.{}", major())
}

/// What `line` wrote into the db directory, as it says itself.
fn note(output: &str) -> Option<&str> {
    output.lines().find(|line| line.starts_with("wrote "))
}

/// Both files with another text: whatever writes them is seen.
fn spoil(workspace: &Workspace) {
    workspace.write(SCHEMA, "spoilt");
    let mut text = fs::read_to_string(workspace.path(facts())).unwrap();
    text.push_str("spoilt\ttable\tLOGGED\n");
    workspace.write(facts(), text);
}

fn is_spoilt(workspace: &Workspace) -> bool {
    let spoilt = |name: &str| fs::read_to_string(workspace.path(name)).unwrap().contains("spoilt");
    let (schema, facts) = (spoilt(SCHEMA), spoilt(&facts()));
    assert_eq!(schema, facts, "one of the two was written");
    schema
}

/// The last migration is pending.
fn what_cannot_be_remembered_is_a_warning(workspace: &Workspace) {
    fs::remove_file(workspace.path(".dev/schema.json")).unwrap();
    workspace.write(".dev/schema.json/in_the_way", "");
    let up = workspace.run(&mut workspace.cargo("xtask up --quiet"));
    fs::remove_dir_all(workspace.path(".dev/schema.json")).unwrap();
    expect![[r#"
        exit 0
        --- stdout
        applied 004_more (N ms)
        applied repeatable views (N ms)
        applied 1 migration and 1 repeatable in N ms; the database is at 004
        --- stderr
        warning: failed to remember that the schema is up to date: failed to write `<root>/.dev/schema.json`: Is a directory (os error 21)
        help: until this works, every `up` generates the schema again
    "#]]
    .assert_eq(&up);
}

#[test]
fn the_committed_schema_follows_an_up_and_costs_nothing_where_it_is_up_to_date() {
    let workspace = Workspace::foreign("refresh");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    expect![[r#"
        exit 0
        --- stdout
        applied 001_init (N ms)
        applied 002_create_loans (N ms)
        applied 003_index_open_loans (N ms)
        applied repeatable views (N ms)
        applied 3 migrations and 1 repeatable in N ms; the database is at 003
        --- stderr
        started this workspace's PostgreSQL; `cargo xtask db stop` stops it
        SERVER · database refresh_dev · user postgres · PostgreSQL X
        wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR
    "#]]
    .assert_eq(&run("xtask migrate up"));
    let written = || [SCHEMA.to_owned(), facts()].map(|name| fs::read(workspace.path(name)).unwrap());
    let first = written();
    expect![[r#"
        exit 0
        --- stderr
        the committed schema is what the migrations produce
    "#]]
    .assert_eq(&run("xtask dump --check"));
    // Without pg_dump it could not be made again: nothing is made.
    let programs = programs_without_pg_dump();
    let without = |line: &str| {
        let output = workspace.run(workspace.cargo(line).env("PG_BIN", programs.path()));
        output.replace(&programs.path().display().to_string(), "PROGRAMS")
    };
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database refresh_dev · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&without("xtask up"));

    spoil(&workspace);
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database refresh_dev · user postgres · PostgreSQL X
        warning: db/schema.sql and the facts could not be updated: there is no `pg_dump` in `PROGRAMS`, where the server's programs are
        help: install the client programs of the same release (`apt install postgresql-client`)
        help: run `cargo xtask dump` to try again, or pass `--no-dump` to skip this
    "#]].assert_eq(&without("xtask migrate up"));
    assert!(is_spoilt(&workspace));
    assert_eq!(note(&run("xtask up")), Some("wrote db/schema.sql and db/schema.facts.MAJOR"));
    assert!(written() == first, "spoilt files are written as they were");
    fs::remove_file(workspace.path(SCHEMA)).unwrap();
    assert_eq!(note(&run("xtask reset --yes")), Some("wrote db/schema.sql"));
    assert!(written() == first, "a missing file is written as it was");
    workspace.write(
        "db/migrations/004_more.sql",
        "-- migrate:up\nCREATE TABLE more ();\n\n-- migrate:down\nDROP TABLE more;\n",
    );
    assert_eq!(
        note(&run("xtask migrate up --to 3")),
        Some("wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR")
    );
    assert!(fs::read_to_string(workspace.path(SCHEMA)).unwrap().contains("CREATE TABLE public.more"));
    what_cannot_be_remembered_is_a_warning(&workspace);
}

#[test]
fn the_committed_schema_stays_as_it_is_where_nobody_wants_it_written() {
    let workspace = Workspace::foreign("refresh");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    let first = run("xtask up");
    assert!(first.starts_with("exit 0") && note(&first).is_some(), "{first}");
    spoil(&workspace);
    for line in [
        "xtask migrate --no-dump up",
        "xtask up --no-dump",
        "xtask up --dry-run",
        "xtask up --help",
        "xtask status",
        "xtask down --yes",
        "xtask up --no-dump",
    ] {
        let output = run(line);
        assert!(output.starts_with("exit 0") && note(&output).is_none(), "{line}: {output}");
        assert!(is_spoilt(&workspace), "{line}");
    }
    let output = workspace.run(workspace.cargo("xtask up").env("MIGRATOR_NO_DUMP", "true"));
    assert!(output.starts_with("exit 0") && is_spoilt(&workspace), "{output}");
    expect![[r#"
        exit 2
        --- stderr
        error: invalid value `perhaps` for `MIGRATOR_NO_DUMP`
        help: set it to `true` or `false`
    "#]]
    .assert_eq(&workspace.run(workspace.cargo("xtask up").env("MIGRATOR_NO_DUMP", "perhaps")));
    let other = Project::new();
    let output = workspace.run(workspace.cargo("xtask up").env("DATABASE_URL", other.url()));
    assert!(output.starts_with("exit 0") && is_spoilt(&workspace), "{output}");
    workspace.write("db/migrations/004_bad.sql", "-- migrate:up\nSELECT nothing;\n\n-- migrate:down\nSELECT 1;\n");
    let output = run("xtask up");
    assert!(output.starts_with("exit 3") && is_spoilt(&workspace), "{output}");
    fs::remove_file(workspace.path("db/migrations/004_bad.sql")).unwrap();
    // The workspace's own database by its URL is still its own.
    let url = String::from_utf8(workspace.cargo("xtask db url").output().unwrap().stdout).unwrap();
    let output = workspace.run(workspace.cargo("xtask up").env("DATABASE_URL", url.trim()));
    assert!(output.starts_with("exit 0") && !is_spoilt(&workspace), "{output}");
}

#[test]
fn a_schema_of_another_release_of_postgresql_is_not_written_in_turns() {
    let workspace = Workspace::foreign("refresh");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    run("xtask up");
    let text = fs::read_to_string(workspace.path(SCHEMA)).unwrap();
    let other = text.replace(&format!("PostgreSQL {}", major()), "PostgreSQL 99");
    workspace.write(SCHEMA, &other);
    fs::remove_file(workspace.path(facts())).unwrap();
    expect![[r#"
        exit 0
        --- stdout
        nothing to apply
        --- stderr
        SERVER · database refresh_dev · user postgres · PostgreSQL X
        db/schema.sql comes from PostgreSQL X and was not updated; `cargo xtask dump` rewrites it for PostgreSQL X
    "#]]
    .assert_eq(&run("xtask up"));
    assert!(fs::read_to_string(workspace.path(SCHEMA)).unwrap() == other && !workspace.path(facts()).exists());
    // Facts that somebody has committed for this release are this release's affair.
    workspace.write(facts(), "# schema facts of PostgreSQL MAJOR at 001; old\n".replace("MAJOR", &major()));
    assert_eq!(note(&run("xtask up")), Some("wrote db/schema.facts.MAJOR"));
    assert!(fs::read_to_string(workspace.path(SCHEMA)).unwrap() == other);
    assert_eq!(note(&run("xtask up")), None);
    run("xtask dump");
    assert!(fs::read_to_string(workspace.path(SCHEMA)).unwrap() == text);
}

#[test]
fn a_signal_behind_the_migrator_ends_the_task_at_once() {
    let workspace = Workspace::foreign("refresh");
    let programs = programs_without_pg_dump();
    // It goes on for as long as its mark is there.
    let mark = programs.path().join("dumping");
    let script = format!("#!/bin/sh\n: >'{0}'\nwhile [ -e '{0}' ]; do sleep 0.1; done\n", mark.display());
    fs::write(programs.path().join("pg_dump"), script).unwrap();
    fs::set_permissions(programs.path().join("pg_dump"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut task = workspace.cargo("xtask up");
    let task = task.env("PG_BIN", programs.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the dump", || mark.exists());
    kill_process(Pid::from_child(&task), Signal::INT).unwrap();
    let output = task.wait_with_output().unwrap();
    fs::remove_file(&mark).unwrap();
    assert_eq!(output.status.signal(), Some(2));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the database is at 003"), "the migrator had ended: {said}");
    assert!(!workspace.path(SCHEMA).exists());
}

fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if there() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{what} has not begun");
}

/// A workspace whose newest migration takes a minute, and the URL of its database.
fn slow() -> (Workspace, String) {
    let workspace = Workspace::foreign("refresh");
    let first = workspace.run(&mut workspace.cargo("xtask up --no-dump"));
    assert!(first.starts_with("exit 0"), "{first}");
    workspace.write(
        "db/migrations/004_slow.sql",
        "-- migrate:up\nCREATE TABLE half ();\nSELECT pg_sleep(60);\n\n-- migrate:down\nDROP TABLE half;\n",
    );
    let url = String::from_utf8(workspace.cargo("xtask db url").output().unwrap().stdout).unwrap();
    (workspace, url.trim().to_owned())
}

fn wait_for_the_slow_statement(url: &str) {
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    wait_for("the migration", || query_at(url, sleeps) == "1\n");
}

#[test]
fn a_signal_to_the_task_alone_stops_the_migrator_and_its_exit_code_is_passed_on() {
    let (workspace, url) = slow();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let task = workspace.cargo("xtask up").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for_the_slow_statement(&url);
        kill_process(Pid::from_child(&task), signal).unwrap();
        let output = task.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("migration 004_slow failed and was rolled back"), "{said}");
        assert!(said.contains("stopping; the running statement is cancelled"), "{said}");
    }
    assert!(!workspace.path(SCHEMA).exists(), "nothing is written behind a failure");
}

#[test]
fn who_ignores_the_end_of_the_terminal_has_a_migrator_that_does_too() {
    let (workspace, url) = slow();
    let mut task = workspace.program("sh");
    // As `nohup` does.
    task.args(["-c", "trap '' HUP; exec \"$CARGO_PROGRAM\" xtask up"]);
    task.env("CARGO_PROGRAM", workspace.cargo("").get_program()).process_group(0);
    let task = task.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_the_slow_statement(&url);
    let group = Pid::from_child(&task);
    kill_process_group(group, Signal::HUP).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    wait_for_the_slow_statement(&url);
    kill_process(group, Signal::TERM).unwrap();
    let output = task.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(143), "{said}");
    assert!(said.contains("migration 004_slow failed and was rolled back"), "{said}");
}

#[test]
fn ctrl_c_in_a_terminal_reaches_the_migrator_once() {
    let (workspace, url) = slow();
    // The terminal tells every process of its foreground: the task, and the migrator itself.
    let mut terminal = workspace.program("script");
    terminal.args(["--quiet", "--return", "--command", "\"$CARGO_PROGRAM\" xtask up", "/dev/null"]);
    terminal.env("CARGO_PROGRAM", workspace.cargo("").get_program());
    let mut terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    wait_for_the_slow_statement(&url);
    terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    let mut said = String::new();
    terminal.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(terminal.wait().unwrap().code(), Some(130), "{said}");
    // Told twice, it would have ended at once, without a word about what is in the database.
    assert!(said.contains("migration 004_slow failed and was rolled back"), "{said}");
}

#[test]
fn a_signal_ends_the_task_also_after_its_work_on_the_database() {
    let workspace = Workspace::foreign("refresh");
    let programs = programs_without_pg_dump();
    let (program, begun) = (programs.path().join("pg_dump"), programs.path().join("begun"));
    fs::write(&program, format!("#!/bin/sh\ntouch {}\nexec sleep 600\n", begun.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut reset = workspace.cargo("xtask reset --yes");
    let mut child = reset
        .env("PG_BIN", programs.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    while !begun.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended before");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    kill_process_group(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}
