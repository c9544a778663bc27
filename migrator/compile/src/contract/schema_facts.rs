//! M043: a `schema.facts.<major>` that `cargo xtask dump` cannot have written; most likely half merged.

use crate::code::Meaning;
use crate::facts::FACT_KINDS;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M043", "invalid schema facts"));

/// The first mistake in the file for a major version.
pub(crate) fn check(major: i32, source: &Source) -> Option<Problem> {
    let header = format!("# schema facts of PostgreSQL {major} at ");
    let mut offset = 0;
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        if index == 0 && !line.starts_with(&header) {
            let message = format!("the first line does not start with `{}`", header.trim_end());
            return Some(problem(source, offset, &message));
        }
        if index > 0 && !is_fact(line) {
            let message = "this line is not a fact: an object, a kind and a definition, separated by tabs";
            return Some(problem(source, offset, message));
        }
        offset += line.len();
    }
    source.text.is_empty().then(|| problem(source, 0, "the file is empty"))
}

fn problem(source: &Source, at: usize, message: &str) -> Problem {
    source.problem(RULE.code, at, message, "run `cargo xtask dump` to write the file again")
}

fn is_fact(line: &str) -> bool {
    let mut fields = line.trim_end_matches('\n').splitn(3, '\t');
    let (Some(object), Some(name), Some(_)) = (fields.next(), fields.next(), fields.next()) else { return false };
    let kind = name.split_once(' ').map_or(name, |(kind, _)| kind);
    !object.is_empty() && FACT_KINDS.binary_search(&kind).is_ok()
}
