//! The command line: what its help shows, and what is said where it makes no sense.

use std::process::{Command, Stdio};

use expect_test::expect;

use crate::support::Project;

#[test]
fn an_empty_variable_is_a_mistake_and_not_a_wish() {
    let project = Project::new();
    project.tables(1);
    let run = |arguments: &[&str], name: &str| {
        project.finish(
            project
                .command(arguments)
                .env(name, "")
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap(),
        )
    };
    expect![[r#"
        exit 2
        --- stderr
        error: the database URL is empty
          = note: it comes from --database-url or the environment variable DATABASE_URL
          = help: set it to a value, or unset it and set PGHOST and PGDATABASE
    "#]]
    .assert_eq(&run(&["status"], "DATABASE_URL"));
    expect![[r#"
        exit 2
        --- stderr
        error: the environment variable `MIGRATOR_APPROVED_BY` is empty
          = help: set it to a value, or unset it
    "#]]
    .assert_eq(&run(&["up"], "MIGRATOR_APPROVED_BY"));
    let of_commands = [
        (&["up"][..], "MIGRATOR_PLAN"),
        (&["up"], "MIGRATOR_CHECK_DRIFT"),
        (&["up"], "MIGRATOR_AUDIT"),
        (&["up"], "MIGRATOR_WAIT_LOCK"),
        (&["up"], "MIGRATOR_ENV"),
        (&["up"], "MIGRATOR_QUIET"),
        (&["down"], "MIGRATOR_YES"),
        (&["wait"], "MIGRATOR_WAIT_TIMEOUT"),
        (&["environment", "set", "x"], "MIGRATOR_WAIT_LOCK"),
    ];
    for (command, variable) in of_commands {
        let output = run(command, variable);
        assert!(output.starts_with("exit 2") && output.contains(variable), "{command:?} {variable}: {output}");
    }
    for arguments in
        [&["status", "--database-url", ""][..], &["status", "--database-url="], &["up", "--database-url", " "]]
    {
        let output = project.run(arguments);
        assert!(
            output.starts_with("exit 2") && output.contains("the database URL is empty"),
            "{arguments:?}: {output}"
        );
    }
    // What does not concern a command is none of its business.
    for command in [&["list"][..], &["version"], &["show", "1"]] {
        assert!(run(command, "DATABASE_URL").starts_with("exit 0"), "{command:?}");
        assert!(run(command, "MIGRATOR_PLAN").starts_with("exit 0"), "{command:?}");
    }
    assert_eq!(project.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n");
}

#[test]
fn usage_asks_for_nothing_that_is_optional_and_help_shows_a_commands_own_options_first() {
    let project = Project::without_database();
    let wrong = project.run(&["up", "--nonesuch"]);
    assert!(!wrong.contains("--database-url"), "{wrong}");
    for command in ["up", "down", "plan", "status", "drift", "stamp", "resolve", "wait"] {
        let help = project.run(&[command, "--help"]);
        assert!(help.contains("Usage: ") && !help.contains("--database-url <URL> "), "{help}");
        let (own, global) = help.split_once("\nGlobal options:\n").expect(&help);
        for option in ["--database-url", "--quiet", "--verbose", "--color"] {
            assert!(!own.contains(option) && global.contains(option), "{help}");
        }
        assert!(own.contains("--help"), "{help}");
        assert!(!global.contains("--wait-lock"), "{help}");
    }
    // The tests' DATABASE_URL is set: clap would show it as a part of the usage.
    for arguments in [&["resolve", "1"][..], &["show"], &["environment", "set"], &["resolve", "1", "--statement", "x"]]
    {
        let missing = project.run(arguments);
        assert!(missing.starts_with("exit 2") && !missing.contains("--database-url"), "{missing}");
    }
}

#[test]
fn long_lists_are_cut_and_counted() {
    let project = Project::new();
    project.tables(199).migration("000_fails", "SELECT 1 / 0;", "");
    let output = project.run(&["up"]);
    assert!(output.contains("Not run: 001_t1, 002_t2, 003_t3 and 196 more."), "{output}");
    project.migration("000_fails", "SELECT 1;", "SELECT 1;").migration("200_fails", "SELECT 1 / 0;", "");
    let output = project.run(&["up"]);
    assert!(output.contains("applied before it in this run: 000_fails, 001_t1, 002_t2 and 197 more."), "{output}");
    let output = project.run(&["down", "--to", "0"]);
    assert!(output.contains("the rollback of 199_t199, 198_t198, 197_t197 and 197 more"), "{output}");
    assert!(output.lines().all(|line| line.len() < 300), "{output}");
}

/// What people type who come from another tool.
const TYPED: [&str; 15] = [
    "rollback",
    "info",
    "migrate",
    "validate",
    "apply",
    "upgrade",
    "downgrade",
    "create",
    "generate",
    "revert",
    "run",
    "repair",
    "clean",
    "undo",
    "baseline",
];

/// Exit code and stderr.
fn typed(program: &str, words: &[&str]) -> (Option<i32>, String) {
    let project = Project::without_database();
    project.tables(1);
    let mut command = match program {
        "migrator" => project.command(words),
        _ => {
            let mut tasks = Command::new(env!("CARGO_BIN_EXE_xtask"));
            tasks.args(words);
            tasks
        }
    };
    let output = command.stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_people_type_leads_to_a_command_that_is_there() {
    for (program, start) in [("migrator", "  = help: "), ("cargo xtask", "help: ")] {
        // The one program here has the task that creates a database, the other one has `migrate`.
        let has = if program == "migrator" { "create" } else { "migrate" };
        for word in TYPED.into_iter().filter(|word| *word != has) {
            let (code, said) = typed(program, &[word]);
            let lines: Vec<&str> = said.lines().collect();
            let [error, help] = lines[..] else { panic!("{said}") };
            assert_eq!((code, error), (Some(2), &*format!("error: unrecognized command `{word}`")), "{program}");
            let help = help.strip_prefix(start).unwrap_or_else(|| panic!("{said}"));
            let named: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{help}");
            for line in named {
                let (program, rest) = match line.strip_prefix("cargo xtask ") {
                    Some(rest) => ("cargo xtask", rest),
                    None => ("migrator", line.strip_prefix("migrator ").unwrap()),
                };
                let words: Vec<&str> = rest.split(' ').chain(["--help"]).collect();
                assert_eq!(typed(program, &words).0, Some(0), "{word}: {line}");
            }
        }
    }
}
