//! Rows are as they would have been.

use migrator_xtask::author::fix::Room;

use super::{fix, fix_one};
use crate::support::Project;

const ROWS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);
INSERT INTO users SELECT n, CASE WHEN n % 7 > 0 THEN 'x' END FROM generate_series(1, 12003) n;";

/// Applies everything: the database is as the query says.
#[track_caller]
fn check(project: &Project, query: &str, expected: &str) {
    let up = project.run(&["up"]);
    assert!(up.starts_with("exit 0"), "{up}");
    assert_eq!(project.query(query), expected);
}

/// A migration on a table with rows, without so many hazards that it had.
#[track_caller]
fn fixed(name: &str, up: &str, down: &str, hazards: usize) -> Project {
    let project = Project::new();
    project.migration("001_users", ROWS, "DROP TABLE users;");
    project.migration(name, up, down);
    let rewritten = fix(&mut Room::new().unwrap(), &project.db());
    assert_eq!((rewritten.fixed.len(), rewritten.left.len()), (hazards, 0), "{rewritten:?}");
    project
}

#[test]
fn every_row_gets_a_value_of_its_own() {
    let up = "ALTER TABLE users ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();";
    let project = fixed("002_token", up, "ALTER TABLE users DROP COLUMN token;", 1);
    check(&project, "SELECT count(DISTINCT token), count(*) FROM users", "12003|12003\n");
}

#[test]
fn rows_are_changed_before_they_are_checked() {
    let up = "ALTER TABLE users ADD COLUMN full_name text;\nUPDATE users SET full_name = coalesce(name, '') WHERE id > 0;\n\
        ALTER TABLE users ALTER COLUMN full_name SET NOT NULL;";
    let project = fixed("002_names", up, "ALTER TABLE users DROP COLUMN full_name;", 2);
    check(&project, "SELECT count(*) FROM users WHERE full_name = ''", "1714\n");
}

#[test]
fn later_migrations_run_before_the_new_files_and_still_lead_to_the_same() {
    let project = Project::new();
    project.migration("001_users", ROWS, "DROP TABLE users;");
    project.migration(
        "002_unique",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE (name, id);\nALTER TABLE users ADD a int;",
        "ALTER TABLE users DROP a, DROP CONSTRAINT u;",
    );
    project.migration("003_other", "ALTER TABLE users ADD COLUMN b text;", "ALTER TABLE users DROP b;");
    let room = &mut Room::new().unwrap();
    let rewritten = fix_one(room, &project.db(), 2);
    let names: Vec<_> = rewritten.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["002_unique.sql", "004_unique_index_u.sql"], "{rewritten:?}");
    check(&project, "SELECT conname FROM pg_constraint WHERE conname = 'u'", "u\n");
    // One that needs the index keeps it where it is.
    let project = Project::new();
    project.migration("001_users", ROWS, "DROP TABLE users;");
    project.migration(
        "002_unique",
        "ALTER TABLE users ADD CONSTRAINT u UNIQUE (name, id);\nALTER TABLE users ADD a int;",
        "ALTER TABLE users DROP a, DROP CONSTRAINT u;",
    );
    project.migration(
        "003_key",
        "CREATE TABLE t (a text, b bigint, FOREIGN KEY (a, b) REFERENCES users (name, id));",
        "DROP TABLE t;",
    );
    let rewritten = fix_one(room, &project.db(), 2);
    let [(hazard, reason)] = rewritten.left.as_slice() else { panic!("{rewritten:?}") };
    assert_eq!(hazard.rule, "disallowed-unique-constraint");
    assert!(reason.contains("there is no unique constraint matching given keys"), "{reason}");
}

#[test]
fn batches_go_by_the_whole_key_and_on_where_they_stopped() {
    let project = Project::new();
    project.migration(
        "001_a",
        "CREATE TABLE \"table\" (\"order\" bigint, done_to text, note text, PRIMARY KEY (\"order\", done_to) INCLUDE (note));\n\
         INSERT INTO \"table\" SELECT n / 3, n % 3, 'x' FROM generate_series(1, 12003) n;\n\
         CREATE TABLE stop (at bigint);\n\
         CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$\n\
         BEGIN\n    IF EXISTS (SELECT FROM stop WHERE at = new.\"order\") THEN RAISE 'stopped'; END IF;\n    RETURN new;\nEND $$;\n\
         CREATE TRIGGER stop BEFORE UPDATE ON \"table\" FOR EACH ROW EXECUTE FUNCTION stop();",
        "DROP TABLE \"table\", stop;\nDROP FUNCTION stop();",
    );
    let up = "ALTER TABLE \"table\" ADD COLUMN token uuid DEFAULT gen_random_uuid();";
    project.migration("002_token", up, "ALTER TABLE \"table\" DROP COLUMN token;");
    let rewritten = fix(&mut Room::new().unwrap(), &project.db());
    assert_eq!((rewritten.fixed.len(), rewritten.left.len()), (1, 0), "{rewritten:?}");
    let first = project.run(&["up", "--to", "1"]);
    assert!(first.starts_with("exit 0"), "{first}");
    project.query("INSERT INTO stop VALUES (3000)");
    let up = project.run(&["up"]);
    assert!(up.contains("stopped"), "{up}");
    let filled = "SELECT count(*), count(token), count(DISTINCT token), max(\"order\") FILTER (WHERE token IS NOT NULL) FROM \"table\"";
    assert_eq!(project.query(filled), "12003|5001|5001|1667\n");
    project.query("DELETE FROM stop");
    let kept = "CREATE TABLE kept AS SELECT token FROM \"table\" WHERE token IS NOT NULL";
    project.query(kept);
    let again = project.run(&["resolve", "003", "--statement", "1", "--retry"]);
    assert!(again.starts_with("exit 0"), "{again}");
    check(&project, filled, "12003|12003|12003|4001\n");
    assert_eq!(project.query("SELECT count(*) FROM kept JOIN \"table\" USING (token)"), "5001\n");
}

#[test]
fn rows_without_a_key_are_filled_wherever_they_are() {
    let project = Project::new();
    project.migration(
        "001_a",
        "CREATE TABLE log (changed text);\nINSERT INTO log SELECT n FROM generate_series(1, 12003) n;",
        "DROP TABLE log;",
    );
    let up = "ALTER TABLE log ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();";
    project.migration("002_token", up, "ALTER TABLE log DROP COLUMN token;");
    let rewritten = fix(&mut Room::new().unwrap(), &project.db());
    assert_eq!((rewritten.fixed.len(), rewritten.left.len()), (1, 0), "{rewritten:?}");
    check(&project, "SELECT count(DISTINCT token) FROM log", "12003\n");
}
