//! What the server's own errors are answered with: the way out that fits the cause, and the place inside a DO block.

use crate::support::{Project, query_on};

/// Applies one migration, which fails, and returns what is said; `prepared` is there before.
fn fails(prepared: &str, up: &str) -> String {
    let project = Project::new();
    if !prepared.is_empty() {
        project.query(prepared);
    }
    project.file("migrations/001_a.sql", &format!("-- migrate:up\n{up}\n-- migrate:down\n"));
    let output = project.run(&["up"]);
    assert!(output.starts_with("exit 3"), "{output}");
    output
}

#[track_caller]
fn check(prepared: &str, up: &str, code: &str, help: &str) {
    let output = fails(prepared, up);
    assert!(output.contains(&format!("[{code}]")), "{output}");
    let helps: Vec<&str> = output.lines().filter(|line| line.contains("= help: ")).collect();
    assert!(helps.len() == 1 && helps[0].contains(help), "{output}");
}

#[test]
fn the_help_fits_what_the_server_has_refused() {
    check("", "CREATE EXTENSION nonesuch_extension;", "0A000", "install the package of that extension");
    check("", "GRANT SELECT ON pg_class TO nobody_of_that_name;", "42704", "create the role first");
    check("", "CREATE TABLE t (a citext);", "42704", "CREATE EXTENSION IF NOT EXISTS \"citext\"");
    check("", "SELECT uuid_generate_v4();", "42883", "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"");
    check("CREATE TABLE t ()", "CREATE TABLE t ();", "42P07", "migrator stamp --to 001");
    check("CREATE TYPE mood AS ENUM ()", "CREATE TYPE mood AS ENUM ();", "42710", "migrator stamp --to 001");
    check("CREATE SCHEMA app", "CREATE SCHEMA app;", "42P06", "migrator stamp --to 001");
    check(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
        "42723",
        "migrator stamp --to 001",
    );
    check(
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'",
        "CALL p();",
        "2D000",
        "`-- migrate:up transaction:false`",
    );
    check("", "DO $$ BEGIN COMMIT; END $$;", "2D000", "`-- migrate:up transaction:false`");
    check("", "DO $$ BEGIN EXECUTE 'VACUUM'; END $$;", "25001", "instead of in a DO block");
    check(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)",
        "CREATE UNIQUE INDEX t_a ON t (a);",
        "23505",
        "existing rows violate it",
    );
    check(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL)",
        "ALTER TABLE t ALTER a SET NOT NULL;",
        "23502",
        "existing rows violate it",
    );
    check(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD CHECK (a > 1);",
        "23514",
        "existing rows violate it",
    );
    check(
        "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t",
        "ALTER TABLE t ALTER a TYPE bigint;",
        "0A000",
        "drop the view before",
    );
    check(
        "CREATE TYPE mood AS ENUM ('a')",
        "ALTER TYPE mood ADD VALUE 'b';\nSELECT 'b'::mood;",
        "55P04",
        "move the statements that use it to the next migration",
    );
    check(
        "",
        "CREATE TABLE t (a int PRIMARY KEY, b int REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1, 1);\nALTER TABLE t ADD COLUMN c int;",
        "55006",
        "SET CONSTRAINTS ALL IMMEDIATE",
    );
    check("", "DO $$ BEGIN EXECUTE 'SELECT 1 WHERE 1 = :name'; END $$;", "42601", "psql variables");
    // Where only the file can tell.
    check("", "SELECT nope;", "42703", "correct the file");
    check("CREATE TABLE t (a int PRIMARY KEY)", "INSERT INTO t VALUES (1), (1);", "23505", "correct the file");
}

