//! Whether the migration makes the schema of the source.

use std::collections::BTreeSet;

use migrator_engine::facts::{Difference, Facts, diff};
use migrator_engine::model::Text;

use super::survey::Relation;

/// What is compared of a source: without owners, which a migration does not set, and without the histories.
pub(crate) fn comparable(mut facts: Facts, histories: &[Relation]) -> Facts {
    let patterns: Vec<Text> = histories.iter().map(|relation| format!("* {}", relation.shown).into()).collect();
    facts.ignore(&patterns, false);
    facts
}

/// How the schemas differ, and what differs and belongs to the server, not to the schema: one sentence each.
pub(crate) fn compare(source: &Facts, made: &Facts) -> (Vec<Difference>, Vec<String>) {
    let mut differences = diff(source, made);
    let mut excused = BTreeSet::new();
    differences.retain(|difference| match excuse(difference) {
        Some(sentence) => {
            excused.insert(sentence);
            false
        }
        None => true,
    });
    (differences, excused.into_iter().collect())
}

fn excuse(difference: &Difference) -> Option<String> {
    let Difference { object, kind, part, expected, found } = difference;
    match (kind.as_str(), expected, found) {
        ("setting", Some(_), None) if object == "database" => {
            Some(format!("not in the migration: `{part}`, a setting of the database (`ALTER DATABASE ... SET`)"))
        }
        ("subscription", Some(_), None) => {
            Some(format!("not in the migration: the subscription `{object}`, which holds a password"))
        }
        ("extension", Some(there), Some(here)) => {
            let (there, here) = (version(there)?, version(here)?);
            (there.1 == here.1).then(|| format!("the extension `{object}` is {} there, and {} here", there.0, here.0))
        }
        (_, Some(there), Some(here)) => {
            (without_tablespace(there) == *here).then(|| format!("not in the migration: the tablespace of `{object}`"))
        }
        _ => None,
    }
}

/// `VERSION 1.3 SCHEMA public` as `1.3` and ` SCHEMA public`.
fn version(definition: &str) -> Option<(&str, &str)> {
    let rest = definition.strip_prefix("VERSION ")?;
    Some(rest.split_at(rest.find(" SCHEMA ")?))
}

/// A definition without `TABLESPACE name`, in which no quoted name is looked for.
fn without_tablespace(definition: &str) -> String {
    match definition.split_once(" TABLESPACE ") {
        Some((before, after)) => {
            let rest = after.split_once(' ').map(|(_, rest)| format!(" {rest}")).unwrap_or_default();
            format!("{before}{rest}")
        }
        None => definition.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use migrator_engine::facts::Fact;

    use super::*;

    fn facts(all: &[(&str, &str, &str, &str)]) -> Facts {
        let fact = |(object, kind, part, definition): &(&str, &str, &str, &str)| Fact {
            object: (*object).to_owned(),
            kind: (*kind).to_owned(),
            part: (*part).to_owned(),
            definition: (*definition).to_owned(),
        };
        all.iter().map(fact).collect()
    }

    #[test]
    fn what_belongs_to_the_server_is_said_and_all_else_differs() {
        let source = facts(&[
            ("database", "setting", "TimeZone", "UTC"),
            ("pgcrypto", "extension", "", "VERSION 1.3 SCHEMA public"),
            ("public.t", "table", "", "LOGGED TABLESPACE fast ROW LEVEL SECURITY"),
            ("public.t", "column", "a", "#1 integer"),
            ("s", "subscription", "", "p"),
        ]);
        let made = facts(&[
            ("pgcrypto", "extension", "", "VERSION 1.4 SCHEMA public"),
            ("public.t", "table", "", "LOGGED ROW LEVEL SECURITY"),
            ("public.t", "column", "a", "#1 bigint"),
        ]);
        let (differences, excused) = compare(&source, &made);
        let parts: Vec<&str> = differences.iter().map(|difference| &*difference.part).collect();
        assert_eq!(parts, ["a"]);
        assert_eq!(
            excused,
            [
                "not in the migration: `TimeZone`, a setting of the database (`ALTER DATABASE ... SET`)",
                "not in the migration: the subscription `s`, which holds a password",
                "not in the migration: the tablespace of `public.t`",
                "the extension `pgcrypto` is 1.3 there, and 1.4 here",
            ]
        );
    }

    #[test]
    fn histories_and_owners_are_not_compared() {
        let all = facts(&[
            ("a.h", "table", "", "x"),
            ("a.h", "column", "c", "x"),
            ("a.t", "owner", "", "me"),
            ("a.t", "table", "", "x"),
        ]);
        let history = Relation { schema: "a".into(), name: "h".into(), shown: "a.h".into(), tool: None };
        assert_eq!(comparable(all, &[history]), facts(&[("a.t", "table", "", "x")]));
    }
}
