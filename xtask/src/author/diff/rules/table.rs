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
        work.loses.insert(key.clone());
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
    if from.of_type != to.of_type {
        let what = if to.of_type.is_empty() { "NOT OF".to_owned() } else { format!("OF {}", to.of_type) };
        work.alter(key, alter(&what));
    }
    parents(work, key, from, to);
}

fn parents(work: &mut Work<'_>, key: &Key, from: &Relation, to: &Relation) {
    let table = &key.object;
    if (&from.parents, &from.bound) == (&to.parents, &to.bound) {
        return;
    }
    for parent in &from.parents {
        match from.is_partition {
            true => work.alter(key, format!("ALTER TABLE {parent} DETACH PARTITION {table}")),
            false if !to.parents.contains(parent) => {
                work.alter(key, format!("ALTER TABLE {table} NO INHERIT {parent}"))
            }
            false => {}
        }
    }
    for parent in &to.parents {
        match to.is_partition {
            true => work.alter(key, format!("ALTER TABLE {parent} ATTACH PARTITION {table} {}", to.bound)),
            false if !from.parents.contains(parent) => work.alter(key, format!("ALTER TABLE {table} INHERIT {parent}")),
            false => {}
        }
    }
}
