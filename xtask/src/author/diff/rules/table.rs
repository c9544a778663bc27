//! A table that changes: what it inherits, its partitions, storage parameters, row security, replica identity.

use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::relation::Relation;
use crate::author::diff::work::Work;

pub(super) fn changed(work: &mut Work<'_>, key: &Key, _: &Difference) {
    let (Some(from), Some(to)) = (work.from.relations.get(&key.object), work.to.relations.get(&key.object)) else {
        return;
    };
    if from.letter != to.letter || from.partitioned != to.partitioned {
        // Rows are in its partitions, and they are kept.
        if from.letter != "p" {
            work.loses.insert(key.clone());
        }
        part(work, key);
        return work.replace(key);
    }
    let table = &key.object;
    let alter = |what: &str| format!("ALTER TABLE {table} {what}");
    if from.persistence != to.persistence {
        work.alter(key, alter(if to.persistence == "u" { "SET UNLOGGED" } else { "SET LOGGED" }));
    }
    let gone: Vec<&str> =
        from.options.iter().filter_map(|option| option.split_once('=')).map(|(name, _)| name).collect();
    let kept =
        |name: &str| to.options.iter().any(|option| option.split_once('=').is_some_and(|(kept, _)| kept == name));
    let reset: Vec<&str> = gone.into_iter().filter(|name| !kept(name)).collect();
    if !reset.is_empty() {
        work.alter(key, alter(&format!("RESET ({})", reset.join(", "))));
    }
    let set: Vec<&str> =
        to.options.iter().filter(|option| !from.options.contains(option)).map(String::as_str).collect();
    if !set.is_empty() {
        work.alter(key, alter(&format!("SET ({})", set.join(", "))));
    }
    if from.replica != to.replica && to.replica != "i" {
        let identity = match to.replica.as_str() {
            "n" => "NOTHING",
            "f" => "FULL",
            _ => "DEFAULT",
        };
        work.alter(key, alter(&format!("REPLICA IDENTITY {identity}")));
    }
    if from.secured != to.secured {
        work.alter(key, alter(if to.secured { "ENABLE ROW LEVEL SECURITY" } else { "DISABLE ROW LEVEL SECURITY" }));
    }
    if from.forced != to.forced {
        work.alter(key, alter(if to.forced { "FORCE ROW LEVEL SECURITY" } else { "NO FORCE ROW LEVEL SECURITY" }));
    }
    if from.method != to.method {
        let method = if to.method.is_empty() { "heap" } else { &to.method };
        work.alter(key, alter(&format!("SET ACCESS METHOD {method}")));
    }
    if from.of_type != to.of_type {
        let what = if to.of_type.is_empty() { "NOT OF".to_owned() } else { format!("OF {}", to.of_type) };
        work.alter(key, alter(&what));
    }
    parents(work, key, from, to);
}

/// What it inherits, or is a partition of.
pub(super) fn parents(work: &mut Work<'_>, key: &Key, from: &Relation, to: &Relation) {
    let table = &key.object;
    if (&from.parents, &from.bound) == (&to.parents, &to.bound) {
        return;
    }
    for parent in &from.parents {
        match from.is_partition {
            true => detach(work, key, parent),
            false if !to.parents.contains(parent) => {
                work.alter(key, format!("ALTER TABLE {table} NO INHERIT {parent}"))
            }
            false => {}
        }
    }
    if to.is_partition {
        work.joins.insert(key.clone());
        return;
    }
    for parent in to.parents.iter().filter(|parent| from.is_partition || !from.parents.contains(parent)) {
        work.alter(key, format!("ALTER TABLE {table} INHERIT {parent}"));
    }
}

fn detach(work: &mut Work<'_>, key: &Key, parent: &str) {
    let statement = (key.clone(), format!("ALTER TABLE {parent} DETACH PARTITION {}", key.object));
    if work.prepare.contains(&statement) {
        return;
    }
    work.prepare.push(statement);
    // A foreign key that it had for its parent's sake is its own from then on.
    let (from, to) = (work.from, work.to);
    let is_surplus = |of: &&Key| {
        let is_fact = from.facts().get(&of.object, &of.kind, &of.part).is_some();
        of.kind == "constraint" && !is_fact && !to.has(of)
    };
    work.gone.extend(from.parts(&key.object).filter(is_surplus).cloned());
}

/// Takes the partitions that stay out of a table that goes; they join the one that comes.
fn part(work: &mut Work<'_>, key: &Key) {
    let (from, to) = (work.from, work.to);
    for (table, relation) in &from.relations {
        let is_of_it = relation.is_partition && relation.parents.contains(&key.object);
        let partition = to.relation_key(table).filter(|partition| from.has(partition));
        let Some(partition) = partition.filter(|_| is_of_it) else { continue };
        detach(work, &partition, &key.object);
        if to.relations.get(table).is_some_and(|after| after.is_partition) {
            work.joins.insert(partition);
        }
    }
}
