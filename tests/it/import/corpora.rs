//! The layouts of public projects: imported, built, applied from zero, and the same schema as in the order and the transactions of the
//! tool itself; every line of every file is in the result.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use migrator_postgres::TemporaryServer;

use super::{Import, corpora, tree};
use crate::support::query_at;

/// What the source files are run on: roles belong to a whole server, so the two schemas need one each.
fn other_server() -> &'static TemporaryServer {
    static SERVER: OnceLock<TemporaryServer> = OnceLock::new();
    SERVER.get_or_init(|| TemporaryServer::start().unwrap_or_else(|error| panic!("no second PostgreSQL: {error:#}")))
}

/// A file as its tool runs it.
struct Run {
    sql: String,
    in_transaction: bool,
}

/// The numbers that a name begins with, after a letter.
fn numbers(name: &str) -> Vec<u128> {
    let version = name.trim_start_matches(['V', 'v']).split("__").next().unwrap();
    let version = version.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap();
    version.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

/// The part of a text before or after a line, without lines of the tool.
fn up_part(text: &str, down: &str, marker: &str) -> String {
    let up = text.split_once(down).map_or(text, |(up, _)| up);
    up.lines().filter(|line| !line.starts_with(marker)).map(|line| format!("{line}\n")).collect()
}

/// What the tool runs, in its order: written down here once more, without the importer.
fn runs(tool: &str, root: &Path) -> Vec<Run> {
    let files = tree(root);
    let mut names: Vec<&String> = files.keys().collect();
    let text = |name: &str| files[name].clone();
    let always = |sql: String| Run { sql, in_transaction: true };
    match tool {
        "diesel" => {
            names.retain(|name| name.ends_with("/up.sql"));
            names.sort_by_key(|name| name.split('_').next().unwrap().replace('-', ""));
            let off = |name: &str| {
                let metadata = files.get(&name.replace("/up.sql", "/metadata.toml"));
                metadata.is_some_and(|metadata| metadata.contains("run_in_transaction = false"))
            };
            names.iter().map(|name| Run { sql: text(name), in_transaction: !off(name) }).collect()
        }
        "sqlx" | "golang-migrate" => {
            names.retain(|name| name.ends_with(".sql") && !name.ends_with(".down.sql"));
            names.sort_by_key(|name| numbers(name));
            names.iter().map(|name| always(text(name))).collect()
        }
        "goose" => {
            names.sort_by_key(|name| numbers(name));
            names.iter().map(|name| always(up_part(&text(name), "-- +goose Down", "-- +goose"))).collect()
        }
        "tern" => {
            names.sort_by_key(|name| numbers(name));
            names.iter().map(|name| always(up_part(&text(name), "---- create above", "----"))).collect()
        }
        "dbmate" => names.iter().map(|name| always(up_part(&text(name), "-- migrate:down", "-- migrate"))).collect(),
        "refinery" | "flyway" => {
            let mut repeatables = names.clone();
            repeatables.retain(|name| name.starts_with("R__"));
            names.retain(|name| name.starts_with('V'));
            names.sort_by_key(|name| numbers(name));
            let run = |name: &&String| Run { sql: text(name), in_transaction: !text(name).contains("CONCURRENTLY") };
            names.iter().chain(&repeatables).map(run).collect()
        }
        _ => panic!("how does {tool} run its files?"),
    }
}

/// The facts of a database, without the line that says where its history is.
fn facts(import: &Import, url: &str) -> BTreeSet<String> {
    let mut command = import.project.command(&["drift", "--facts"]);
    let output = command.env("DATABASE_URL", url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().skip(1).map(str::to_owned).collect()
}

/// What is there before the first migration: extensions that an administrator installs, the table that the tool itself makes.
fn before(project: &str, is_source: bool) -> &'static str {
    match project {
        "chirpstack" => "CREATE EXTENSION pg_trgm",
        "cloak" if is_source => "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
        "harbor" if is_source => "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)",
        _ => "SELECT 1",
    }
}

/// Every line of the source files is in the file that the report names, in the same order, and nothing else but what the importer says.
fn assert_complete(import: &Import, root: &Path, report: &str, tool: &str) {
    let sources = tree(root);
    let mut named: BTreeSet<&str> = BTreeSet::new();
    let is_marker = |line: &&str| {
        let starts: &[&str] = match tool {
            "goose" => &["-- +goose"],
            "dbmate" => &["-- migrate:"],
            "tern" => &["----"],
            _ => &[],
        };
        starts.iter().any(|start| line.starts_with(start))
    };
    for line in report.lines() {
        if let Some((file, from)) = line.split_once(" <- ") {
            let from: Vec<&str> = from.split(", ").collect();
            let source: Vec<&str> =
                from.iter().flat_map(|file| sources[*file].lines()).filter(|line| !is_marker(line)).collect();
            let source: Vec<&str> = source.into_iter().filter(|line| !line.trim().is_empty()).collect();
            let ours = import.text(file);
            // harbor relies on the tool's own table, which the importer makes.
            let starts =
                ["-- Imported from ", "-- migrate:", "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint"];
            let ends = ["-- There is no down migration.", "relies on it."];
            let is_ours = |line: &&str| {
                !starts.iter().any(|start| line.starts_with(start)) && !ends.iter().any(|end| line.ends_with(end))
            };
            let ours: Vec<&str> = ours.lines().filter(|line| !line.trim().is_empty()).filter(is_ours).collect();
            assert_eq!(ours, source, "{file}");
            named.extend(from);
        } else if let Some(left) = line.strip_prefix("left out: ") {
            named.extend(left.split(": ").next());
        }
    }
    let beside = |file: &str| file.ends_with("/metadata.toml");
    for file in sources.keys().filter(|file| !beside(file)) {
        assert!(named.contains(file.as_str()), "{file} is neither imported nor named:\n{report}");
    }
}

fn imports(project: &str, tool: &str, directory: &str, count: usize) {
    let Some(corpora) = corpora() else { return };
    let root = corpora.join("foreign").join(project).join(directory);
    let import = Import::with_database(&[]);
    let report = import.from(&root, tool, &[]);
    assert!(report.starts_with("exit 0"), "{report}");
    assert_complete(&import, &root, &report, tool);
    let map = import.text("imported.toml");
    assert_eq!(map.matches("[[migrations]]").count(), count, "{map}");
    let loaded = migrator_build::load(&import.project.db()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.set.migrations.len(), count);

    import.project.query(before(project, false));
    let up = import.project.run(&["up", "--quiet"]);
    assert!(up.starts_with("exit 0"), "{up}");
    let again = import.project.run(&["up", "--quiet"]);
    assert!(again.contains("nothing to apply"), "{again}");

    let name = project.replace('-', "_");
    query_at(&other_server().url("postgres"), &format!("CREATE DATABASE {name}"));
    let url = other_server().url(&name);
    query_at(&url, before(project, true));
    for run in runs(tool, &root) {
        query_at(&url, &if run.in_transaction { format!("BEGIN;\n{}\n;COMMIT", run.sql) } else { run.sql });
    }
    let (ours, theirs) = (facts(&import, &import.project.url()), facts(&import, &url));
    let differ: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert!(differ.is_empty() && ours.len() > 20, "{differ:#?}");
}

#[test]
fn arroyo_of_refinery() {
    imports("arroyo", "refinery", "crates/arroyo-api/migrations", 32);
}

#[test]
fn chirpstack_of_diesel() {
    imports("chirpstack", "diesel", "chirpstack/migrations_postgres", 31);
}

#[test]
fn crates_io_of_diesel() {
    imports("crates-io", "diesel", "migrations", 285);
}

#[test]
fn svix_of_sqlx() {
    imports("svix", "sqlx", "server/svix-server/migrations", 16);
}

#[test]
fn zksync_prover_of_sqlx() {
    imports("zksync-prover", "sqlx", "prover/crates/lib/prover_dal/migrations", 18);
}

#[test]
fn zksync_core_of_sqlx() {
    imports("zksync-core", "sqlx", "core/lib/dal/migrations", 269);
}

#[test]
fn harbor_of_golang_migrate() {
    imports("harbor", "golang-migrate", "make/migrations/postgresql", 39);
}

#[test]
fn ncps_of_goose() {
    imports("ncps", "goose", "migrations/postgres", 16);
}

#[test]
fn clomonitor_of_tern() {
    imports("clomonitor", "tern", "database/migrations/schema", 10);
}

#[test]
fn marquez_of_flyway() {
    imports("marquez", "flyway", "api/src/main/resources/marquez/db/migration", 81);
}

#[test]
fn cloak_of_dbmate() {
    imports("cloak", "dbmate", "crates/db/migrations", 10);
}

/// The rows of a history that `pg_dump` has written: the columns of each line of its COPY.
fn rows(dump: &str) -> Vec<Vec<String>> {
    let (_, data) = dump.split_once(" FROM stdin;\n").unwrap();
    let lines = data.lines().take_while(|line| *line != "\\.");
    lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The entries of the map, as `source`, `name` and `checksums`.
fn entries(map: &str) -> Vec<(String, String, String)> {
    let value = |entry: &str, key: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).unwrap();
        line.trim_matches('"').to_owned()
    };
    map.split("[[migrations]]")
        .skip(1)
        .map(|entry| (value(entry, "source"), value(entry, "name"), value(entry, "checksums")))
        .collect()
}

