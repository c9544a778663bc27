//! `schema.facts.<major>`: what the schema is on one major release of PostgreSQL. `cargo xtask dump` writes the file.

use migrator_model::SchemaFacts;

use crate::problem::{Code, Problem};
use crate::source::Source;

/// What the name of such a file begins with.
pub(crate) const PREFIX: &str = "schema.facts.";

/// The kinds of facts, ascending: what a pattern under `[drift]` can begin with.
pub const FACT_KINDS: &[&str] = &[
    "access-method",
    "aggregate",
    "cast",
    "collation",
    "column",
    "comment",
    "constraint",
    "conversion",
    "default-privileges",
    "domain",
    "event-trigger",
    "extension",
    "foreign-data-wrapper",
    "foreign-server",
    "foreign-table",
    "function",
    "index",
    "language",
    "materialized-view",
    "operator",
    "operator-class",
    "operator-family",
    "owner",
    "policy",
    "privileges",
    "procedure",
    "publication",
    "rule",
    "schema",
    "security-label",
    "sequence",
    "setting",
    "statistics",
    "subscription",
    "table",
    "text-search-configuration",
    "text-search-dictionary",
    "text-search-parser",
    "text-search-template",
    "transform",
    "trigger",
    "type",
    "user-mapping",
    "view",
];

const HELP: &str = "`cargo xtask dump` writes the file anew";

/// The major release in a file's name; `None` for a name that has none.
pub(crate) fn major(name: &str) -> Option<i32> {
    let digits = name.strip_prefix(PREFIX)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

/// Reads one file; a half-merged one is refused before it is compiled in.
pub(crate) fn read(major: i32, source: Source, problems: &mut Vec<Problem>) -> SchemaFacts {
    let header = format!("# schema facts of PostgreSQL {major} at ");
    let mut offset = 0;
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        let message = match index {
            0 if !line.starts_with(&header) => {
                Some(format!("the first line does not begin with `{}`", header.trim_end()))
            }
            0 => None,
            _ if is_fact(line) => None,
            _ => Some("this is no fact: an object, a kind and a definition, divided by tabs".to_owned()),
        };
        if let Some(message) = message {
            problems.push(source.problem(Code::SchemaFacts, offset, message, HELP));
            break;
        }
        offset += line.len();
    }
    if source.text.is_empty() {
        problems.push(source.problem(Code::SchemaFacts, 0, "the file is empty", HELP));
    }
    SchemaFacts::new(major, source.file.into(), source.text.into())
}

fn is_fact(line: &str) -> bool {
    let mut fields = line.trim_end_matches('\n').splitn(3, '\t');
    let (Some(object), Some(name), Some(_)) = (fields.next(), fields.next(), fields.next()) else { return false };
    let kind = name.split_once(' ').map_or(name, |(kind, _)| kind);
    !object.is_empty() && FACT_KINDS.binary_search(&kind).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_ends_in_a_major_release() {
        for (name, expected) in [
            ("schema.facts.15", Some(15)),
            ("schema.facts.", None),
            ("schema.facts.015", None),
            ("schema.facts.+5", None),
            ("schema.facts.15.bak", None),
            ("facts.15", None),
        ] {
            assert_eq!(major(name), expected, "{name}");
        }
    }

    #[test]
    fn the_kinds_ascend() {
        assert!(FACT_KINDS.is_sorted());
    }
}
