//! What others have said reaches a terminal and a log as text: it commands neither.

use crate::support::{Other, Project, query_on, wait_until, wait_until_asleep};

/// Repaints a terminal, renames its window, reverses what is read, and forges lines that a CI system believes.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\u{2028}\r\nerror: forged\n::error::forged\n\u{7f}end";

/// The same without what a server takes out or cuts off.
const SHORT: &str = "\u{1b}[2J\u{202e}\nerror: forged";

#[track_caller]
fn harmless(output: &str, seen: &str) {
    let commands = |c: char| c.is_control() && c != '\n' && c != '\t' || matches!(c, '\u{202e}' | '\u{2028}');
    assert!(!output.contains(commands), "{output:?}");
    let forged =
        |line: &&str| ["error: forged", "::error", "warning: forged"].iter().any(|start| line.starts_with(start));
    assert_eq!(output.lines().find(forged), None, "{output}");
    // What was to be seen is there, escaped: the check has not passed for want of it.
    assert!(output.contains(seen), "no {seen}: {output}");
}

/// The same of what programs read, which has to stay what they can read.
#[track_caller]
fn harmless_json(output: &str) {
    harmless(output, "\\u001b[2J");
    let parsed = crate::support::schema::result(output);
    assert!(format!("{parsed:?}").contains("[2J"), "{parsed}");
}

#[test]
fn what_a_server_says_in_notices_and_errors_is_text() {
    let project = Project::new();
    let raise = |level: &str, how: &str| {
        format!(
            "DO $evil$ BEGIN {how} RAISE {level} '%', '{EVIL}' USING DETAIL = 'd{EVIL}', HINT = 'h{EVIL}'; END $evil$;"
        )
    };
    project.migration("001_says", &(raise("NOTICE", "") + "\n" + &raise("WARNING", "")), "");
    let output = project.run(&["up"]);
    harmless(&output, "NOTICE: \\u{1b}[2J");
    harmless(&output, "DETAIL: d\\u{1b}[2J");
    assert!(output.starts_with("exit 0"), "{output}");
    project.migration("002_fails", &raise("EXCEPTION", ""), "");
    let output = project.run(&["up"]);
    harmless(&output, "^ \\u{1b}[2J");
    harmless(&output, "note: HINT: h\\u{1b}[2J");
    // The statement itself comes back as the context of its error.
    let execute = format!("EXECUTE 'SELECT nope /* {EVIL} */';");
    project.migration("002_fails", &raise("NOTICE", &execute), "");
    harmless(&project.run(&["up"]), "CONTEXT: ");
    // What was said is in the event log, whose text others print.
    harmless(&project.run(&["status"]), "002");
}

#[test]
fn an_excerpt_of_a_file_is_text() {
    let project = Project::new();
    project.migration("001_a", "SELECT '\u{1b}[2J\u{202e}\u{9b}x', nope;", "");
    harmless(&project.run(&["up"]), "SELECT '\\u{1b}[2J\\u{202e}\\u{9b}x', nope;");
    // A terminal gets a file escaped, a program gets it as it is.
    assert!(project.run(&["show", "1"]).contains("SELECT '\u{1b}[2J"));
}

#[test]
fn who_is_in_the_way_is_text() {
    let project = Project::new();
    project.migration("001_a", "CREATE TABLE a (id int);", "DROP TABLE a;").run(&["up"]);
    query_on("postgres", "DROP ROLE IF EXISTS \"evil\u{1b}[2J\u{202e}\"");
    query_on("postgres", "CREATE ROLE \"evil\u{1b}[2J\u{202e}\" SUPERUSER");
    let other = Other::new(&project);
    other.run("SET SESSION AUTHORIZATION \"evil\u{1b}[2J\u{202e}\"");
    other.run(&format!("SET application_name = '{EVIL}'"));
    other.run(&format!("BEGIN; /* {SHORT} */ LOCK TABLE a"));
    project.file("migrator.toml", "[session]\nlock_timeout = \"1s\"\nretry_for = \"1s\"\n");
    project.migration("002_b", "ALTER TABLE a ADD COLUMN b int;", "");
    let output = project.run(&["up"]);
    harmless(&output, "blocked by pid");
    harmless(&output, "/* \\u{1b}[2J");
    drop(other);
    wait_until(
        &project,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND usename ~ 'evil'",
    );
    query_on("postgres", "DROP ROLE \"evil\u{1b}[2J\u{202e}\"");
}

#[test]
fn who_holds_the_lock_is_text() {
    let project = Project::new();
    project.migration("001_slow", "SELECT pg_sleep(3);", "");
    let mut holder = project.command(&["up"]);
    let holder =
        holder.env("PGAPPNAME", SHORT).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let holder = holder.spawn().unwrap();
    wait_until_asleep(&project);
    harmless(&project.run(&["up", "--wait-lock", "100ms"]), "cannot take the migration lock");
    harmless(&project.finish(holder), "applied 001_slow");
}

