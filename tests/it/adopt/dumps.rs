//! The tables of real projects, as their tools have left them.
#![expect(clippy::print_stderr, reason = "an absent folder is said, not passed over in silence")]

use std::fs;
use std::path::{Path, PathBuf};

use super::{ends, is_adopted};
use crate::dump::major;
use crate::support::{Project, load};

/// Other people's data, which is not part of this repository.
fn corpora(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(part);
    if !path.exists() {
        eprintln!("the corpora are not here: {part} was not adopted");
        return None;
    }
    Some(path)
}

/// A project with the migrations of a directory, imported.
fn imported(tool: &str, directory: &Path) -> Project {
    let project = Project::new();
    ends(&project, &format!("import {tool} {}", directory.display()), 0);
    project
}

/// A database with the schema of these files, its facts in the project, and the history that the dump has.
fn restored(project: &Project, dump: &Path) {
    ends(project, "up --quiet", 0);
    let facts = project.command(&["drift", "--facts"]).output().unwrap().stdout;
    project.file(&format!("schema.facts.{}", major()), &String::from_utf8(facts).unwrap());
    project.query("DROP TABLE schema_migrations, schema_migration_events");
    load(project, dump);
}

/// A dump, the files of its project, and what is changed in its history so that it no longer fits: each with what is said then.
fn check(dump: &str, tool: &str, project: Project, spoilt: &[(&str, u8, &str)]) {
    let Some(dump) = corpora(&format!("history-tables/{dump}.sql")) else { return };
    restored(&project, &dump);
    for (change, code, expected) in spoilt {
        let table = tables(&project);
        project.query(&format!("CREATE SCHEMA kept; CREATE TABLE kept.rows AS SELECT * FROM {table}; {change}"));
        let said = ends(&project, &format!("adopt {tool}"), *code);
        assert!(said.contains(expected), "{change}: {said}");
        assert_eq!(project.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n", "{change}");
        project
            .query(&format!("TRUNCATE {table}; INSERT INTO {table} SELECT * FROM kept.rows; DROP SCHEMA kept CASCADE"));
    }
    let before = project
        .query(&format!("SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t", tables(&project)));
    ends(&project, &format!("adopt {tool} --dry-run"), 0);
    ends(&project, &format!("adopt {tool} --verify"), 0);
    is_adopted(&project, tool);
    let drift = ends(&project, "drift", 0);
    assert!(drift.contains("no drift"), "{drift}");
    let after = project
        .query(&format!("SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t", tables(&project)));
    assert_eq!(before, after, "the other table is left alone");
}

/// The one table of the dump.
fn tables(project: &Project) -> String {
    project.query("SELECT oid::regclass FROM pg_class WHERE relname IN ('__diesel_schema_migrations', '_sqlx_migrations', 'refinery_schema_history', 'goose_db_version', 'pgmigrations')").trim().to_owned()
}

/// The same with one file changed after that tool has applied it; what is said.
fn after_a_change(tool: &str, directory: &Path, file: &str, dump: &str) -> String {
    let source = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), source.path().join(entry.file_name())).unwrap();
    }
    let path = source.path().join(file);
    fs::write(&path, format!("{}\nSELECT 1;\n", fs::read_to_string(&path).unwrap())).unwrap();
    let project = imported(tool, source.path());
    restored(&project, &corpora(&format!("history-tables/{dump}.sql")).unwrap());
    let said = ends(&project, &format!("adopt {tool}"), 4);
    assert_eq!(project.query("SELECT to_regclass('schema_migrations') IS NULL"), "t\n");
    said
}

#[test]
fn diesel_chirpstack() {
    let Some(directory) = corpora("foreign/chirpstack/chirpstack/migrations_postgres") else { return };
    let project = imported("diesel", &directory);
    // Its authors create it by hand.
    project.query("CREATE EXTENSION pg_trgm");
    let unknown = "INSERT INTO __diesel_schema_migrations VALUES ('20990101000000')";
    check(
        "diesel-chirpstack",
        "diesel",
        project,
        &[(unknown, 4, "no migration explains `20990101000000` in the history of diesel")],
    );
}

#[test]
fn sqlx_svix() {
    let Some(directory) = corpora("foreign/svix/server/svix-server/migrations") else { return };
    let other = "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 20220125145204";
    let mismatch = "`20220125145204_foreign_keys.up.sql` is not what sqlx has applied as `20220125145204` (foreign keys): the checksum in its history is `00`, that of the file `23b04a";
    let failed = "UPDATE _sqlx_migrations SET success = false WHERE version = 20220125145204";
    let unfinished = "in the history of sqlx, `20220125145204` (foreign keys) was not finished";
    check("sqlx-svix", "sqlx", imported("sqlx", &directory), &[(other, 4, mismatch), (failed, 8, unfinished)]);
    let said = after_a_change("sqlx", &directory, "20220125145204_foreign_keys.up.sql", "sqlx-svix");
    let changed = "`20220125145204_foreign_keys.up.sql` is not what sqlx has applied as `20220125145204` (foreign keys): the checksum in its history is `23b04a";
    assert!(said.contains(changed), "{said}");
}

