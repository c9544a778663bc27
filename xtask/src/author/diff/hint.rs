//! What is left to do by hand where a difference remains, by its kind.

use migrator_engine::facts::Difference;

/// A difference that no statement of ours makes.
#[cfg_attr(not(test), expect(dead_code, reason = "docs/from-schema.md is written by a test"))]
pub(crate) struct Hint {
    /// Of these kinds.
    pub(crate) kinds: &'static [&'static str],
    /// Every difference of them.
    pub(crate) is_whole: bool,
    /// In words.
    pub(crate) what: &'static str,
    /// `expected` of the difference is the fact that is wanted.
    is: fn(&Difference) -> bool,
    pub(crate) way_out: &'static str,
}

/// The first that fits is the one that is said.
pub(crate) const HINTS: &[Hint] = &[
    Hint {
        kinds: &["index"],
        is_whole: false,
        what: "an index that is invalid",
        is: |one| has(&one.expected, " INVALID"),
        way_out: "no migration makes an index that is invalid: rebuild it with `REINDEX INDEX`, or drop it, where the schema comes from",
    },
    Hint {
        kinds: &["subscription"],
        is_whole: true,
        what: "a subscription",
        is: |_| true,
        way_out: "a subscription holds a password, and acts on another server: create or drop it by hand on each",
    },
    Hint {
        kinds: &["security-label"],
        is_whole: true,
        what: "a security label",
        is: |_| true,
        way_out: "a security label needs a module of the server: set it by hand",
    },
    Hint {
        kinds: &["column"],
        is_whole: false,
        what: "a column that a table inherits, and no longer has of its own",
        is: |one| has(&one.expected, "INHERITED") && has(&one.found, "MERGED"),
        way_out: "a column that a table defines itself stays its own when the table inherits it: declare it in the schema, or recreate the table",
    },
    Hint {
        kinds: &["table", "index", "materialized-view"],
        is_whole: false,
        what: "another tablespace",
        is: |one| has(&one.expected, "TABLESPACE ") || has(&one.found, "TABLESPACE "),
        way_out: "a tablespace belongs to a server: move it by hand on each",
    },
    Hint {
        kinds: &["extension"],
        is_whole: false,
        what: "a version of an extension that the server does not have",
        is: |_| true,
        way_out: "another version of an extension has to be installed on the server",
    },
];

fn has(text: &Option<String>, word: &str) -> bool {
    text.as_ref().is_some_and(|text| text.contains(word))
}

/// The way out of a difference that no statement of ours makes. `expected` of the difference is the fact that is wanted.
pub fn hint(remains: &Difference) -> Option<&'static str> {
    let fits = |hint: &&Hint| hint.kinds.contains(&remains.kind.as_str()) && (hint.is)(remains);
    HINTS.iter().find(fits).map(|hint| hint.way_out)
}
