//! Kinds of objects that the facts do not know, as a newer release of PostgreSQL may have them: played by other letters in the
//! catalogs.

use expect_test::expect;

use crate::support::Project;

use super::{facts, major, small, write_facts};

/// A relation whose kind no release has, and the facts from before it was there.
fn with_unknown() -> Project {
    let project = small();
    project.query("CREATE TABLE graph (x int)");
    project.query("UPDATE pg_class SET relkind = 'z' WHERE oid = 'public.graph'::regclass");
    project
}

#[test]
fn p4_an_object_of_an_unknown_kind_is_an_error_that_names_it() {
    let project = with_unknown();
    let answer = project.run(&["drift"]);
    expect![[r#"
        exit 2
        --- stderr
        error: cannot describe the schema: this migrator does not know what kind of object `public.graph` is
          = note: `public.graph`: relation (relkind z)
          = help: use a release of the migrator that knows it, or ignore it: `ignore = ["* public.graph"]` under [drift] of db/migrator.toml
    "#]]
    .assert_eq(&answer);
    assert_eq!(project.run(&["drift", "--facts"]), answer);
    let (code, lines) = project.json(&["drift"]);
    assert_eq!((code, &lines[0]["error"]["notes"][0]), (2, &"`public.graph`: relation (relkind z)".into()));
    let refused = project.run(&["up", "--check-drift"]);
    assert!(refused.starts_with("exit 2\n") && refused.contains("`public.graph`"), "{refused}");
    // Who knows what it is can leave it out.
    project.file("migrator.toml", "[drift]\nignore = [\"* public.graph\"]\n");
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
    assert!(!facts(&project).contains("graph"));
}

/// Of the routines, the types, and what is in no catalog that the facts read.
#[test]
fn p4_routines_types_and_catalogs_that_are_unknown_are_errors_too() {
    let project = small();
    project.query("CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t ()");
    // No object may depend on the server's own roles, and there may be no other one yet.
    project.query("CREATE ROLE of_unknown_catalogs");
    write_facts(&project);
    for (change, undo, expected) in [
        (
            "UPDATE pg_proc SET prokind = 'z' WHERE oid = 'f(int)'::regprocedure",
            "UPDATE pg_proc SET prokind = 'f' WHERE oid = 'f(int)'::regprocedure",
            "`public.f(integer)`: function (prokind z)",
        ),
        (
            "UPDATE pg_type SET typtype = 'z' WHERE oid = 'mood'::regtype",
            "UPDATE pg_type SET typtype = 'e' WHERE oid = 'mood'::regtype",
            "`public.mood`: type (typtype z)",
        ),
        (
            "INSERT INTO pg_depend VALUES ('pg_authid'::regclass, (SELECT max(oid) FROM pg_authid), 0, 'pg_class'::regclass, 't'::regclass, 0, 'n')",
            "DELETE FROM pg_depend WHERE classid = 'pg_authid'::regclass",
            ": role (catalog pg_authid)",
        ),
    ] {
        project.query(change);
        let output = project.run(&["drift"]);
        assert!(output.starts_with("exit 2\n") && output.contains(expected), "{change}\n{output}");
        project.query(undo);
        assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
    }
}

/// What an extension brings, and the server itself, is theirs.
#[test]
fn p4_unknown_kinds_of_extensions_and_of_the_server_are_not_asked_for() {
    let project = small();
    project.query("CREATE EXTENSION pg_trgm; CREATE TABLE member (x int); ALTER EXTENSION pg_trgm ADD TABLE member");
    write_facts(&project);
    project.query("UPDATE pg_class SET relkind = 'z' WHERE oid IN ('member'::regclass, 'information_schema.sql_features'::regclass)");
    assert_eq!(project.run(&["drift"]), "exit 0\n--- stdout\nno drift\n");
}

#[test]
fn p4_verify_says_nothing_of_what_it_does_not_know() {
    let project = Project::new();
    project.migration(
        "001_graph",
        "CREATE TABLE public.graph (x int); UPDATE pg_class SET relkind = 'z' WHERE oid = 'public.graph'::regclass;",
        "UPDATE pg_class SET relkind = 'r' WHERE oid = 'public.graph'::regclass; DROP TABLE public.graph;",
    );
    let output = project.run(&["verify"]);
    assert!(!output.starts_with("exit 0\n") && output.contains("`public.graph`"), "{output}");
}

/// Since 18 a NOT NULL is a constraint with a name, which may not hold for children, or not yet.
#[test]
fn p4_the_names_of_not_null_constraints_are_facts_where_they_have_any() {
    let project = small();
    project.query("CREATE TABLE named (a int, b int NOT NULL)");
    write_facts(&project);
    if major().parse::<i32>().unwrap() < 18 {
        assert!(!facts(&project).contains("\tNOT NULL"));
        return;
    }
    for (change, expected) in [
        ("ALTER TABLE named RENAME CONSTRAINT named_b_not_null TO another", "removed  constraint named_b_not_null"),
        ("ALTER TABLE named ADD CONSTRAINT later NOT NULL a NOT VALID", "+ NOT NULL a NOT VALID"),
        ("ALTER TABLE named VALIDATE CONSTRAINT later", "+ NOT NULL a\n"),
        ("ALTER TABLE named ALTER CONSTRAINT later NO INHERIT", "+ NOT NULL a NO INHERIT"),
    ] {
        project.query(change);
        let output = project.run(&["drift"]);
        assert!(output.starts_with("exit 1\n") && output.contains(expected), "{change}\n{output}");
    }
}
