//! Every hazard that is looked for: what it locks, why that is dangerous, and how it is written safely.
//!
//! The locks are those that PostgreSQL 15 takes, as the statement has them that a rule is mostly about; [`super::lock`] knows
//! the others. What the runner sees to by itself is not here: timeouts, transaction
//! control, edited files; nor what only a database knows, such as a foreign key without an index.

mod locking;
mod release;

use crate::nearest::nearest;

/// One hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The name that `-- migrate:allow` and `[check] allow` take.
    pub name: &'static str,
    /// What is wrong; `{}` stands for the object in backticks.
    pub message: &'static str,
    /// The lock it takes, and whom that stops.
    pub lock: &'static str,
    /// Why it is dangerous.
    pub reason: &'static str,
    /// The safe way to write it.
    pub help: &'static str,
}

/// All rules: those about locks and rows first, then what breaks the old release, then style.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    locking::RULES.iter().chain(release::RULES)
}

/// The rule of this name.
pub fn find(name: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.name == name)
}

/// The names of all rules, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    rules().map(|rule| rule.name)
}

/// True for a rule that there was: settings and comments that name it are old, not wrong.
pub(crate) fn is_retired(name: &str) -> bool {
    name == "require-enum-value-ordering"
}

/// "Did you mean", for a name that no rule has.
pub(crate) fn meant(name: &str) -> String {
    match nearest(name, names()) {
        Some(rule) => format!("did you mean `{rule}`?"),
        None => "the names of the rules are in the list of hazards, and `cargo xtask check` shows those that it finds"
            .to_owned(),
    }
}

pub(super) const EXCLUSIVE: &str = "AccessExclusive on the table: readers and writers wait";
pub(super) const SHARE_ROW: &str = "ShareRowExclusive on the table: writers wait, readers do not";
pub(super) const NONE: &str = "none that lasts";
pub(super) const OLD_RELEASE: &str = "the release that still runs uses it until the last machine has the new one";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_rule_is_found_by_its_name_which_is_used_once() {
        let names: BTreeSet<&str> = names().collect();
        assert_eq!(names.len(), rules().count());
        for name in names {
            assert_eq!(find(name).map(|rule| rule.name), Some(name));
        }
        assert_eq!(find("ban-drop"), None);
    }
}
