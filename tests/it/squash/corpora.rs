//! The histories of public projects, where they are at hand.
#![expect(clippy::print_stderr, reason = "an absent folder is said, not passed over in silence")]

use std::path::Path;

use super::shop::{Shop, facts};
use crate::support::{Project, query_on};

/// Squashes a history up to a version; databases that were stopped at each tenth one go up to the newest.
fn squashes(history: &str, to: &str) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/histories").join(history).join("migrations");
    if !source.is_dir() {
        eprintln!("the corpora are not here: the history of {history} was not squashed");
        return;
    }
    let mut db = vec![(
        "migrator.toml".to_owned(),
        "[history]\nschema = \"ops\"\n[check]\nstart_after = \"000300\"\n".to_owned(),
    )];
    for entry in std::fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().display().to_string();
        db.push((format!("migrations/{name}"), std::fs::read_to_string(path).unwrap()));
    }
    db.sort();
    let shop = Shop::new(&format!("squash-{history}"), &db);
    let versions: Vec<String> = db[1..]
        .iter()
        .filter_map(|(path, _)| Some(path.strip_prefix("migrations/")?.split_once('_')?.0.to_owned()))
        .collect();
    // One database goes up in steps, and each of the others is a copy of it.
    let walking = shop.project();
    let mut stopped = Vec::new();
    for version in versions.iter().step_by(10) {
        let up = walking.run(&["up", "--quiet", "--to", version]);
        assert!(up.starts_with("exit 0"), "{up}");
        stopped.push((version, copy_of(&shop, &walking)));
    }
    assert!(walking.run(&["up", "--quiet"]).starts_with("exit 0"));
    let whole = facts(&walking);
    shop.squash(&format!("--to {to} --drop-data"));
    let new = shop.project();
    let up = new.run(&["up", "--quiet"]);
    assert!(up.starts_with("exit 0") && up.contains(&format!("{to}_baseline")), "{up}");
    assert!(facts(&new) == whole, "the schema of a new database differs");
    for (version, database) in &stopped {
        let database = shop.on(database);
        let up = database.run(&["up", "--quiet"]);
        assert!(up.starts_with("exit 0"), "{version}: {up}");
        assert!(facts(&database) == whole, "{version}: the schema differs");
        assert!(database.run(&["status", "--check", "--quiet"]).starts_with("exit 0"), "{version}");
        query_on("postgres", &format!("DROP DATABASE {}", database.database()));
    }
}

/// The files as they are now, with a copy of a database.
fn copy_of(shop: &Shop, database: &Project) -> Project {
    let copy = shop.project();
    query_on("postgres", &format!("DROP DATABASE {}", copy.database()));
    query_on("postgres", &format!("CREATE DATABASE {} TEMPLATE {}", copy.database(), database.database()));
    copy
}

#[test]
fn the_history_of_crates_io() {
    squashes("crates-io", "000200");
}

#[test]
fn the_history_of_zksync() {
    squashes("zksync-core", "000200");
}