#[test]
fn the_rows_of_an_audit_are_text() {
    let project = Project::new();
    project.tables(1).file("checks/c.sql", &format!("SELECT '{EVIL}'::text AS \"{SHORT}\";\n")).run(&["up"]);
    let output = project.run(&["audit"]);
    harmless(&output, "\\u{1b}[2J");
    assert!(output.starts_with("exit 1"), "{output}");
    harmless_json(&project.run(&["audit", "--json"]));
    project.file("checks/c.sql", &format!("SELECT nope /* {SHORT} */;\n"));
    harmless(&project.run(&["audit"]), "cannot be run");
    project.file("checks/c.sql", &format!("SELECT '{EVIL}'::text AS x;\n")).migration("002_b", "SELECT 1;", "");
    harmless(&project.run(&["up", "--audit"]), "the data checks before");
}

#[test]
fn what_the_history_holds_is_text() {
    let project = Project::new();
    project.tables(3).run(&["up"]);
    project.run(&["environment", "set", "staging"]);
    project.query(&format!(
        "UPDATE schema_migrations SET name = 'n{EVIL}', applied_by = 'b{SHORT}', release = 'r{EVIL}', checksum = 'c{SHORT}' WHERE version = '003';
         UPDATE schema_migration_events SET name = 'e{SHORT}' WHERE action = 'environment';
         INSERT INTO schema_migrations (version, name) VALUES ('007{SHORT}', 'x{EVIL}'), ('{SHORT}', 'y{EVIL}')"
    ));
    let commands: [&[&str]; 9] = [
        &["status"],
        &["status", "--check"],
        &["plan"],
        &["up"],
        &["down", "--yes"],
        &["stamp", "--to", "3"],
        &["adopt", "dbmate"],
        &["environment"],
        &["up", "--dry-run", "--sql"],
    ];
    for command in commands {
        harmless(&project.run(command), "\\u{1b}[2J");
    }
    harmless_json(&project.run(&["status", "--json"]));
}

#[test]
fn names_in_the_schema_are_text() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    let major = &project.query("SHOW server_version_num").trim()[..2].to_owned();
    let facts = project.command(&["drift", "--facts"]).output().unwrap();
    project.file(&format!("schema.facts.{major}"), &String::from_utf8(facts.stdout).unwrap());
    project.query(&format!(
        "CREATE TABLE \"t{SHORT}\" (\"c{SHORT}\" int DEFAULT length('{EVIL}')); COMMENT ON TABLE t1 IS '{EVIL}'"
    ));
    let output = project.run(&["drift"]);
    harmless(&output, "\\u{1b}[2J");
    assert!(output.starts_with("exit 1"), "{output}");
    harmless_json(&project.run(&["drift", "--json"]));
    project.migration("002_t2", "CREATE TABLE t2 (id int);", "DROP TABLE t2;");
    harmless(&project.run(&["up", "--check-drift"]), "\\u{1b}[2J");
    // What the tracer sees of such names.
    let evil = format!("CREATE TABLE \"t{SHORT}\" (id int);");
    let second = format!("ALTER TABLE \"t{SHORT}\" ADD COLUMN \"c{SHORT}\" int;");
    let traced = Project::new();
    traced.migration("001_a", &evil, &format!("DROP TABLE \"t{SHORT}\";")).run(&["up"]);
    traced.migration("002_b", &second, &format!("ALTER TABLE \"t{SHORT}\" DROP COLUMN \"c{SHORT}\";"));
    let page = traced.db().join("page.html");
    let url = traced.url();
    let plan = traced.run(&["plan", "--locks", "--scratch-url", &url, "--html", page.to_str().unwrap()]);
    harmless(&plan, "\\u{1b}[2J");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(!page.contains(['\u{1b}', '\u{202e}']) && page.contains("\\u{1b}[2J"), "{page}");
}

#[test]
fn what_the_environment_and_the_command_line_say_is_text() {
    let project = Project::new();
    project.tables(1);
    let output = project.run_with(&["up"], &[("MIGRATOR_ENV", SHORT)]);
    harmless(&output, "environment \\u{1b}[2J");
    for (variable, seen) in [
        ("MIGRATOR_WAIT_LOCK", "invalid value"),
        ("MIGRATOR_PLAN", "\\u{1b}[2J"),
        ("PGSERVICE", "..."),
        ("PGSSLMODE", "..."),
    ] {
        project.migration("002_b", "SELECT 1;", "");
        harmless(&project.run_with(&["up"], &[(variable, SHORT)]), seen);
    }
    harmless(&project.run(&["up", "--to", SHORT]), "invalid value");
    harmless(&project.run(&[SHORT]), "unrecognized command");
    harmless(&project.run(&["seed", SHORT]), "\\u{1b}[2J");
    harmless(&project.run(&["audit", SHORT]), "\\u{1b}[2J");
    harmless(&project.run(&["status", "--database-url", &format!("postgresql://127.0.0.1:1/x{SHORT}")]), "\\u{1b}[2J");
}
