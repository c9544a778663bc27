//! `reset --from-dump`: a new database from the committed schema, and what is behind it.

use std::fs;

use expect_test::expect;

use crate::support::Project;
use crate::workspace::Workspace;

/// The end of every dump: the history as dbmate makes it, with these versions.
fn history(versions: &[&str]) -> String {
    let rows: Vec<String> = versions.iter().map(|version| format!("    ('{version}')")).collect();
    let insert = format!("\nINSERT INTO public.schema_migrations (version) VALUES\n{};\n", rows.join(",\n"));
    format!(
        "CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY);\n\n--\n-- Dbmate schema migrations\n--\n{insert}"
    )
}

/// Runs `reset --from-dump` with a dump of these statements and versions.
fn reset(project: &Project, schema: &str) -> String {
    project.file("schema.sql", schema);
    reset_from_dump(project)
}

fn reset_from_dump(project: &Project) -> String {
    project.run(&["reset", "--from-dump", "--yes", "--database", project.database()])
}

/// Three migrations that create a table each, applied, with something in the database by which it is known again.
fn project() -> Project {
    let project = Project::new();
    project.tables(3);
    assert!(project.run(&["up"]).starts_with("exit 0"));
    project.query("CREATE TABLE known_again ()");
    project
}

fn is_untouched(project: &Project) -> bool {
    project.query("SELECT to_regclass('known_again') IS NOT NULL") == "t\n"
}

