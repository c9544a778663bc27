//! What a rule is.

use std::fmt;

use crate::site::{Finding, Site};

/// One hazard that is looked for.
#[derive(Clone, Copy)]
pub struct Rule {
    /// The name that `-- migrate:allow` and `[check] allow` take.
    pub name: &'static str,
    /// What is wrong; `{}` stands for the object in backticks.
    pub message: &'static str,
    /// Why it is dangerous.
    pub reason: &'static str,
    /// The safe way to write it.
    pub help: &'static str,
    /// Whether squawk-linter has a rule of this name.
    pub(crate) linter: Linter,
    /// Finds it in one statement: where, on what, under which lock. Gets the bytes at which squawk's rule of the same name has
    /// found something, none of them a false alarm as far as [`Rule::linter`] can tell.
    pub(crate) check: fn(&Site<'_>, linted: &[usize]) -> Vec<Finding>,
}

/// Which findings of squawk's rule of the same name a rule gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Linter {
    /// None: squawk has no such rule, or ours looks closer.
    None,
    /// Those about objects that are in use. What the same file has created is in no one's way.
    InUse,
    /// All of them: a matter of style, also in a new table.
    All,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({})", self.name)
    }
}

/// Of rules that find just what squawk's do.
pub(crate) fn as_linted(site: &Site<'_>, linted: &[usize]) -> Vec<Finding> {
    linted.iter().map(|&at| site.finding(at)).collect()
}

/// Of rules that let some of squawk's findings pass.
pub(crate) fn except(site: &Site<'_>, linted: &[usize], is_harmless: impl Fn(usize) -> bool) -> Vec<Finding> {
    linted.iter().filter(|&&at| !is_harmless(at)).map(|&at| site.finding(at)).collect()
}

pub(crate) const OLD_RELEASE: &str = "the release that is still running uses it until the last machine has the new one";

/// The way out of both rules about unique indexes of a partitioned table.
pub(crate) const PARTITIONED_UNIQUE: &str = "`ALTER TABLE ONLY` the parent `ADD CONSTRAINT`; `CREATE UNIQUE INDEX CONCURRENTLY` on each \
     partition and `ADD CONSTRAINT ... USING INDEX` there; then `ALTER INDEX ... ATTACH PARTITION` for each";
