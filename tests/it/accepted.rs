//! What we accept without a warning runs: with us, and with the real dbmate, with the same schema in the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use migrator_build::load;

use crate::dbmate_tool::{self, Dbmate};
use crate::fixtures::{fixtures, name};
use crate::support::{Project, server};

/// The db directories of the accepted fixtures.
fn accepted() -> Vec<PathBuf> {
    let accepted = fixtures().into_iter().filter(|fixture| name(fixture).starts_with("accepted_"));
    let directories: Vec<PathBuf> = accepted.map(|fixture| fixture.join("db")).collect();
    assert!(directories.len() >= 8, "{directories:?}");
    directories
}

/// The migrations of this repository: dbmate knows nothing of the other folders.
fn own() -> Project {
    let db = Path::new(env!("CARGO_MANIFEST_DIR")).join("../db");
    let project = Project::new();
    for entry in std::fs::read_dir(db.join("migrations")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), project.db().join("migrations").join(entry.file_name())).unwrap();
    }
    project
}

/// The schema as pg_dump writes it, without the tables of the history.
fn schema(url: &str) -> String {
    let output = Command::new(server().program_directory().join("pg_dump"))
        .args(["--schema-only", "--no-owner", "--exclude-table=schema_migration*", "--dbname", url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // The key behind `\restrict` differs from run to run.
    let is_sql = |line: &&str| !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\');
    text.lines().filter(is_sql).map(|line| format!("{line}\n")).collect()
}

/// All rows of all tables but those of the history.
fn rows(project: &Project) -> String {
    let tables = project.query(
        "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname NOT LIKE 'schema_migration%'
         AND relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')
         ORDER BY oid::regclass::text",
    );
    tables.lines().map(|table| format!("{table}: {}", project.query(&format!("TABLE {table} ORDER BY 1")))).collect()
}

#[test]
fn what_is_accepted_without_a_warning_applies() {
    for db in accepted() {
        let project = Project::of(&db);
        let empty = schema(&project.url());
        let output = project.run(&["up"]);
        assert!(output.starts_with("exit 0"), "{}: {output}", db.display());
        assert!(!output.contains("warning"), "{}: {output}", db.display());
        assert_ne!(schema(&project.url()), empty, "{}: nothing was made", db.display());
    }
}

#[test]
fn dbmate_makes_the_same_of_what_is_accepted_without_a_warning() {
    if !dbmate_tool::is_here("the comparison of schemas with the real dbmate") {
        return;
    }
    for db in accepted() {
        compare(&Project::of(&db), &Project::of(&db), &db);
    }
    compare(&own(), &own(), Path::new("db"));
}

/// Applies the files with us to the one database and with dbmate to the other, and takes them back.
fn compare(ours: &Project, theirs: &Project, db: &Path) {
    let db = db.display();
    let loaded = load(&ours.db()).unwrap();
    assert_eq!(loaded.warnings, [], "{db}");
    let dbmate = Dbmate { migrations: &theirs.db().join("migrations"), url: theirs.url(), search_path: "" };
    let output = ours.run(&["up"]);
    assert!(output.starts_with("exit 0"), "{db}: {output}");
    dbmate.run(&["migrate"]);
    assert_eq!(schema(&ours.url()), schema(&theirs.url()), "{db}: the schemas after up");
    assert_eq!(rows(ours), rows(theirs), "{db}: the rows after up");
    let versions = "SELECT version FROM schema_migrations ORDER BY version";
    assert_eq!(ours.query(versions), theirs.query(versions), "{db}: the histories");
    if loaded.set.migrations.iter().all(|migration| migration.down.is_some()) {
        let output = ours.run(&["down", "--to", "0", "--yes"]);
        assert!(output.starts_with("exit 0"), "{db}: {output}");
        loaded.set.migrations.iter().for_each(|_| drop(dbmate.run(&["rollback"])));
        assert_eq!(schema(&ours.url()), schema(&theirs.url()), "{db}: the schemas after down");
    }
}

/// Ways of writing that we warn about because of dbmate: the code, and files by name.
const WARNED: [(&str, &[(&str, &str)]); 7] = [
    (
        "M035",
        &[(
            "001_a",
            "-- migrate:up\nCREATE SCHEMA s;\nSET search_path = s;\nCREATE TABLE t (id int);\n-- migrate:down\n",
        )],
    ),
    (
        "M050",
        &[(
            "001_a",
            "-- migrate:up\nCREATE TABLE t (id int);\nCOMMENT ON TABLE t IS '\n-- migrate:down\n';\n-- migrate:down\n",
        )],
    ),
    ("M051", &[("001_a", "/* why */\n-- migrate:up\nCREATE TABLE t (id int);\n-- migrate:down\n")]),
    ("M052", &[("001_a", "-- migrate:up\nCREATE TABLE t (id int);\n")]),
    (
        "M053",
        &[
            ("001_a", "-- migrate:up\nCREATE TABLE t (id int);\n-- migrate:down\n"),
            (
                "002_b",
                "-- migrate:up transaction:false\nSET work_mem = '8MB';\nCREATE INDEX CONCURRENTLY t_id_idx ON t (id);\n-- migrate:down\n",
            ),
        ],
    ),
    (
        "M054",
        &[
            ("9_a", "-- migrate:up\nCREATE TABLE t (id int);\n-- migrate:down\n"),
            ("10_b", "-- migrate:up\nALTER TABLE t ADD COLUMN b int;\n-- migrate:down\n"),
        ],
    ),
    ("M055", &[("001_a", "-- migrate:up\nCREATE TABLE t (id int);\nSET ROLE pg_monitor;\n-- migrate:down\n")]),
];

fn warned(files: &[(&str, &str)]) -> Project {
    let project = Project::new();
    for (name, text) in files {
        project.file(&format!("migrations/{name}.sql"), text);
    }
    project
}

#[test]
fn what_we_warn_about_because_of_dbmate_applies_with_us() {
    for (code, files) in WARNED {
        let output = warned(files).run(&["up"]);
        assert!(output.starts_with("exit 0"), "{code}: {output}");
        assert!(output.contains(&format!("[{code}]")), "{code}: {output}");
    }
}

#[test]
fn dbmate_fails_where_we_warn_because_of_it() {
    if !dbmate_tool::is_here("the warnings about dbmate with the real dbmate") {
        return;
    }
    for (code, files) in WARNED {
        let project = warned(files);
        let output = Dbmate { migrations: &project.db().join("migrations"), url: project.url(), search_path: "" }
            .output(&["migrate"]);
        assert!(!output.status.success(), "{code}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
