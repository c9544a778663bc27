//! Indexes that nothing else needs: CONCURRENTLY, each in a file of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Block, File};
use super::ways::{Ways, counts, keys, take_all};
use crate::author::diff::key::Key;
use crate::author::diff::work::Act;

/// Takes those that are dropped on the way up.
pub(super) fn drops(ways: &mut Ways<'_>) -> Vec<File> {
    let found = alone(ways, Act::Drop);
    let mut up = take_all(&mut ways.up, &found, Act::Drop);
    let mut down = take_all(&mut ways.down, &found, Act::Make);
    let mut both = |key: &Key| (up.remove(key).unwrap_or_default(), down.remove(key).unwrap_or_default());
    let files = found.iter().map(|key| (key, both(key)));
    files.map(|(key, (up, down))| file(key, "drop", &up, &down)).collect()
}

/// Takes those that are made on the way up.
pub(super) fn makes(ways: &mut Ways<'_>) -> Vec<File> {
    let found = alone(ways, Act::Make);
    let mut up = take_all(&mut ways.up, &found, Act::Make);
    let mut down = take_all(&mut ways.down, &found, Act::Drop);
    let file = |key: &Key| {
        // Where a column goes its index goes along; here it goes before.
        let along = || vec![format!("DROP INDEX {}.{}", ways.to.note(key), key.part)];
        file(key, "index", &up.remove(key).unwrap_or_default(), &down.remove(key).unwrap_or_else(along))
    };
    found.iter().map(file).collect()
}

/// The indexes that nothing else needs, which are dropped (or made) in one direction and made (or dropped) in the other.
fn alone(ways: &Ways<'_>, act: Act) -> Vec<Key> {
    let of_way = if act == Act::Drop { ways.from } else { ways.to };
    let (there, back) = (counts(&ways.up, act), counts(&ways.down, Act::Make));
    let is_one = |counts: &BTreeMap<&Key, usize>, key: &Key| counts.get(key) == Some(&1);
    let on_only: BTreeSet<&Key> =
        ways.up.iter().filter(|one| one.act == act && one.sql.contains(" ON ONLY ")).map(|one| &one.key).collect();
    let fits = |key: &Key| {
        key.kind == "index"
            && is_one(&there, key)
            && (act != Act::Drop || is_one(&back, key))
            && ways.stays(&key.object)
            && of_way.dependents(key).is_empty()
            && !on_only.contains(key)
    };
    keys(&ways.up, act).into_iter().filter(fits).collect()
}

fn file(key: &Key, does: &str, up: &[String], down: &[String]) -> File {
    let block = |statements: &[String]| {
        Block::alone(statements.iter().map(|sql| sql.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1)).collect())
    };
    File { does: File::called(does, &key.part), up: block(up), down: block(down), ..File::default() }
}
