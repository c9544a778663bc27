//! The packages of a release: whose queries count, and which clients they have.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use toml_edit::{DocumentMut, Item, TableLike};

use super::found::Harvest;
use super::tree::{Content, Tree};

/// What speaks with a PostgreSQL server, as the package is called. In a source, `_` is for `-`.
const CLIENTS: &[&str] = &[
    "bb8-postgres",
    "clorinde",
    "cornucopia_async",
    "cornucopia_sync",
    "deadpool-postgres",
    "diesel",
    "diesel-async",
    "mobc-postgres",
    "postgres",
    "r2d2_postgres",
    "sea-orm",
    "sqlx",
    "sqlx-core",
    "sqlx-postgres",
    "tokio-postgres",
];

/// What speaks SQL with others.
const OTHERS: &[&str] = &[
    "clickhouse",
    "duckdb",
    "libsql",
    "mysql",
    "mysql_async",
    "odbc-api",
    "rusqlite",
    "scylla",
    "sqlite",
    "tiberius",
    "tokio-rusqlite",
    "turso",
];

/// What makes its queries at run time, from types.
const BUILDERS: &[&str] = &["diesel", "sea-orm"];

/// Our own libraries: what depends on them is not of the release that they migrate.
const OURS: &[&str] = &["migrator-build", "migrator-engine", "migrator-xtask"];

/// One package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// From the root of the workspace, with `/` at its end; empty for the root.
    pub(super) folder: String,
    /// Whether it migrates instead of asking, or is a copy that `cargo vendor` has made.
    pub(super) is_left_out: bool,
    /// Whether a client may reach it: it has one, or depends on something that may have one.
    pub(super) may_ask: bool,
    /// Whether it has a client of PostgreSQL.
    pub(super) has_client: bool,
    /// Whether it has a client of another database.
    pub(super) has_other: bool,
    /// The one of [`BUILDERS`] that it has.
    pub(super) builder: Option<&'static str>,
}

/// All packages, by folder.
#[derive(Debug, Default)]
pub(super) struct Packages(BTreeMap<String, Package>);

impl Packages {
    /// Reads the manifests.
    ///
    /// # Errors
    /// A file exists and cannot be read.
    pub(super) fn read(tree: &impl Tree, harvest: &mut Harvest) -> Result<Packages> {
        let mut manifests = Vec::new();
        for path in tree.paths().iter().filter(|path| path.rsplit('/').next() == Some("Cargo.toml")) {
            if let Content::Text(text) = tree.read(path)? {
                match text.parse::<DocumentMut>() {
                    Ok(manifest) => manifests.push((path.trim_end_matches("Cargo.toml"), manifest)),
                    Err(_) => harvest.unreadable(path, "it is not valid TOML"),
                }
            }
        }
        // Members take dependencies of the workspace by the names that it gives to them.
        let mut renamed = BTreeMap::new();
        for (_, manifest) in &manifests {
            let all = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
            let all = all.and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
            renamed.extend(all.filter_map(|(key, dependency)| Some((key, dependency.get("package")?.as_str()?))));
        }
        let package = |(folder, manifest): &(&str, DocumentMut)| Package::of(folder, manifest, &renamed);
        let mut packages: Vec<(Package, Dependencies)> = manifests.iter().filter_map(package).collect();
        for (package, _) in &mut packages {
            let checksum = format!("{}.cargo-checksum.json", package.folder);
            package.is_left_out |= tree.paths().binary_search(&checksum).is_ok();
        }
        reach(&mut packages);
        Ok(Packages(packages.into_iter().map(|(package, _)| (package.folder.clone(), package)).collect()))
    }