#[test]
fn refinery_arroyo() {
    let Some(directory) = corpora("foreign/arroyo/crates/arroyo-api/migrations") else { return };
    let other = "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 3";
    let mismatch = "`V3__add_udfs.sql` is not what refinery has applied as `3` (add_udfs)";
    check("refinery-arroyo", "refinery", imported("refinery", &directory), &[(other, 4, mismatch)]);
    let said = after_a_change("refinery", &directory, "V3__add_udfs.sql", "refinery-arroyo");
    assert!(said.contains(mismatch), "{said}");
}

/// The files are not at hand: as many that do nothing, named as that tool names them.
fn stand_ins(tool: &str, sources: &[String], layout: impl Fn(&str) -> (String, &'static str)) -> Project {
    let directory = tempfile::tempdir().unwrap();
    for source in sources {
        let (name, text) = layout(source);
        fs::write(directory.path().join(name), text).unwrap();
    }
    imported(tool, directory.path())
}

/// What stands between two texts in every line of a dump that has both.
fn between(dump: &str, before: &str, after: &str) -> Vec<String> {
    let Some(path) = corpora(&format!("history-tables/{dump}.sql")) else { return Vec::new() };
    let text = fs::read_to_string(path).unwrap();
    let part = |line: &str| Some(line.split_once(before)?.1.split_once(after)?.0.to_owned());
    text.lines().filter_map(part).collect()
}

#[test]
fn goose_hatchet() {
    let sources: Vec<String> =
        between("goose-hatchet.synthetic", "VALUES (", ", true").into_iter().filter(|v| v != "0").collect();
    if sources.is_empty() {
        return;
    }
    let text = "-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 1;\n";
    let project = stand_ins("goose", &sources, |version| (format!("{version}_m.sql"), text));
    let unknown = "INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, true)";
    check(
        "goose-hatchet.synthetic",
        "goose",
        project,
        &[(unknown, 4, "no migration explains `7` in the history of goose")],
    );
}

#[test]
fn node_pg_migrate_sample() {
    let sources: Vec<String> = between("node-pg-migrate-sample", "\t", "\t20");
    if sources.is_empty() {
        return;
    }
    let text = "-- Up Migration\nSELECT 1;\n\n-- Down Migration\nSELECT 1;\n";
    let project = stand_ins("node-pg-migrate", &sources, |name| (format!("{name}.sql"), text));
    check("node-pg-migrate-sample", "node-pg-migrate", project, &[]);
}

/// Its table is called as ours, so ours is called otherwise.
#[test]
fn golang_migrate_openmeter() {
    let Some(dump) = corpora("history-tables/golang-migrate-openmeter.synthetic.sql") else { return };
    let sources = ["20260101000000", "20260818090123", "20260901000000"].map(str::to_owned);
    let project = stand_ins("golang-migrate", &sources, |version| (format!("{version}_m.up.sql"), "SELECT 1;\n"));
    load(&project, &dump);
    let settings = fs::read_to_string(project.db().join("migrator.toml")).unwrap();
    project.file("migrator.toml", "");
    let said = ends(&project, "adopt golang-migrate", 4);
    assert!(said.contains("set `table = \"migrator_migrations\"` under [history]"), "{said}");
    // The import had done so.
    project.file("migrator.toml", &settings);
    project.query("UPDATE schema_migrations SET dirty = true");
    let said = ends(&project, "adopt golang-migrate", 8);
    assert!(
        said.contains("`20260818090123` is dirty: it was not finished") && said.contains("migrate force VERSION"),
        "{said}"
    );
    project.query("UPDATE schema_migrations SET dirty = false");
    let said = ends(&project, "adopt golang-migrate", 0);
    assert!(
        said.contains("adopted from `public.schema_migrations` of golang-migrate: 2 without running: 20260101000000_m, 20260818090123_m\n"),
        "{said}"
    );
    assert!(said.contains("pending: 20260901000000_m\n"), "{said}");
    assert!(ends(&project, "adopt golang-migrate", 0).contains("nothing to adopt"));
    assert!(ends(&project, "up", 0).contains("applied 1 migration in"));
    // What we have applied since is nothing that the other one has withdrawn.
    is_adopted(&project, "golang-migrate");
}

#[test]
fn tern_artifacthub() {
    let Some(dump) = corpora("history-tables/tern-artifacthub.synthetic.sql") else { return };
    let sources: Vec<String> = (1..=64).map(|number| number.to_string()).collect();
    let project = stand_ins("tern", &sources, |number| (format!("{number:0>3}_m.sql"), "SELECT 1;\n"));
    load(&project, &dump);
    let said = ends(&project, "adopt tern", 2);
    assert!(said.contains("there is no table `schema_version`"), "{said}");
    ends(&project, "adopt tern --table version_schema", 0);
    assert!(ends(&project, "adopt tern --table public.version_schema", 0).contains("nothing to adopt"));
    ends(&project, "status --check", 0);
    assert!(ends(&project, "up", 0).contains("nothing to apply"));
}
