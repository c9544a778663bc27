//! What another user has planted in a schema of `search_path` never runs with the migrator's rights.

use std::collections::BTreeSet;
use std::path::Path;

use migrator_postgres::TemporaryServer;

use crate::support::{Project, query_at};

/// A server on which every new database is full of planted objects, and every role looks for names among them first.
fn planted_server() -> TemporaryServer {
    let server = TemporaryServer::builder().setting("max_locks_per_transaction", "512").start().unwrap();
    let mut words = BTreeSet::new();
    collect_words(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrator/engine/src"), &mut words);
    assert!(words.contains("pg_class") && words.contains("current_setting"));
    let words = format!("'{{{}}}'", words.into_iter().collect::<Vec<_>>().join(","));
    let template = server.url("template1");
    for schema in ["evil", "public"] {
        let plant = include_str!("planted.sql").replace("{words}", &words).replace("{schema}", schema);
        query_at(&template, &plant);
    }
    // The harshest path there is: even what the server calls so itself comes last.
    query_at(&server.url("postgres"), "ALTER ROLE postgres SET search_path = evil, public, pg_catalog");
    server
}

/// Every word of the sources below a directory.
fn collect_words(directory: &Path, words: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_words(&path, words);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            words.extend(
                text.split(|c| !is_word(c))
                    .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
                    .map(str::to_ascii_lowercase),
            );
        }
    }
}

/// What was planted and has been called, each with the statement that called it.
fn calls(server: &TemporaryServer) -> Vec<String> {
    let log = server.log();
    let lines: Vec<&str> = log.lines().collect();
    let called = |at: usize| lines[at].contains("planted: ").then(|| lines[at..lines.len().min(at + 3)].join("\n"));
    (0..lines.len()).filter_map(called).collect()
}

/// Migrations that call nothing by themselves, in every form that the engine knows.
fn project() -> Project {
    let project = Project::without_database();
    project
        .migration("001_schema", "CREATE SCHEMA app; CREATE TABLE app.t (id int NOT NULL);", "DROP SCHEMA app CASCADE;")
        .migration("002_column", "ALTER TABLE app.t ADD COLUMN note pg_catalog.text; CREATE TEMPORARY TABLE pg_class (planted int); \
             CREATE TEMPORARY TABLE pg_locks (planted int); CREATE TEMPORARY TABLE pg_settings (planted int); \
             CREATE TEMPORARY TABLE schema_migrations (planted int); CREATE TEMPORARY TABLE int8 (planted int);", "ALTER TABLE app.t DROP COLUMN note;")
        .file(
            "migrations/003_index.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON app.t (id);\nBEGIN;\nINSERT INTO app.t VALUES (1);\nCOMMIT;\n\
             REINDEX INDEX CONCURRENTLY app.i;\nCOMMENT ON TABLE app.t IS 'x';\n\
             -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY app.i;\nDELETE FROM app.t;\nCOMMENT ON TABLE app.t IS NULL;\n",
        )
        .file("repeatable/v.sql", "CREATE OR REPLACE VIEW app.v AS SELECT id FROM app.t;\n")
        .file("seeds/development.sql", "INSERT INTO app.t VALUES (2);\n")
        .file("checks/none.sql", "SELECT id FROM app.t WHERE false;\n");
    project
}

#[test]
fn no_statement_of_ours_calls_what_another_user_has_planted() {
    let server = planted_server();
    let project = project();
    let url = server.url(project.database());
    query_at(&server.url("postgres"), &format!("CREATE DATABASE {}", project.database()));

    let called = || calls(&server).len();
    query_at(&url, "SELECT 'a'::pg_catalog.varchar = 'b'::pg_catalog.varchar, version()");
    assert_eq!(called(), 2, "nothing is planted");

    let run = |arguments: &[&str], code: &str| {
        let scratch = server.url("postgres");
        let scratch: &[&str] = if arguments == ["plan", "--locks"] { &["--scratch-url", &scratch] } else { &[] };
        let output = project.run_with(&[arguments, scratch].concat(), &[("DATABASE_URL", &url)]);
        assert!(output.starts_with(&format!("exit {code}\n")), "{arguments:?}: {output}");
        assert_eq!(called(), 2, "{arguments:?}: {:#?}", calls(&server));
    };
    run(&["status"], "0");
    run(&["plan", "--json"], "0");
    run(&["stats"], "0");
    run(&["environment", "set", "staging"], "0");
    run(&["up", "--audit"], "0");
    run(&["up"], "0");
    run(&["status", "--json"], "0");
    run(&["seed"], "0");
    run(&["audit", "--json"], "0");
    run(&["down", "--to", "1", "--yes"], "0");
    run(&["up", "--one-by-one"], "0");
    run(&["drift", "--json"], "2");
    run(&["drift", "--facts"], "0");
    run(&["verify"], "0");
    run(&["plan", "--locks"], "0");
    run(&["redo", "--yes"], "0");

    project.file("migrations/004_doubt.sql", "-- migrate:up transaction:false\nDO $$ BEGIN RAISE EXCEPTION 'x'; END $$;\nCREATE TABLE app.u (id int);\n-- migrate:down\n");
    run(&["up"], "7");
    run(&["status"], "0");
    run(&["resolve", "4", "--statement", "1", "--applied"], "0");
    run(&["up"], "0");
    project.file(
        "migrations/005_stamped.sql",
        "-- migrate:up\nCREATE TABLE app.w (id int);\n-- migrate:down\nDROP TABLE app.w;\n",
    );
    run(&["stamp", "--all"], "0");
    query_at(
        &url,
        "DROP TABLE public.schema_migrations, public.schema_migration_events; \
         CREATE TABLE app.goose_db_version (id pg_catalog.int4, version_id pg_catalog.int8, is_applied pg_catalog.bool); \
         INSERT INTO app.goose_db_version VALUES (1, 0, true), (2, 1, true), (3, 2, true), (4, 3, true), (5, 4, true)",
    );
    run(&["up"], "4");
    run(&["adopt", "goose", "--dry-run"], "0");
    run(&["adopt", "goose"], "0");
    run(&["adopt", "goose"], "0");
}

