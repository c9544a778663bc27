//! What a rule is: a code, and when it is checked.

use crate::code::{Code, Meaning};
use crate::file::{File, Name};
use crate::problem::Problem;

/// One thing that a db directory must not hold. `contract` lists all of them, one in each of its files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) code: Code,
    pub(crate) check: Check,
    pub(crate) old: Old,
}

/// When a rule is checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Check {
    /// While a file is read: `read` calls the functions of the rule's file.
    Reading,
    /// Once, on the names of all migrations with their paths, ascending by number.
    Names(fn(&[(&Name, &str)], &mut Vec<Problem>)),
    /// On every file that holds SQL, once it is cut into blocks and statements.
    File(fn(&File<'_>, &mut Vec<Problem>)),
}

/// What an error is in a migration that was applied before this tool came (`start_after`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    /// An error.
    Error,
    /// A warning in a down block, which has most likely never been run.
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
