//! The tables of real projects, as their tools have left them.
#![expect(clippy::print_stderr, reason = "an absent folder is said, not passed over in silence")]

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha384};

use super::{Map, ends, is_adopted};
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

/// One file of another tool.
struct File {
    version: String,
    name: String,
    path: String,
    up: String,
}

/// What an importer writes.
fn import(project: &Project, tool: &str, files: &[File], checksums: impl Fn(&File) -> Vec<String>) {
    let mut map = Map::new(tool);
    for (number, file) in (1..).zip(files) {
        let ours = format!("{number:03}");
        let text = format!("-- migrate:up\n{}\n-- migrate:down\n", file.up);
        project.file(&format!("migrations/{ours}_{}.sql", file.name.replace(' ', "_")), &text);
        map.file(&ours, &file.version, &file.path, &checksums(file));
    }
    map.write(project);
    project.file("migrator.toml", "[check]\nstart_after = \"999\"\ndbmate = \"allow\"\n");
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

fn files(directory: &Path, read: impl Fn(&str, &Path) -> Option<(String, String, PathBuf)>) -> Vec<File> {
    let mut files: Vec<File> = std::fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let (version, name, path) = read(&entry.file_name().to_string_lossy(), &entry.path())?;
            let up = std::fs::read_to_string(&path).unwrap();
            Some(File { version, name, path: path.strip_prefix(directory).unwrap().display().to_string(), up })
        })
        .collect();
    files.sort_by_key(|file| file.version.parse::<u64>().unwrap());
    files
}

#[test]
fn diesel_chirpstack() {
    let Some(directory) = corpora("foreign/chirpstack/chirpstack/migrations_postgres") else { return };
    let files = files(&directory, |name, path| {
        let (version, name) = name.split_once('_')?;
        Some((version.replace('-', ""), name.to_owned(), path.join("up.sql")))
    });
    let project = Project::new();
    import(&project, "diesel", &files, |_| Vec::new());
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
    let files = files(&directory, |name, path| {
        let (version, name) = name.strip_suffix(".up.sql")?.split_once('_')?;
        Some((version.to_owned(), name.to_owned(), path.to_owned()))
    });
    let project = Project::new();
    import(&project, "sqlx", &files, |file| vec![hex::encode(Sha384::digest(&file.up))]);
    check(
        "sqlx-svix",
        "sqlx",
        project,
        &[
            (
                "UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 20220125145204",
                4,
                "`20220125145204_foreign_keys.up.sql` is not what sqlx has applied as `20220125145204` (foreign keys): the checksum in its history is `00`, that of the file `23b04a",
            ),
            (
                "UPDATE _sqlx_migrations SET success = false WHERE version = 20220125145204",
                8,
                "in the history of sqlx, `20220125145204` (foreign keys) was not finished",
            ),
        ],
    );
}

#[test]
fn refinery_arroyo() {
    let Some(directory) = corpora("foreign/arroyo/crates/arroyo-api/migrations") else { return };
    let files = files(&directory, |name, path| {
        let (version, name) = name.strip_prefix('V')?.strip_suffix(".sql")?.split_once("__")?;
        Some((version.to_owned(), name.to_owned(), path.to_owned()))
    });
    let project = Project::new();
    // The standard hasher is SipHash-1-3.
    let checksum = |file: &File| {
        let mut hasher = DefaultHasher::new();
        file.name.hash(&mut hasher);
        file.version.parse::<i32>().unwrap().hash(&mut hasher);
        file.up.hash(&mut hasher);
        vec![hasher.finish().to_string()]
    };
    import(&project, "refinery", &files, checksum);
    let changed = "UPDATE refinery_schema_history SET checksum = '1' WHERE version = 3";
    check(
        "refinery-arroyo",
        "refinery",
        project,
        &[(changed, 4, "`V3__add_udfs.sql` is not what refinery has applied as `3` (add_udfs)")],
    );
}

/// The files are not at hand: as many migrations that do nothing.
fn stand_ins(tool: &str, sources: &[String]) -> Project {
    let project = Project::new();
    let file = |source: &String| File {
        version: source.clone(),
        name: "m".to_owned(),
        path: format!("{source}.sql"),
        up: "SELECT 1;".to_owned(),
    };
    import(&project, tool, &sources.iter().map(file).collect::<Vec<_>>(), |_| Vec::new());
    project
}

/// What stands between two texts in every line of a dump that has both.
fn between(dump: &str, before: &str, after: &str) -> Vec<String> {
    let Some(path) = corpora(&format!("history-tables/{dump}.sql")) else { return Vec::new() };
    let text = std::fs::read_to_string(path).unwrap();
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
    let project = stand_ins("goose", &sources);
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
    check("node-pg-migrate-sample", "node-pg-migrate", stand_ins("node-pg-migrate", &sources), &[]);
}

/// Its table is called as ours, so ours is called otherwise.
#[test]
fn golang_migrate_openmeter() {
    let Some(dump) = corpora("history-tables/golang-migrate-openmeter.synthetic.sql") else { return };
    let sources = ["20260101000000", "20260818090123", "20260901000000"].map(str::to_owned);
    let project = stand_ins("golang-migrate", &sources);
    load(&project, &dump);
    let said = ends(&project, "adopt golang-migrate", 4);
    assert!(said.contains("set `table = \"migrator_migrations\"` under [history]"), "{said}");
    project.file("migrator.toml", "[history]\ntable = \"migrator_migrations\"\n");
    project.query("UPDATE schema_migrations SET dirty = true");
    let said = ends(&project, "adopt golang-migrate", 8);
    assert!(
        said.contains("`20260818090123` is dirty: it was not finished") && said.contains("migrate force VERSION"),
        "{said}"
    );
    project.query("UPDATE schema_migrations SET dirty = false");
    let said = ends(&project, "adopt golang-migrate", 0);
    assert!(
        said.contains("adopted from `public.schema_migrations` of golang-migrate: 2 without running: 001_m, 002_m\n"),
        "{said}"
    );
    assert!(said.contains("pending: 003_m\n"), "{said}");
    assert!(ends(&project, "adopt golang-migrate", 0).contains("nothing to adopt"));
    assert!(ends(&project, "up", 0).contains("applied 1 migration in"));
    // What we have applied since is nothing that the other one has withdrawn.
    is_adopted(&project, "golang-migrate");
}

#[test]
fn tern_artifacthub() {
    let Some(dump) = corpora("history-tables/tern-artifacthub.synthetic.sql") else { return };
    let sources: Vec<String> = (1..=64).map(|number| number.to_string()).collect();
    let project = stand_ins("tern", &sources);
    load(&project, &dump);
    let said = ends(&project, "adopt tern", 2);
    assert!(said.contains("there is no table `schema_version`"), "{said}");
    ends(&project, "adopt tern --table version_schema", 0);
    assert!(ends(&project, "adopt tern --table public.version_schema", 0).contains("nothing to adopt"));
    ends(&project, "status --check", 0);
    assert!(ends(&project, "up", 0).contains("nothing to apply"));
}