/// `text` is that of db/schema.sql.
fn a_failed_load_names_its_place(workspace: &Workspace, text: &str) {
    // No position comes with this error: xtask knows where the statement starts.
    let grant = "GRANT SELECT ON public.books TO nobody_of_this_name;\n\n--\n-- Dbmate schema migrations";
    workspace.write("db/schema.sql", text.replace("--\n-- Dbmate schema migrations", grant));
    expect![[r#"
        exit 3
        --- stdout
        dropped and created database `loaded_dev`
        --- stderr
        error: the load of `db/schema.sql` failed and was rolled back
           --> db/schema.sql:226:1
            |
        226 | GRANT SELECT ON public.books TO nobody_of_this_name;
            | ^ role "nobody_of_this_name" does not exist [42704]
            |
            = note: database `loaded_dev` is new and empty
            = help: create the role first, with `CREATE ROLE ...`: roles belong to the whole server, so a dump of one database does not contain them
            = help: if it is a role: roles belong to the server and are not in a dump; `reset` without `--from-dump` creates those that the migrations create
    "#]]
    .assert_eq(&workspace.run(&mut workspace.cargo("xtask reset --from-dump --yes --no-dump")));
}

#[test]
fn the_schema_is_loaded_and_what_comes_after_it_is_applied() {
    let workspace = Workspace::foreign("loaded");
    let run = |line: &str| workspace.run(&mut workspace.cargo(line));
    expect![[r#"
        exit 2
        --- stderr
        started this workspace's PostgreSQL; `cargo xtask db stop` stops it
        error: cannot reset from `db/schema.sql`: No such file or directory (os error 2)
          = note: nothing was dropped
          = help: run `cargo xtask dump` to write it
    "#]]
    .assert_eq(&run("xtask reset --from-dump --yes"));
    run("xtask up");
    let filled = fs::read_to_string(workspace.path("db/migrations/002_create_loans.sql")).unwrap();
    let filled =
        filled.replace("-- migrate:down", "INSERT INTO books (shelf_mark, title) VALUES ('X', 'Y');\n-- migrate:down");
    workspace.write("db/migrations/002_create_loans.sql", filled);
    workspace.write(
        "db/migrations/004_more.sql",
        "-- migrate:up\nCREATE TABLE more ();\n\n-- migrate:down\nDROP TABLE more;\n",
    );
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `loaded_dev`
        loaded db/schema.sql
        applied 004_more (N ms)
        applied repeatable views (N ms)
        applied 1 migration and 1 repeatable in N ms; the database is at 004
        seeded development (N ms)
        --- stderr
        SERVER · database loaded_dev · user postgres · PostgreSQL X
        SERVER · database loaded_dev · user postgres · PostgreSQL X
        wrote db/schema.sql, db/schema.facts.MAJOR and db/locks.MAJOR
    "#]]
    .assert_eq(&run("xtask migrate reset --from-dump --seed development --yes"));
    // It was loaded, not migrated: the row that a migration writes is not there.
    let url = String::from_utf8(workspace.cargo("xtask db url").output().unwrap().stdout).unwrap();
    let rows = "SELECT count(*) FILTER (WHERE shelf_mark = 'X'), count(*) > 0 FROM books";
    assert_eq!(crate::support::query_at(url.trim(), rows), "0|t\n");
    assert_eq!(run("xtask migrate drift"), "exit 0\n--- stdout\nno drift\n");

    let text = fs::read_to_string(workspace.path("db/schema.sql")).unwrap();
    workspace.write("db/schema.sql", text.replace("    title text NOT NULL", "    title text"));
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `loaded_dev`
        loaded db/schema.sql
        applied repeatable views (N ms)
        applied 1 repeatable in N ms; the database is at 004
        --- stderr
        warning: db/schema.sql produced a schema that differs from db/schema.facts.MAJOR: it is stale, or was edited; run `cargo xtask dump` to rewrite both
          public.books
            changed  column title
                     - #3 text NOT NULL
                     + #3 text
          1 object differs: 0 added, 0 removed, 1 changed
        SERVER · database loaded_dev · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&run("xtask reset --from-dump --yes --no-dump"));
    a_failed_load_names_its_place(&workspace, &text);
}

#[test]
fn nothing_is_dropped_for_a_dump_that_cannot_be_used() {
    let project = project();
    let mut all = String::new();
    let mut check = |output: String| {
        assert!(is_untouched(&project), "{output}");
        all.push_str(&output);
    };
    check(reset_from_dump(&project));
    check(reset(&project, "CREATE TABLE public.t1 (id int);\n"));
    check(reset(&project, &history(&["001", "2", "004"])));
    check(reset(&project, &history(&["001", "003"])));
    fs::write(project.db().join("schema.sql"), b"-- \xff").unwrap();
    check(reset_from_dump(&project));
    expect![[r#"
        exit 2
        --- stderr
        error: cannot reset from `db/schema.sql`: No such file or directory (os error 2)
          = note: nothing was dropped
          = help: run `cargo xtask dump` to write it
        exit 2
        --- stderr
        error: cannot reset from `db/schema.sql`: it does not name the migrations that it contains
          = note: nothing was dropped
          = help: run `cargo xtask dump` to rewrite it
        exit 2
        --- stderr
        error: cannot reset from `db/schema.sql`: it contains 2, 004, which the db directory does not have
          = note: nothing was dropped
          = help: restore the files of these migrations, or run `cargo xtask dump` to rewrite it
        exit 2
        --- stderr
        error: cannot reset from `db/schema.sql`: it contains newer migrations, but not 002_t2
          = note: nothing was dropped
          = help: run `cargo xtask dump` to rewrite it
        exit 2
        --- stderr
        error: cannot reset from `db/schema.sql`: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 3
          = note: nothing was dropped
          = help: run `cargo xtask dump` to write it
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_dump_that_does_not_load_is_shown_at_its_place() {
    let project = project();
    let schema = |first: &str| format!("{first}\n\n{}", history(&["001"]));
    let mut all = reset(&project, &schema("CREATE TABLE public.t1 (é int);\nCREATE TABEL x ();"));
    all.push_str(&project.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    all.push_str(&reset(
        &project,
        &schema("CREATE TABLE public.a ();\nCREATE VIEW public.é AS SELECT é FROM public.a;"),
    ));
    all.push_str(&reset(
        &project,
        &schema("CREATE TABLE public.a ();\nGRANT SELECT ON public.a TO nobody_of_this_name;"),
    ));
    expect![[r#"
        exit 3
        --- stdout
        dropped and created database `DB`
        --- stderr
        error: the load of `db/schema.sql` failed and was rolled back
         --> db/schema.sql:2:8
          |
        2 | CREATE TABEL x ();
          |        ^ syntax error at or near "TABEL" [42601]
          |
          = note: database `DB` is new and empty
          = help: run `cargo xtask dump` to rewrite the file, or `reset` without `--from-dump`
        0
        exit 3
        --- stdout
        dropped and created database `DB`
        --- stderr
        error: the load of `db/schema.sql` failed and was rolled back
         --> db/schema.sql:2:32
          |
        2 | CREATE VIEW public.é AS SELECT é FROM public.a;
          |                                ^ column "é" does not exist [42703]
          |
          = note: database `DB` is new and empty
          = help: run `cargo xtask dump` to rewrite the file, or `reset` without `--from-dump`
        exit 3
        --- stdout
        dropped and created database `DB`
        --- stderr
        error: the load of `db/schema.sql` failed and was rolled back
         --> db/schema.sql:2:1
          |
        2 | GRANT SELECT ON public.a TO nobody_of_this_name;
          | ^ role "nobody_of_this_name" does not exist [42704]
          |
          = note: database `DB` is new and empty
          = help: create the role first, with `CREATE ROLE ...`: roles belong to the whole server, so a dump of one database does not contain them
          = help: if it is a role: roles belong to the server and are not in a dump; `reset` without `--from-dump` creates those that the migrations create
    "#]]
    .assert_eq(&all);
}

#[test]
fn a_dump_of_older_migrations_is_followed_by_the_newer_ones() {
    let project = project();
    project.file("repeatable/v.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t3;\n");
    let schema = format!("CREATE TABLE public.t1 (id int);\n{}", history(&["001"]));
    expect![[r#"
        exit 0
        --- stdout
        dropped and created database `DB`
        loaded db/schema.sql
        applied 002_t2 (N ms)
        applied 003_t3 (N ms)
        applied repeatable v (N ms)
        applied 2 migrations and 1 repeatable in N ms; the database is at 003
        --- stderr
        SERVER · database DB · user postgres · PostgreSQL X
    "#]]
    .assert_eq(&reset(&project, &schema));
    assert!(!is_untouched(&project));
    assert_eq!(
        project.query("SELECT string_agg(version, ',' ORDER BY version) FROM schema_migrations"),
        "001,002,003\n"
    );
}
