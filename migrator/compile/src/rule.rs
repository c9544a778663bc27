//! A rule: a code and its check.

use crate::code::{Code, Meaning};
use crate::file::{File, Name};
use crate::problem::Problem;

/// One thing that a db directory must not hold. `contract` lists all rules, one for each of its files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) code: Code,
    pub(crate) check: Check,
    pub(crate) old: Old,
}

/// When a rule is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// While a file is read: `read` calls the functions in the rule's file.
    Reading,
    /// Once, with the names and paths of all migrations, ascending by number.
    Names(fn(&[(&Name, &str)], &mut Vec<Problem>)),
    /// For every file of SQL, when its blocks and statements are known.
    File(fn(&File<'_>, &mut Vec<Problem>)),
}

/// What an error becomes in a migration up to `start_after`, which another tool has applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    /// An error.
    Error,
    /// A warning in a down block, which most likely has never run.
    WarningInDown,
    /// A warning.
    Warning,
}

impl Rule {
    pub(crate) const fn reading(meaning: &'static Meaning) -> Rule {
        Rule { code: Code::new(meaning), check: Check::Reading, old: Old::Error }
    }

    pub(crate) const fn names(meaning: &'static Meaning, check: fn(&[(&Name, &str)], &mut Vec<Problem>)) -> Rule {
        Rule { code: Code::new(meaning), check: Check::Names(check), old: Old::Error }
    }

    pub(crate) const fn file(meaning: &'static Meaning, check: fn(&File<'_>, &mut Vec<Problem>)) -> Rule {
        Rule { code: Code::new(meaning), check: Check::File(check), old: Old::Error }
    }

    pub(crate) const fn when_old(self, old: Old) -> Rule {
        Rule { old, ..self }
    }
}
