//! What can be wrong with a TOML file, whatever it is for.

use std::ops::Range;

use crate::code::Code;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Source;

/// What is wrong with a key or value, and the help.
pub(crate) struct Mistake {
    message: String,
    help: String,
}

impl Mistake {
    /// The mistake as a problem with that code.
    pub(crate) fn problem(self, code: Code, source: &Source, span: &Range<usize>) -> Problem {
        source.problem(code, span.start, self.message, self.help)
    }
}

pub(super) fn mistake(message: String, help: String) -> Mistake {
    Mistake { message, help }
}

/// The message of the TOML parser, of which the first line is enough.
pub(crate) fn not_toml(message: &str) -> Mistake {
    mistake(message.lines().next().unwrap_or_default().to_owned(), "fix the TOML".to_owned())
}

pub(crate) fn unknown_key(name: &str, known: &[&str]) -> Mistake {
    let help = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the keys are `{}`", known.join("`, `")),
    };
    mistake(format!("unknown key `{name}`"), help)
}

/// A value of another type; `wanted` is the right one.
pub(crate) fn other_type(key: &str, found: &str, wanted: &str, example: &str) -> Mistake {
    mistake(format!("`{key}` must be {wanted}, found {found}"), format!("write `{example}`"))
}
