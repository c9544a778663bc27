//! What a person at a terminal sees: movement, colours, width.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::support::{Other, Project};

/// One end of a terminal that is so many columns wide, and the other.
fn terminal(columns: u16) -> (File, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 25, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let other = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (File::from(terminal), other)
}

/// Runs it on a terminal, with an answer typed beforehand.
pub(crate) fn on_terminal(mut command: Command, columns: u16, typed: &str) -> (ExitStatus, String) {
    let (mut ours, theirs) = terminal(columns);
    ours.write_all(typed.as_bytes()).unwrap();
    let end = || Stdio::from(theirs.try_clone().unwrap());
    let mut child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
    // Their end is closed with the command, so that reading ends when the process does.
    drop((command, theirs));
    let (mut shown, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = ours.read(&mut part) {
        shown.extend_from_slice(&part[..count]);
    }
    (child.wait().unwrap(), String::from_utf8_lossy(&shown).into_owned())
}

fn variables<'c>(command: &'c mut Command, variables: &[(&str, &str)]) -> &'c mut Command {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "COLORTERM"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm").envs(variables.iter().copied())
}

#[test]
fn no_dead_spinner_is_left_above_a_question_or_a_wait() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    let mut down = project.command(&["down"]);
    variables(&mut down, &[]);
    let (ended, shown) = on_terminal(down, 80, "y\n");
    assert!(ended.success(), "{shown}");
    let (before, _) = shown.split_once("Roll back 001_t1?").expect(&shown);
    assert!(!before.contains("(0s)") && !before.contains('⠁'), "{before:?}");
    // The same while another migrator holds the lock.
    let other = Other::new(&project);
    other.run("SELECT pg_advisory_lock(7300916411259422349)");
    let mut up = project.command(&["up", "--wait-lock", "300ms"]);
    variables(&mut up, &[]);
    let (ended, shown) = on_terminal(up, 80, "");
    assert_eq!(ended.code(), Some(5), "{shown}");
    assert!(!shown.contains("(0s)") && !shown.contains('⠁'), "{shown:?}");
}

#[test]
fn a_terminal_without_movement_gets_neither_colours_nor_a_spinner() {
    let project = Project::new();
    project.migration("001_a", "SELECT pg_sleep(0.5);\nSELECT nope;", "");
    let shown = |pairs: &[(&str, &str)], arguments: &[&str]| {
        let mut up = project.command(arguments);
        variables(&mut up, pairs);
        on_terminal(up, 80, "").1
    };
    let is_coloured =
        |text: &str| text.contains("\u{1b}[1m") || text.contains("\u{1b}[1;") || text.contains("\u{1b}[3");
    assert!(is_coloured(&shown(&[], &["up"])));
    assert!(!shown(&[("TERM", "dumb")], &["up"]).contains('\u{1b}'));
    assert!(!is_coloured(&shown(&[("NO_COLOR", "1")], &["up"])));
    assert!(!is_coloured(&shown(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], &["up"])));
    assert!(!is_coloured(&shown(&[("CLICOLOR", "0")], &["up"])));
    assert!(is_coloured(&shown(&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], &["up"])));
    assert!(is_coloured(&shown(&[("NO_COLOR", "1")], &["up", "--color", "always"])));
    let piped = |pairs: &[(&str, &str)]| {
        let mut up = project.command(&["up"]);
        String::from_utf8_lossy(&variables(&mut up, pairs).output().unwrap().stderr).into_owned()
    };
    assert!(!piped(&[]).contains('\u{1b}'));
    assert!(is_coloured(&piped(&[("CLICOLOR_FORCE", "1")])));
    assert!(!piped(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!piped(&[("CLICOLOR_FORCE", "0")]).contains('\u{1b}'));
}

#[test]
fn excerpts_and_the_table_of_status_fit_the_terminal() {
    let project = Project::new();
    let name = format!("001_{}", "a_very_long_name_".repeat(6));
    project.migration(&name, "CREATE TABLE a (id int);", "DROP TABLE a;").run(&["up"]);
    project.file(
        "migrations/002_steps.sql",
        "-- migrate:up transaction:false\nCREATE TABLE steps_that_are_many ();\nSELECT nope_and_nothing_but_nope_for_a_while FROM nowhere;\n-- migrate:down\n",
    );
    project.run(&["up"]);
    for columns in [60_u16, 80, 100] {
        let mut status = project.command(&["status"]);
        variables(&mut status, &[]);
        let (_, shown) = on_terminal(status, columns, "");
        let table = shown.lines().take_while(|line| !line.contains("Next:"));
        let widest = table.map(|line| line.trim_end().chars().count()).max().unwrap();
        assert!(widest <= columns.into(), "{columns}: {shown}");
        assert!(shown.contains("..."), "{shown}");
    }
    assert!(project.run(&["status"]).contains(&name[4..]), "a file gets the whole name");
    let long = format!("SELECT {}nope;", "1, ".repeat(100));
    project.file("migrations/002_steps.sql", &format!("-- migrate:up\n{long}\n-- migrate:down\n"));
    let other = Project::new();
    other.migration("001_a", &long, "");
    let mut up = other.command(&["up", "--color", "never"]);
    variables(&mut up, &[]);
    let (_, shown) = on_terminal(up, 60, "");
    let excerpt = shown.lines().find(|line| line.contains("1, 1,")).expect(&shown);
    assert!(excerpt.trim_end().chars().count() <= 60, "{shown}");
}

#[test]
fn a_terminal_that_is_closed_does_not_end_the_work() {
    let project = Project::new();
    project.migration(
        "001_slow",
        "DO $$ BEGIN FOR i IN 1..20 LOOP RAISE NOTICE 'n'; PERFORM pg_sleep(0.1); END LOOP; END $$;",
        "",
    );
    let (ours, theirs) = terminal(80);
    let mut up = project.command(&["up"]);
    variables(&mut up, &[]).stdout(theirs.try_clone().unwrap()).stderr(theirs);
    let mut child = up.spawn().unwrap();
    drop(up);
    std::thread::sleep(Duration::from_millis(700));
    // It is not the process's own terminal: no signal comes, only the writing fails.
    drop(ours);
    child.wait().unwrap();
    assert_eq!(project.query("SELECT count(*) FROM schema_migrations"), "1\n");
}
