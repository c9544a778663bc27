//! Indexes that nothing else needs: CONCURRENTLY, each in a file of its own.

use super::file::{Block, File};
use super::ways::{Ways, keys, of, take};
use crate::author::diff::key::Key;
use crate::author::diff::work::{Act, Statement};

/// Takes those that are dropped on the way up.
pub(super) fn drops(ways: &mut Ways<'_>) -> Vec<File> {
    let found = alone(ways, Act::Drop);
    let file = |key: &Key| {
        let up = take(&mut ways.up, |statement| is(statement, key, Act::Drop));
        let down = take(&mut ways.down, |statement| is(statement, key, Act::Make));
        file(key, "drop", &up, &down)
    };
    found.iter().map(file).collect()
}

/// Takes those that are made on the way up.
pub(super) fn makes(ways: &mut Ways<'_>) -> Vec<File> {
    let found = alone(ways, Act::Make);
    let file = |key: &Key| {
        let up = take(&mut ways.up, |statement| is(statement, key, Act::Make));
        let mut down = take(&mut ways.down, |statement| is(statement, key, Act::Drop));
        if down.is_empty() {
            // Where a column goes its index goes along; here it goes before.
            down.push(format!("DROP INDEX {}.{}", ways.to.note(key), key.part));
        }
        file(key, "index", &up, &down)
    };
    found.iter().map(file).collect()
}

fn is(statement: &Statement, key: &Key, act: Act) -> bool {
    statement.key == *key && statement.act == act
}

/// The indexes that nothing else needs, which are dropped (or made) in one direction and made (or dropped) in the other.
fn alone(ways: &Ways<'_>, act: Act) -> Vec<Key> {
    let of_way = if act == Act::Drop { ways.from } else { ways.to };
    let fits = |key: &Key| {
        let back = act != Act::Drop || of(&ways.down, key, Act::Make).count() == 1;
        let statements: Vec<&Statement> = of(&ways.up, key, act).collect();
        key.kind == "index"
            && back
            && statements.len() == 1
            && ways.stays(&key.object)
            && of_way.dependents(key).is_empty()
            && !statements.iter().any(|statement| statement.sql.contains(" ON ONLY "))
    };
    keys(&ways.up, act).into_iter().filter(fits).collect()
}

fn file(key: &Key, does: &str, up: &[String], down: &[String]) -> File {
    let block = |statements: &[String]| {
        Block::alone(statements.iter().map(|sql| sql.replacen(" INDEX ", " INDEX CONCURRENTLY ", 1)).collect())
    };
    File { does: File::called(does, &key.part), up: block(up), down: block(down), ..File::default() }
}
