//! What `cargo xtask migrate` says before the migrator itself does: while it builds, and of the server that it starts.

use crate::workspace::Workspace;

#[test]
fn the_warnings_of_the_build_and_the_start_of_a_server_are_told() {
    let workspace = Workspace::foreign("warned");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    // dbmate would take the line inside the function for a marker.
    workspace.write(
        "db/migrations/004_text.sql",
        "-- migrate:up\nCREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\n-- migrate:down\nSELECT 'a'\n$$;\n\n-- migrate:down\nDROP FUNCTION f();\n",
    );
    let started = "started this workspace's PostgreSQL; `cargo xtask db stop` stops it";
    let first = run("xtask up --no-dump");
    assert!(first.starts_with("exit 0") && first.contains("applied 004_text"), "{first}");
    assert!(first.contains("M050") && first.contains("004_text.sql"), "{first}");
    assert_eq!(first.matches(started).count(), 1, "{first}");
    // The tasks and the migrator are built of the same packages; neither has the other's built again.
    for _ in 0..2 {
        let again = workspace.cargo("xtask migrate list").output().unwrap();
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(again.status.success() && !said.contains("Compiling"), "{said}");
    }
    // An unfinished file is not recorded: it could not be changed any more.
    let unfinished = "db/migrations/005_unfinished.sql";
    workspace.write(unfinished, "-- migrate:up\n\n-- migrate:down\n");
    let refused = run("xtask up --no-dump");
    assert!(
        refused.starts_with("exit 8") && refused.contains("005_unfinished has no statement in its up block"),
        "{refused}"
    );
    // Whatever else stands in the way of a plan, and also where nothing would be applied.
    let late = workspace.run(workspace.cargo("xtask up --no-dump").env("MIGRATOR_ALLOW_OUT_OF_ORDER", "1"));
    assert!(late.starts_with("exit 8"), "{late}");
    assert!(run("xtask up --dry-run").starts_with("exit 8"));
    assert!(run("xtask up --to 4 --no-dump").starts_with("exit 0"));
    let dump = run("xtask dump");
    assert!(dump.starts_with("exit 9") && dump.contains("has no statement in its up block"), "{dump}");
    std::fs::remove_file(workspace.path(unfinished)).unwrap();
    // The same warning where nothing has to be built; a server that runs already is no news.
    let second = run("xtask status");
    assert!(second.contains("M050") && second.contains("up to date") && !second.contains(started), "{second}");
}

#[test]
fn the_locks_of_a_plan_need_no_database_before() {
    let workspace = Workspace::foreign("planned");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    // dbmate would not take this file: a build warns, and so does a task that builds nothing.
    workspace.write("db/migrations/004_text.sql", "-- migrate:up\nCREATE TABLE text ();\n");
    let planned = run("xtask migrate plan --locks");
    assert!(planned.starts_with("exit 0") && planned.contains("would apply 001_init"), "{planned}");
    assert!(planned.contains("would apply 004_text") && planned.contains("M052"), "{planned}");
    // On a server that others use, nothing is this run's alone.
    let url = String::from_utf8(workspace.cargo("xtask db url").output().unwrap().stdout).unwrap();
    let planned = run(&format!("xtask migrate plan --locks --scratch-url {}", url.trim()));
    assert!(planned.starts_with("exit 0") && planned.contains("would apply 004_text"), "{planned}");
    // An empty variable names no database.
    let dropped = workspace.run(workspace.cargo("xtask migrate drop --yes").env("DATABASE_URL", ""));
    assert!(dropped.starts_with("exit 0") && dropped.contains("dropped database `planned_dev`"), "{dropped}");
}
