//! UNIQUE and PRIMARY KEY of a table that stays: the index CONCURRENTLY, then the constraint that takes it over.

use std::collections::BTreeSet;

use super::file::{Block, File};
use super::ways::{Ways, keys, name, of, parts, take};
use crate::author::diff::catalog::Catalog;
use crate::author::diff::key::Key;
use crate::author::diff::work::{Act, Statement};

/// What was taken out of the ways.
#[derive(Default)]
pub(super) struct Taken {
    /// For each constraint its index, and the constraint itself.
    pub(super) files: Vec<File>,
    pub(super) keys: BTreeSet<Key>,
}

/// Takes out those that come and that nothing is in the way of.
pub(super) fn take_out(ways: &mut Ways<'_>) -> Taken {
    let made = keys(&ways.up, Act::Make).into_iter().filter(|key| is_unique(ways.to, key));
    let made: Vec<Key> = made.filter(|key| ways.stays(&key.object)).collect();
    // Of one table all or none: a table has one primary key at a time.
    let stuck: BTreeSet<String> = made.iter().filter(|key| !is_free(ways, key)).map(|key| key.object.clone()).collect();
    let mut taken = Taken::default();
    for key in made.into_iter().filter(|key| !stuck.contains(&key.object)) {
        if let Some(files) = files(ways, &key) {
            taken.files.extend(files);
            taken.keys.insert(key);
        }
    }
    taken
}

fn is_unique(of: &Catalog, key: &Key) -> bool {
    let note = of.note(key);
    key.kind == "constraint" && (note.starts_with("UNIQUE ") || note.starts_with("PRIMARY KEY "))
}

/// Nothing but its index is made of it that has to be done with it, apart from foreign keys that can wait.
fn is_free(ways: &Ways<'_>, key: &Key) -> bool {
    let both = || ways.up.iter().chain(&ways.down);
    let is_index = |statement: &Statement| statement.key == Key::new(&key.object, "index", &key.part);
    let is_altered = |statement: &Statement| statement.key == *key && !matches!(statement.act, Act::Make | Act::Drop);
    // A foreign key that only comes is made after it.
    let can_wait = |dependent: &Key| {
        let of_up = ways.up.iter().filter(|statement| statement.key == *dependent);
        let is_key = ways.to.note(dependent).starts_with("FOREIGN KEY ");
        let mut of_up = of_up.peekable();
        of_up.peek().is_none() || is_key && of_up.all(|statement| statement.act == Act::Make)
    };
    let is_untouched = |dependent: &Key| !both().any(|statement| statement.key == *dependent);
    let is_partition = |of: &Catalog| of.relations.get(&key.object).is_some_and(|relation| relation.is_partition);
    let is_dropped = of(&ways.up, key, Act::Drop).next().is_some();
    !is_partition(ways.from)
        && !is_partition(ways.to)
        && !both().any(|statement| is_index(statement) || is_altered(statement))
        && index(ways.to, key).is_some()
        && ways.to.dependents(key).iter().all(|(one, _)| can_wait(one))
        && (!is_dropped
            || index(ways.from, key).is_some() && ways.from.dependents(key).iter().all(|(one, _)| is_untouched(one)))
}

/// How the server makes its index, and what the constraint says beside it. `None`: not with an index that is there.
fn index(of: &Catalog, key: &Key) -> Option<(String, String)> {
    let definition = of.facts.get(&key.object, "index", &key.part)?;
    let rest = definition.strip_prefix(&format!("CREATE UNIQUE INDEX {} ", key.part))?;
    let words = [" CLUSTERED", " REPLICA IDENTITY", " TABLESPACE ", " INVALID", " ATTACHED TO "];
    if !rest.starts_with("ON ") || rest.starts_with("ON ONLY ") || words.iter().any(|word| rest.contains(word)) {
        return None;
    }
    let note = of.note(key);
    // Its index is no unique one.
    if note.contains(" WITHOUT OVERLAPS)") {
        return None;
    }
    let (_, behind) = note.rsplit_once(')')?;
    let deferred = ["", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"];
    let kind = if note.starts_with("PRIMARY KEY ") { "PRIMARY KEY" } else { "UNIQUE" };
    deferred.contains(&behind).then(|| (rest.to_owned(), format!("{kind} USING INDEX {{}}{behind}")))
}

/// The file of the index, and the one of the constraint; both are taken out of the ways.
fn files(ways: &mut Ways<'_>, key: &Key) -> Option<[File; 2]> {
    let Key { object, part, .. } = key;
    let (schema, _) = parts(object);
    let (of_index, of_constraint) = index(ways.to, key)?;
    let is = |act: Act| move |statement: &Statement| statement.key == *key && statement.act == act;
    let old = match of(&ways.up, key, Act::Drop).next() {
        Some(_) => Some(index(ways.from, key)?),
        None => None,
    };
    // One of the same name is there until the new one takes its place.
    let own = if old.is_some() { name(&[part], "_new") } else { part.clone() };
    let create = |how: &str, index: &str, what: &str| format!("CREATE UNIQUE INDEX {how}{index} {what}");
    let add = |what: &str, index: &str| format!("ADD CONSTRAINT {part} {}", what.replace("{}", index));
    let drop = format!("DROP CONSTRAINT {part}");
    let first = File {
        does: File::called("index", part),
        up: Block::alone(vec![create("CONCURRENTLY ", &own, &of_index)]),
        down: Block::alone(vec![format!("DROP INDEX CONCURRENTLY {schema}.{own}")]),
        ..File::default()
    };
    take(&mut ways.down, is(Act::Drop));
    // Its comment has the same key.
    let beside = |statements: Vec<String>| statements.into_iter().filter(|sql| !sql.contains(" ADD CONSTRAINT "));
    let mut up = vec![format!("ALTER TABLE {object} {}", add(&of_constraint, &own))];
    let spare = name(&[part], "_again");
    let mut down = match &old {
        // No one can take a constraint off its index: another one is built, while others read.
        None => vec![
            create("", &spare, &of_index),
            format!("ALTER TABLE {object} {drop}"),
            format!("ALTER INDEX {schema}.{spare} RENAME TO {part}"),
        ],
        Some((old_index, old_constraint)) => {
            take(&mut ways.up, is(Act::Drop));
            up = vec![format!("ALTER TABLE {object} {drop}, {}", add(&of_constraint, &own))];
            vec![
                create("", &own, &of_index),
                create("", &spare, old_index),
                format!("ALTER TABLE {object} {drop}, {}", add(old_constraint, &spare)),
            ]
        }
    };
    up.extend(beside(take(&mut ways.up, is(Act::Make))));
    if old.is_some() {
        down.extend(beside(take(&mut ways.down, is(Act::Make))));
    }
    let (up, mut down) = (Block::together(up), Block::together(down));
    down.comments
        .push("The index is built while others read: no statement takes a constraint off its index.".to_owned());
    Some([first, File { does: File::called("unique", part), up, down, ..File::default() }])
}