#[test]
fn the_map_names_what_the_histories_hold() {
    let Some(corpora) = corpora() else { return };
    for (tool, directory, dump, source, name, checksum) in [
        ("sqlx", "svix/server/svix-server/migrations", "sqlx-svix", 0, Some(1), Some(4)),
        ("refinery", "arroyo/crates/arroyo-api/migrations", "refinery-arroyo", 0, Some(1), Some(3)),
        ("diesel", "chirpstack/chirpstack/migrations_postgres", "diesel-chirpstack", 0, None, None),
    ] {
        let dump = fs::read_to_string(corpora.join(format!("history-tables/{dump}.sql"))).unwrap();
        let rows = rows(&dump);
        let import = Import::of(&[]);
        import.from(&corpora.join("foreign").join(directory), tool, &[]);
        let entries = entries(&import.text("imported.toml"));
        assert!(rows.len() > 10 && entries.len() == rows.len(), "{tool}: {} and {}", rows.len(), entries.len());
        for (row, entry) in rows.iter().zip(&entries) {
            assert_eq!(row[source], entry.0, "{tool}");
            assert!(name.is_none_or(|name| row[name] == entry.1), "{tool}: {entry:?}");
            let sum = checksum.map(|checksum| format!("\"{}\"", row[checksum].trim_start_matches("\\\\x")));
            assert!(sum.is_none_or(|sum| entry.2.contains(&sum)), "{tool}: {row:?} {entry:?}");
        }
    }
}
