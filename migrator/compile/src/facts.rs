//! What `cargo xtask dump` writes for one major version of PostgreSQL: `schema.facts.<major>`, the facts of the schema, and
//! `locks.<major>`, the locks of each statement.

/// The start of the name of such a file.
pub(crate) const PREFIX: &str = "schema.facts.";

/// The start of the name of a file of locks.
const LOCKS: &str = "locks.";

/// The kinds of facts, ascending: the first word of a pattern under `[drift]`.
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

/// The major version in a file's name; `None` if there is none.
pub(crate) fn major(name: &str) -> Option<i32> {
    number(name.strip_prefix(PREFIX)?)
}

/// The major version in the name of a file of locks; `None` if it is not one.
pub(crate) fn major_of_locks(name: &str) -> Option<i32> {
    number(name.strip_prefix(LOCKS)?)
}

fn number(digits: &str) -> Option<i32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
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
        assert_eq!((major_of_locks("locks.15"), major_of_locks("locks.md")), (Some(15), None));
    }

    #[test]
    fn the_kinds_ascend() {
        assert!(FACT_KINDS.is_sorted());
    }
}
