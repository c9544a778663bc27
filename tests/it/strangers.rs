//! Another user of the machine gets neither a connection nor a file while `verify`, `dump`, `plan --locks` or the tests run.

mod attack;

use std::process::{Command, Stdio};

use self::attack::{Attack, Report};
use crate::support::not_tested;
use crate::workspace::Workspace;

/// Not a test: the other user.
#[test]
#[ignore = "started by the other tests"]
fn the_stranger() {
    attack::be_the_stranger();
}

/// Runs something beside an attack; `None`, after saying so: there can be none.
fn attacked(what: &str, run: impl FnOnce()) -> Option<Report> {
    let attack = match Attack::begin("strangers::the_stranger") {
        Ok(attack) => attack,
        Err(reason) => {
            not_tested(&format!("another user beside {what}: {reason}"));
            return None;
        }
    };
    run();
    let report = attack.end();
    assert_eq!(report.got, Vec::<String>::new(), "{what}: {report:?}");
    assert!(report.sockets >= 1 && report.directories >= 4, "{what}: {report:?}");
    Some(report)
}

#[test]
fn a_stranger_gets_nothing_while_the_tests_run() {
    let run = || {
        let mut tests = Command::new(std::env::current_exe().unwrap());
        tests.args(["tls::", "wait::", "secrets::", "libpq::", "pooler::", "up::plan", "round_trip::", "silent::"]);
        let output = tests.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    if let Some(report) = attacked("the tests", run) {
        assert!(report.ports >= 3 && report.sockets >= 3, "{report:?}");
    }
}

#[test]
fn a_stranger_gets_nothing_while_verify_dump_and_plan_locks_run() {
    let workspace = Workspace::foreign("strangers");
    let xtask = |line: &str| {
        let said = workspace.run(&mut workspace.cargo(line));
        assert!(said.starts_with("exit 0\n"), "{line}: {said}");
    };
    for line in ["xtask verify", "xtask dump", "xtask migrate up --no-dump", "xtask migrate plan --locks"] {
        attacked(line, || xtask(line));
        if line.ends_with("--no-dump") {
            // So that there is something to plan, beside a development server that runs.
            workspace.write(
                "db/migrations/900_more.sql",
                "-- migrate:up\nCREATE TABLE more (id int);\n\n-- migrate:down\nDROP TABLE more;\n",
            );
        }
    }
}