    /// The package that a file is in.
    pub(super) fn of(&self, path: &str) -> Option<&Package> {
        let folders = path.rmatch_indices('/').map(|(at, _)| &path[..=at]).chain([""]);
        folders.filter_map(|folder| self.0.get(folder)).next()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Package> {
        self.0.values()
    }
}

impl Package {
    /// `None`: the manifest is of a workspace alone.
    fn of(folder: &str, manifest: &DocumentMut, renamed: &BTreeMap<&str, &str>) -> Option<(Package, Dependencies)> {
        let name = manifest.get("package")?.get("name")?.as_str()?;
        let tables = [manifest.as_table() as &dyn TableLike].into_iter();
        let targets = manifest.get("target").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
        let tables = tables.chain(targets.filter_map(|(_, target)| target.as_table_like()));
        let dependencies: BTreeSet<&str> = tables
            .filter_map(|table| table.get("dependencies")?.as_table_like())
            .flat_map(|dependencies| dependencies.iter())
            .map(|(key, dependency)| {
                let own = dependency.get("package").and_then(Item::as_str);
                own.or_else(|| renamed.get(key).copied()).unwrap_or(key)
            })
            .collect();
        let has = |names: &[&'static str]| names.iter().copied().find(|name| dependencies.contains(name));
        let package = Package {
            folder: folder.to_owned(),
            may_ask: dependencies.iter().any(|name| may_be_client(name)),
            is_left_out: name == crate::workspace::MIGRATOR || name == "xtask" || has(OURS).is_some(),
            has_client: has(CLIENTS).is_some(),
            has_other: has(OTHERS).is_some(),
            builder: has(BUILDERS),
        };
        let names = dependencies.into_iter().map(str::to_owned).collect();
        Some((package, Dependencies { name: name.to_owned(), names }))
    }
}

/// What a package is called, and what it depends on.
struct Dependencies {
    name: String,
    names: BTreeSet<String>,
}

/// Whether something of this name may have a client: one of those that are known, or what someone has made around it.
fn may_be_client(name: &str) -> bool {
    let is_part = |part: &str| ["db", "database", "pg", "storage", "store"].contains(&part);
    let is_like = ["postgres", "sql"].iter().any(|known| name.contains(known));
    !OTHERS.contains(&name) && (CLIENTS.contains(&name) || is_like || name.split(['-', '_']).any(is_part))
}

/// A client reaches what depends on a package that it reaches. Where it reaches none, it is not known by its name: all may ask.
fn reach(packages: &mut [(Package, Dependencies)]) {
    loop {
        let reached: BTreeSet<String> =
            packages.iter().filter(|(package, _)| package.may_ask).map(|(_, own)| own.name.clone()).collect();
        let mut grows = false;
        for (package, own) in packages.iter_mut().filter(|(package, _)| !package.may_ask) {
            package.may_ask = reached.is_empty() || !own.names.is_disjoint(&reached);
            grows |= package.may_ask;
        }
        if !grows {
            return;
        }
    }
}

/// Whether a source names a client of PostgreSQL.
pub(super) fn names_client(source: &str) -> bool {
    names(source, CLIENTS) || ["PgPool", "PgConnection", "PgExecutor"].iter().any(|name| source.contains(name))
}

/// Whether a source names the client of another database.
pub(super) fn names_other(source: &str) -> bool {
    names(source, OTHERS)
}

/// Whether a source makes queries at run time with one of [`BUILDERS`].
pub(super) fn uses_builder(source: &str, builder: &str) -> bool {
    let signs: &[&str] = match builder {
        // It has a function for texts, too.
        "diesel" => {
            &["diesel::prelude", "diesel::insert_into", "diesel::update", "diesel::delete", "diesel::dsl", "QueryDsl"]
        }
        _ => &["sea_orm::"],
    };
    signs.iter().any(|sign| source.contains(sign))
}

fn names(source: &str, packages: &[&str]) -> bool {
    packages.iter().any(|package| source.contains(&format!("{}::", package.replace('-', "_"))))
}

/// Whether a path is of what is built for the release: not of tests, benchmarks, examples, a build script, or what cargo has made.
pub(super) fn is_shipped(path: &str) -> bool {
    let mut folders: Vec<&str> = path.split('/').collect();
    let name = folders.pop();
    // A module may have any of these names.
    let above: Vec<&str> = folders.iter().copied().take_while(|folder| *folder != "src").collect();
    let is_build_script = name == Some("build.rs") && above.len() == folders.len();
    !is_build_script && !above.iter().any(|folder| ["tests", "benches", "examples", "target"].contains(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_build_scripts_are_not_shipped() {
        for path in
            ["src/main.rs", "a/src/tests/x.rs", "a/src/build.rs", "a/.sqlx/query-1.json", "queries/a.sql", "a/b.rs"]
        {
            assert!(is_shipped(path), "{path}");
        }
        for path in [
            "tests/it.rs",
            "a/tests/src/lib.rs",
            "benches/x.rs",
            "a/examples/b/src/main.rs",
            "a/build.rs",
            "target/a.rs",
        ] {
            assert!(!is_shipped(path), "{path}");
        }
    }
}