#[test]
fn who_lacks_a_right_is_not_told_to_correct_the_file() {
    let project = Project::new();
    project.tables(1).run(&["up"]);
    let role = format!("limited_{}", project.database());
    query_on("postgres", &format!("CREATE ROLE {role} LOGIN"));
    project.query(&format!("GRANT ALL ON SCHEMA public TO {role}; GRANT ALL ON schema_migrations, schema_migration_events TO {role}; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"));
    for (up, help) in [
        ("ALTER TABLE t1 ADD COLUMN a int;", "connect as that role"),
        ("SELECT count(*) FROM t1;", "grant the migrator's user that privilege"),
        ("CREATE EXTENSION file_fdw;", "have a superuser create the extension"),
    ] {
        project.migration("002_b", up, "");
        let output = project.run_as(&role, &["up"]);
        if output.contains("[42501]") {
            assert!(output.contains(help) && !output.contains("correct the file"), "{output}");
        } else {
            // The machine has not got that extension.
            assert!(output.contains("is not available") && output.contains("install the package"), "{output}");
        }
    }
    project.query(&format!("DROP OWNED BY {role}"));
    query_on("postgres", &format!("DROP ROLE {role}"));
}

#[track_caller]
fn check_place(up: &str, place: &str, line: &str) {
    let output = fails("CREATE TABLE t (id int)", up);
    assert!(output.contains(&format!(" --> db/migrations/001_a.sql:{place}\n")), "{output}");
    assert!(output.contains(line), "{output}");
}

#[test]
fn an_error_inside_a_do_block_points_at_its_line() {
    check_place("SELECT 1;\nDO $$\nBEGIN\n  RAISE EXCEPTION 'no';\nEND $$;", "5:3", "5 |   RAISE EXCEPTION 'no';");
    check_place(
        "DO $x$ BEGIN\n  PERFORM 1;\n  EXECUTE 'SELECT nope FROM t';\nEND $x$;",
        "4:19",
        "EXECUTE 'SELECT nope",
    );
    check_place(
        "DO LANGUAGE plpgsql $$ -- é\nDECLARE x int;\nBEGIN\n  UPDATE t\n     SET é = 1;\nEND $$;",
        "6:10",
        "SET é = 1;",
    );
    check_place("DO $$\nBEGIN\n  IF nope > 1 THEN NULL; END IF;\nEND $$;", "4:6", "IF nope");
    check_place(
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  RAISE 'x';\nEND $$;\nDO $$\nBEGIN\n  PERFORM f();\nEND $$;",
        "8:3",
        "PERFORM f();",
    );
    check_place("DO 'BEGIN\n  PERFORM 1 / 0;\nEND';", "3:3", "PERFORM 1 / 0;");
    check_place("DO $$\nBEGIN\n  nonsense;\nEND $$;", "4:3", "nonsense;");
    // An error elsewhere stays where it is.
    check_place("SELECT 1;\nSELECT 1 / 0;", "3:1", "SELECT 1 / 0;");
}

/// The project's URL with another parameter.
fn with(project: &Project, pair: &str) -> String {
    let url = project.url();
    format!("{url}{}{pair}", if url.contains('?') { '&' } else { '?' })
}

#[test]
fn a_setting_of_the_url_that_the_server_does_not_know_is_named_as_one() {
    let project = Project::new();
    for (pair, code) in
        [("nonesuch_timeout=5", "42704"), ("statement_timeout=soon", "22023"), ("work_mem=little", "22023")]
    {
        let output = project.run_with(&["status"], &[("DATABASE_URL", &with(&project, pair))]);
        assert!(output.starts_with("exit 6") && output.contains(&format!("[{code}]")), "{output}");
        let name = pair.split('=').next().unwrap();
        assert!(output.contains(&format!("`{name}` is a parameter of the database URL")), "{output}");
    }
    for pair in ["schema=public", "pgbouncer=true", "connection_limit=5", "sslaccept=strict", "currentSchema=app"] {
        let output = project.run_with(&["status"], &[("DATABASE_URL", &with(&project, pair))]);
        assert!(output.starts_with("exit 2") && output.contains("= help: "), "{output}");
    }
}
