//! `cargo xtask dump`: the schema as files that are committed.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use tempfile::TempDir;

use crate::support::{Project, query_on, server};
use crate::workspace::Workspace;

/// A body of which every line looks like something that is removed elsewhere, or ends in what an editor would remove.
const ODD_BODY: &str = "/*  \r\n\\restrict x\r\n-- Dumped by me   \n\n\n*/ SELECT 1";

pub(crate) fn major() -> String {
    query_on("postgres", "SHOW server_version_num").trim()[..2].to_owned()
}

/// The lines of `db/locks` have tabs between their fields. The number of the major release may be in a checksum by chance.
fn without_checksums(text: &str) -> String {
    let line = |line: &str| match line.rsplit_once('\t') {
        Some((before, sum)) if sum.replace("MAJOR", &major()).len() == 64 => format!("{before}\tCHECKSUM\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// Twice, with the same bytes.
fn an_odd_body_is_dumped_as_it_is(workspace: &Workspace, facts: &Path, run: &dyn Fn(&str) -> String) {
    let body = ODD_BODY.replace('\\', "\\\\").replace('\r', "\\r");
    workspace.write(
        "db/migrations/004_odd.sql",
        format!("-- migrate:up\nCREATE FUNCTION odd() RETURNS int LANGUAGE sql AS E'{body}';\n\n-- migrate:down\nDROP FUNCTION odd();\n"),
    );
    expect![[r#"
        exit 1
        --- stdout
        db/schema.sql is not what the migrations produce:
          + --
          + -- Name: odd(); Type: FUNCTION; Schema: public; Owner: -
          + --
          + 
          + CREATE FUNCTION public.odd() RETURNS integer
          +     LANGUAGE sql
          +     AS $$/*  \r
          + \restrict x\r
          + -- Dumped by me   $
          + 
          + 
          + */ SELECT 1$$;
          + 
          + 
          -     ('003');
          +     ('003'),
          +     ('004');
        db/schema.facts.MAJOR is not what the migrations produce:
          - # schema facts of PostgreSQL X at 003, format 2; written by `cargo xtask dump`, compared by `migrator drift`
          + # schema facts of PostgreSQL X at 004, format 2; written by `cargo xtask dump`, compared by `migrator drift`
          + public.odd()	function	CREATE OR REPLACE FUNCTION public.odd()\n RETURNS integer\n LANGUAGE sql\nAS $function$/*  \r\n\\restrict x\r\n-- Dumped by me   \n\n\n*/ SELECT 1$function$\n
        db/locks.MAJOR is not what the migrations produce:
          + 004	CHECKSUM
        the migrations produce a different schema: run `cargo xtask dump` and commit the files
    "#]]
    .assert_eq(&without_checksums(&run("xtask dump --check")));
    run("xtask dump");
    let files = || [workspace.path("db/schema.sql"), facts.to_owned()].map(|path| fs::read(path).unwrap());
    let first = files();
    assert!(String::from_utf8_lossy(&first[0]).contains(ODD_BODY), "{}", String::from_utf8_lossy(&first[0]));
    fs::remove_file(workspace.path("db/schema.sql")).unwrap();
    fs::remove_file(facts).unwrap();
    run("xtask dump");
    assert!(files() == first, "two dumps of the same migrations differ");
}

#[test]
fn the_files_are_what_the_migrations_give_and_say_so_when_they_are_not() {
    let workspace = Workspace::foreign("dump");
    let major = major();
    let run = |line: &str| workspace.run(&mut workspace.cargo(line)).replace(&major, "MAJOR");
    let facts = workspace.path(format!("db/schema.facts.{major}"));
    expect![[r#"
        exit 1
        --- stdout
        db/schema.sql is missing
        db/schema.facts.MAJOR is missing
        db/locks.MAJOR is missing
        the migrations produce a different schema: run `cargo xtask dump` and commit the files
    "#]]
    .assert_eq(&run("xtask dump --check"));
    expect![[r#"
        exit 0
        --- stdout
        db/schema.sql
        db/schema.facts.MAJOR
        db/locks.MAJOR
    "#]]
    .assert_eq(&run("xtask dump"));
    expect![[r#"
        exit 0
        --- stderr
        db/schema.sql, the facts and the locks are up to date
    "#]]
    .assert_eq(&run("xtask dump"));
    expect![[r#"
        exit 0
        --- stderr
        the committed schema is what the migrations produce
    "#]]
    .assert_eq(&run("xtask dump --check"));
    an_odd_body_is_dumped_as_it_is(&workspace, &facts, &run);
    restored_without_drift(&workspace);

    let locks = workspace.path(format!("db/locks.{major}"));
    for (path, renamed) in
        [(workspace.path("db/schema.sql"), "db/schema.sql"), (facts, "db/schema.facts.99"), (locks, "db/locks.99")]
    {
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        workspace.write(renamed, text.replace(&format!("PostgreSQL {major}"), "PostgreSQL 99"));
    }
    expect![[r#"
        exit 0
        --- stderr
        db/schema.sql: this server is PostgreSQL X the committed files are of another release
        db/schema.facts.MAJOR: this server is PostgreSQL X the committed files are of another release
        db/locks.MAJOR: this server is PostgreSQL X the committed files are of another release
    "#]]
    .assert_eq(&run("xtask dump --check"));
}

#[test]
fn a_dump_that_cannot_be_made_says_why_and_writes_nothing() {
    let workspace = Workspace::foreign("dump");
    let programs = programs_without_pg_dump();
    let output = workspace.run(workspace.cargo("xtask dump").env("PG_BIN", programs.path()));
    expect![[r#"
        exit 9
        --- stderr
        error: there is no `pg_dump` in `PROGRAMS`, where the server's programs are
        help: install the client programs of the same release (`apt install postgresql-client`)
    "#]]
    .assert_eq(&output.replace(&programs.path().display().to_string(), "PROGRAMS"));
    workspace.write(
        "db/migrations/004_bad.sql",
        "-- migrate:up\nALTER TABLE bookz ADD COLUMN x int;\n\n-- migrate:down\nSELECT 1;\n",
    );
    let output = workspace.run(&mut workspace.cargo("xtask dump"));
    expect![[r#"
        exit 9
        --- stderr
        error: the migrations fail on the throwaway server:
          error: migration 004_bad failed and was rolled back
           --> db/migrations/004_bad.sql:2:1
            |
          2 | ALTER TABLE bookz ADD COLUMN x int;
            | ^ relation "bookz" does not exist [42P01]
            |
            = note: applied before it in this run: 001_init, 002_create_loans, 003_index_open_loans. Not run: views.
            = help: correct the file (it has never been applied, so it may be edited), build, and run `up` again
    "#]]
    .assert_eq(&output);
    assert!(!workspace.path("db/schema.sql").exists());
}

/// The answer to one question of `cargo xtask verify`, with the lines below it.
fn verified(workspace: &Workspace, programs: Option<&Path>) -> String {
    let mut verify = workspace.cargo("xtask verify --html report.html");
    if let Some(programs) = programs {
        verify.env("PG_BIN", programs);
    }
    let output = workspace.output(&mut verify);
    let page = fs::read_to_string(workspace.path("report.html")).unwrap();
    assert!(page.contains("<strong>schema</strong>"), "{page}");
    let is_below = |line: &&str| line.starts_with("            ");
    let mut lines = output.stdout.lines().skip_while(|line| !line.contains(" schema: "));
    let first = lines.next().unwrap_or_else(|| panic!("{}{}", output.stdout, output.stderr)).replace(" (N ms)", "");
    let below = lines.take_while(is_below).map(|line| format!("{line}\n"));
    std::iter::once(format!("exit {}\n{first}\n", output.code)).chain(below).collect()
}

#[test]
fn verify_asks_whether_the_committed_schema_is_what_the_migrations_give() {
    let workspace = Workspace::foreign("dump");
    expect![[r#"
        exit 0
        skipped schema: there is no db/schema.sql; `cargo xtask dump` writes it
    "#]]
    .assert_eq(&verified(&workspace, None));
    workspace.run(&mut workspace.cargo("xtask dump"));
    expect![[r#"
        exit 0
        ok      schema: db/schema.sql and db/schema.facts.MAJOR as the migrations produce them
    "#]]
    .assert_eq(&verified(&workspace, None));
    let programs = programs_without_pg_dump();
    expect![[r#"
        exit 0
        skipped schema: there is no `pg_dump` in `PROGRAMS`, where the server's programs are
                    help: install the client programs of the same release (`apt install postgresql-client`)
    "#]]
    .assert_eq(
        &verified(&workspace, Some(programs.path())).replace(&programs.path().display().to_string(), "PROGRAMS"),
    );
    let text = fs::read_to_string(workspace.path("db/schema.sql")).unwrap();
    workspace.write("db/schema.sql", text.replace("    title text NOT NULL", "    title text"));
    expect![[r#"
        exit 1
        FAILED  schema: the migrations produce a different schema: run `cargo xtask dump` and commit the files
                    db/schema.sql is not what the migrations produce:
                    -     title text
                    +     title text NOT NULL
    "#]]
    .assert_eq(&verified(&workspace, None));
    workspace.write("db/schema.sql", text.replace(&format!("PostgreSQL {}", major()), "PostgreSQL 99"));
    expect![[r#"
        exit 0
        ok      schema: db/schema.facts.MAJOR as the migrations produce them
                    db/schema.sql: this server is PostgreSQL X the committed files are of another release
    "#]]
    .assert_eq(&verified(&workspace, None));
    workspace.write("db/migrations/004_bad.sql", "-- migrate:up\nSELECT nothing;\n\n-- migrate:down\nSELECT 1;\n");
    expect![[r#"
        exit 1
        skipped schema: the migrations do not go up
    "#]]
    .assert_eq(&verified(&workspace, None));
}

#[test]
fn the_first_up_of_verify_finds_no_role_that_the_migrations_make() {
    let workspace = Workspace::foreign("dump");
    let role = "CREATE ROLE reader_of_books;\nGRANT SELECT ON books TO reader_of_books;";
    let back = "DROP OWNED BY reader_of_books;\nDROP ROLE reader_of_books;";
    workspace.write("db/migrations/004_role.sql", format!("-- migrate:up\n{role}\n\n-- migrate:down\n{back}\n"));
    workspace.run(&mut workspace.cargo("xtask dump"));
    let output = workspace.output(&mut workspace.cargo("xtask verify")).stdout;
    assert!(output.starts_with("ok      up from zero: 4 migrations"), "{output}");
    workspace.write("db/migrations/005_bad.sql", "-- migrate:up\nSELECT nothing;\n\n-- migrate:down\nSELECT 1;\n");
    let output = workspace.output(&mut workspace.cargo("xtask verify")).stdout;
    assert!(output.starts_with("FAILED  up from zero: error: migration 005_bad failed"), "{output}");
}

/// A server without its client programs, as some packages bring it.
pub(crate) fn programs_without_pg_dump() -> TempDir {
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(server().program_directory()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "pg_dump" {
            std::os::unix::fs::symlink(entry.path(), programs.path().join(entry.file_name())).unwrap();
        }
    }
    programs
}

/// schema.sql gives a database that the migrator takes for its own.
fn restored_without_drift(workspace: &Workspace) {
    let restored = Project::new();
    let url = server().url(restored.database());
    let mut psql = Command::new(server().program_directory().join("psql"));
    psql.args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", &url, "--file"]);
    let output = psql.arg(workspace.path("db/schema.sql")).output().expect("psql, beside the server's programs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let migrate = |line: &str| workspace.run(workspace.cargo(line).env("DATABASE_URL", &url));
    assert_eq!(migrate("xtask migrate drift"), "exit 0\n--- stdout\nno drift\n");
    let applied = migrate("xtask migrate up");
    assert!(applied.contains("applied 1 repeatable in N ms; the database is at 004"), "{applied}");
    restored.query("ALTER TABLE books ADD COLUMN by_hand int");
    let drift = migrate("xtask migrate drift");
    assert!(drift.contains("added    column by_hand"), "{drift}");
}