#[test]
fn what_the_server_has_prepared_calls_nothing_that_is_planted() {
    let server = planted_server();
    let project = Project::without_database();
    let url = server.url(project.database());
    query_at(&server.url("postgres"), &format!("CREATE DATABASE {}", project.database()));
    project.migration("001_schema", "CREATE SCHEMA app;", "DROP SCHEMA app;");
    for number in 2..=8 {
        let (up, down) = (format!("CREATE TABLE app.t{number} ();"), format!("DROP TABLE app.t{number};"));
        project.migration(&format!("{number:03}_t"), &up, &down);
    }
    let statements =
        |what: &str| (2..=8).map(|number| format!("COMMENT ON TABLE app.t{number} IS {what};\n")).collect::<String>();
    let (up, down) = (statements("'x'"), statements("NULL"));
    project.file(
        "migrations/009_block.sql",
        &format!("-- migrate:up transaction:false\n{up}-- migrate:down transaction:false\n{down}"),
    );
    query_at(&server.url("postgres"), &format!("ALTER DATABASE {} SET log_statement = 'all'", project.database()));
    let before = calls(&server);
    for arguments in [&["up"][..], &["down", "--to", "0", "--yes"], &["up"]] {
        let output = project.run_with(arguments, &[("DATABASE_URL", &url)]);
        assert!(output.starts_with("exit 0\n"), "{arguments:?}: {output}");
        assert_eq!(calls(&server), before, "{arguments:?}");
    }
    for called in ["fence_up(", "up(", "fence_down(", "down(", "done_1("].map(|name| format!("EXECUTE migrator_{name}"))
    {
        assert!(server.log().contains(&called), "{called}");
    }
}

#[test]
fn an_interrupted_index_is_healed_without_calling_what_is_planted() {
    let server = planted_server();
    let project = project();
    let url = server.url(project.database());
    query_at(&server.url("postgres"), &format!("CREATE DATABASE {}", project.database()));
    let run = |arguments: &[&str]| project.run_with(arguments, &[("DATABASE_URL", &url)]);
    assert!(run(&["up", "--to", "2"]).starts_with("exit 0"));
    query_at(&url, "INSERT INTO app.t VALUES (1), (1)");
    // An index that fails at its end is invalid, and is dropped and built again.
    project.file(
        "migrations/003_index.sql",
        "-- migrate:up transaction:false\nCREATE UNIQUE INDEX CONCURRENTLY i ON app.t (id);\n-- migrate:down\nDROP INDEX app.i;\n",
    );
    let failed = run(&["up"]);
    assert!(failed.starts_with("exit 3"), "{failed}");
    query_at(&url, "DELETE FROM app.t");
    let healed = run(&["up"]);
    assert!(healed.starts_with("exit 0") && healed.contains("is invalid"), "{healed}");
    // Begun and not recorded as done: the catalog knows.
    query_at(
        &url,
        "DELETE FROM public.schema_migrations WHERE version::pg_catalog.text OPERATOR(pg_catalog.=) '003'::pg_catalog.text; \
         DELETE FROM public.schema_migration_events WHERE outcome OPERATOR(pg_catalog.=) 'done'::pg_catalog.text \
           AND version::pg_catalog.text OPERATOR(pg_catalog.=) '003'::pg_catalog.text",
    );
    let known = run(&["up"]);
    assert!(known.starts_with("exit 0") && known.contains("was finished by an earlier run"), "{known}");
    assert_eq!(calls(&server), Vec::<String>::new());
}
