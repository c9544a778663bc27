//! A publication: its tables and what it publishes change in place, whether it is of all tables does not.

use migrator_engine::client::literal;
use migrator_engine::facts::Difference;

use crate::author::diff::key::Key;
use crate::author::diff::work::Work;

pub(super) fn differs(work: &mut Work<'_>, key: &Key, difference: &Difference) {
    let publication = Key::new(&key.object, "publication", "");
    let (from, to) = (work.from, work.to);
    let of_all = |of: &crate::author::diff::catalog::Catalog| {
        of.facts().get(&key.object, "publication", "").is_some_and(|fact| fact.starts_with("ALL TABLES"))
    };
    if from.has(&publication) && to.has(&publication) && of_all(from) == of_all(to) {
        return match key.part.is_empty() {
            true => publishes(work, &publication, difference.found.as_deref().unwrap_or_default()),
            false => member(work, &publication, key, difference),
        };
    }
    if from.has(&publication) {
        work.gone.insert(publication.clone());
    }
    if to.has(&publication) {
        work.made.extend(to.dependents(&publication).iter().map(|(part, _)| part.clone()));
        work.made.insert(publication);
    }
}

/// `insert update VIA ROOT GENERATED COLUMNS s`
fn publishes(work: &mut Work<'_>, publication: &Key, fact: &str) {
    let words: Vec<&str> = fact.split(' ').collect();
    let published: Vec<&str> =
        ["insert", "update", "delete", "truncate"].into_iter().filter(|word| words.contains(word)).collect();
    let mut all = vec![
        format!("publish = {}", literal(&published.join(", "))),
        format!("publish_via_partition_root = {}", words.contains(&"ROOT")),
    ];
    if let Some((_, columns)) = fact.split_once("GENERATED COLUMNS ") {
        all.push(format!("publish_generated_columns = {}", if columns == "s" { "stored" } else { "none" }));
    }
    work.alter(publication, format!("ALTER PUBLICATION {} SET ({})", publication.object, all.join(", ")));
}

/// A table, or all tables of a schema.
fn member(work: &mut Work<'_>, publication: &Key, key: &Key, difference: &Difference) {
    let of = &publication.object;
    let (what, is_there) = match key.part.strip_prefix("SCHEMA ") {
        Some(schema) => (format!("TABLES IN SCHEMA {schema}"), work.to.has(&Key::new(schema, "schema", ""))),
        None => (format!("TABLE ONLY {}", key.part), work.to.relation_key(&key.part).is_some()),
    };
    // What is dropped leaves it.
    if difference.expected.is_some() && is_there {
        work.finish.push((publication.clone(), format!("ALTER PUBLICATION {of} DROP {what}")));
    }
    if let Some(found) = &difference.found {
        let more = found.strip_prefix("TABLE").unwrap_or_default();
        work.finish.push((publication.clone(), format!("ALTER PUBLICATION {of} ADD {what}{more}")));
    }
}
