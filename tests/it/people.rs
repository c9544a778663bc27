//! What people read: the history, the settings, the help, and what is said while they wait.

use std::process::Command;

use expect_test::expect;

use crate::support::{Other, Project, wait_until};
use crate::terminal::on_terminal;

mod history;
pub(crate) mod reference;
mod schema;
mod width;

/// The command on a terminal that can move a cursor.
fn shown(mut command: Command, columns: u16) -> (Option<i32>, String) {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "COLORTERM", "COLUMNS"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm");
    let (ended, shown) = on_terminal(command, columns, "");
    (ended.code(), shown)
}

#[test]
fn config_says_where_each_setting_comes_from_and_shows_no_secret() {
    let project = Project::without_database();
    project.file(
        "migrator.toml",
        "[session]\nlock_timeout = \"2s\"\n[check]\nahead = \"refuse\"\n[environments.production]\ndown = false\n",
    );
    let url = "postgresql://deploy:canary-7f3a9@db1:5433/crm?sslmode=require&connect_timeout=3";
    let told = project.run_with(
        &["config", "--quiet", "--database-url", url],
        &[("DATABASE_URL", ""), ("MIGRATOR_WAIT_LOCK", "3min"), ("PGPASSWORD", "canary-2"), ("PGAPPNAME", "shop")],
    );
    assert!(!told.contains("canary"), "{told}");
    let row = |name: &str| {
        let line = told
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name))
            .unwrap_or_else(|| panic!("{name}: {told}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    expect![[r#"
        connection postgresql://deploy@db1:5433/crm --database-url
        connection.password set, not shown --database-url
        connection.application_name shop PGAPPNAME
        connection.sslmode require --database-url
        --quiet (MIGRATOR_QUIET) true --quiet
        --wait-lock (MIGRATOR_WAIT_LOCK) 3min MIGRATOR_WAIT_LOCK
        --approved-by (MIGRATOR_APPROVED_BY) - default
        session.lock_timeout "2s" db/migrator.toml
        session.retry_for "10min" default
        check.ahead "refuse" db/migrator.toml
        budget.rewrites - default
        environments.production.down false db/migrator.toml
        environments.production.approval false default"#]]
    .assert_eq(
        &[
            "connection",
            "connection.password",
            "connection.application_name",
            "connection.sslmode",
            "--quiet",
            "--wait-lock",
            "--approved-by",
            "session.lock_timeout",
            "session.retry_for",
            "check.ahead",
            "budget.rewrites",
            "environments.production.down",
            "environments.production.approval",
        ]
        .map(row)
        .join("\n"),
    );
    let json = project.run_with(&["config", "--json"], &[("DATABASE_URL", url)]);
    let json: serde_json::Value = serde_json::from_str(json.lines().nth(2).unwrap()).unwrap();
    assert!(!json.to_string().contains("canary"), "{json}");
    assert_eq!(json["connection"][0]["from"], "DATABASE_URL");
    assert!(json["settings"].as_array().unwrap().len() > 20, "{json}");
    // A mistake is shown, and is no reason to show nothing.
    let invalid = project.run_with(&["config"], &[("DATABASE_URL", "postgresql://u:canary-9@db:port/x")]);
    assert!(invalid.starts_with("exit 0") && invalid.contains("invalid: ") && !invalid.contains("canary"), "{invalid}");
}

#[test]
fn status_says_where_it_is_and_how_each_row_came_about() {
    let project = Project::new();
    project.tables(2).file("repeatable/views.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;\n");
    project.run(&["stamp", "--to", "1"]);
    project.run(&["up"]);
    project.run(&["environment", "set", "staging"]);
    let newer = project.release("1.1.0");
    newer.tables(3).run(&["up"]);
    project.query("INSERT INTO schema_migrations (version, applied_by) VALUES ('0015', 'dbmate_user')");
    project.file("repeatable/views.sql", "CREATE OR REPLACE VIEW v AS SELECT 2 AS a;\n");
    let told = project.run(&["status"]);
    let actor = told.lines().find_map(|line| line.split("UTC by ").nth(1)).unwrap_or_default().to_owned();
    expect![[r#"
        exit 0
        --- stdout
        database DB at SERVER · environment staging · release 1.0.0
        VERSION  NAME  STATE  APPLIED  BY  TIME
        001  t1  stamped  DATE TIME UTC  postgres
        002  t2  applied  DATE TIME UTC  postgres  N ms
        003  t3  ahead  DATE TIME UTC  postgres  N ms
        0015  ?  ahead  DATE TIME UTC  dbmate_user
        -  views  pending  repeatable, last applied DATE TIME UTC by ACTOR
        not in this binary: 0015, recorded by dbmate_user without a checksum, as another tool does
        not in this binary: 003, recorded by postgres with release 1.1.0
        1 pending, 2 ahead. Next: nothing, because a newer release has migrated this database.
        003, 0015 cannot be rolled back by this binary: version 0015 is newer than every version in this binary, and the history holds no down block of it (roll it back with the migrator of the newer release)
    "#]]
    .assert_eq(&told.replace(&actor, "ACTOR"));
    let json = project.run(&["status", "--json"]);
    for part in [r#""recorded_by":"stamp""#, r#""applied_repeatables":[{"applied_at":"#, r#""binary_release":"1.0.0""#]
    {
        assert!(json.contains(part), "{part}: {json}");
    }
    // Applied again after a rollback, it has run.
    project.run(&["down", "--to", "0", "--yes"]);
    let project = Project::new();
    project.tables(1).run(&["stamp", "--to", "1"]);
    assert!(project.run(&["status"]).contains(" stamped "));
    project.query("CREATE TABLE t1 (id int)");
    project.run(&["down", "--yes"]);
    project.run(&["up"]);
    let told = project.run(&["status"]);
    assert!(told.contains(" applied ") && !told.contains(" stamped "), "{told}");
}

#[test]
fn a_long_list_of_applied_migrations_is_cut_unless_all_is_asked_for() {
    let project = Project::new();
    project.tables(60).run(&["up"]);
    project.tables(62);
    let told = project.run(&["status"]);
    assert!(told.contains("50 older ones are applied: `migrator status --all` lists them"), "{told}");
    for (name, is_there) in [("050_t50", false), ("051", true), ("060", true), ("061", true), ("062", true)] {
        assert_eq!(told.lines().any(|line| line.starts_with(&name[..3])), is_there, "{name}: {told}");
    }
    let all = project.run(&["status", "--all"]);
    assert!((1..=62).all(|number| all.lines().any(|line| line.starts_with(&format!("{number:03}")))), "{all}");
}

#[test]
fn down_ends_with_a_line_that_says_where_the_database_is() {
    let project = Project::new();
    project.tables(3).run(&["up"]);
    assert!(
        project
            .run(&["down", "--steps", "2", "--yes"])
            .contains("rolled back 2 migrations in N ms; the database is at 001")
    );
    let last = project.run(&["down", "--yes"]);
    assert!(last.contains("rolled back 1 migration in N ms; no migration is applied any more"), "{last}");
    assert!(project.run(&["down", "--yes"]).contains("nothing to roll back"));
}

#[test]
fn a_wait_is_one_line_on_a_terminal_and_few_lines_elsewhere() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    project.migration("002_add", "ALTER TABLE t1 ADD COLUMN a int;", "");
    project.file("migrator.toml", "[session]\nlock_timeout = \"300ms\"\nretry_for = \"6s\"\n");
    let other = Other::new(&project);
    other.run("BEGIN; LOCK TABLE t1");
    let (code, screen) = shown(project.command(&["up"]), 200);
    assert_eq!(code, Some(3), "{screen}");
    assert!(screen.contains("002_add: attempt 2, "), "{screen:?}");
    assert!(screen.contains(" of 6 s: ") && screen.contains("blocked by pid "), "{screen:?}");
    // What stays on the screen is the error and not the attempts.
    let stays: Vec<&str> =
        screen.lines().filter(|line| line.contains("attempt ") && !line.contains('\u{1b}')).collect();
    assert_eq!(stays, Vec::<&str>::new(), "{screen:?}");
    let plain = project.run(&["up"]);
    assert!(!plain.contains('\u{1b}') && !plain.contains("attempt 2"), "{plain}");
    assert!((1..=8).contains(&plain.matches("; retrying in ").count()), "{plain}");
    // The same for another migrator's lock.
    other.run("ROLLBACK; SELECT pg_advisory_lock(7300916411259422349)");
    let (code, screen) = shown(project.command(&["up", "--wait-lock", "3s"]), 200);
    assert_eq!(code, Some(5), "{screen}");
    assert!(screen.contains("waiting for the migration lock, 1 s of 3 s: held by pid "), "{screen:?}");
    let plain = project.run(&["up", "--wait-lock", "3s"]);
    assert_eq!(plain.matches("waiting for the migration lock").count(), 1, "{plain}");
}

#[test]
fn a_long_block_says_which_statement_it_has_reached() {
    let project = Project::new();
    let statements: String = (1..=40).map(|n| format!("CREATE TABLE s{n} (); SELECT pg_sleep(0.02);\n")).collect();
    project.file("migrations/001_many.sql", &format!("-- migrate:up transaction:false\n{statements}-- migrate:down\n"));
    let (code, screen) = shown(project.command(&["up"]), 100);
    assert_eq!(code, Some(0), "{screen}");
    let reached = screen.matches("001_many: ").filter(|_| screen.contains(" of 80")).count();
    assert!(reached > 2, "{screen:?}");
    assert_eq!(project.run(&["status"]).matches("applied").count(), 1);
}

#[test]
fn what_other_tools_call_a_command_leads_to_ours() {
    let project = Project::without_database();
    let words = [
        ("rollback", "migrator down"),
        ("downgrade", "migrator down"),
        ("info", "migrator status"),
        ("migrate", "migrator up"),
        ("apply", "migrator up"),
        ("upgrade", "migrator up"),
        ("validate", "migrator status --check"),
        ("log", "migrator history"),
    ];
    for (word, ours) in words {
        let told = project.run(&[word]);
        assert!(told.starts_with("exit 2") && told.contains(&format!("help: `{ours}")), "{word}: {told}");
    }
}

#[test]
fn a_second_session_that_waits_leaves_no_line_behind() {
    let project = Project::new();
    project.tables(1);
    let other = Other::new(&project);
    other.run("SELECT pg_advisory_lock(7300916411259422349)");
    let mut up = project.command(&["up"]);
    up.env("TERM", "xterm");
    let waiting = std::thread::spawn(move || shown(up, 120));
    wait_until(
        &project,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'migrator%'",
    );
    std::thread::sleep(std::time::Duration::from_millis(1500));
    other.run("SELECT pg_advisory_unlock_all()");
    let (code, screen) = waiting.join().unwrap();
    assert_eq!(code, Some(0), "{screen}");
    let last = screen.rsplit("waiting for the migration lock").next().unwrap();
    assert!(last.contains("\u{1b}[2K") || last.contains("\r"), "{screen:?}");
    assert!(screen.contains("applied 001_t1"), "{screen}");
}
