//! M047: a `locks.<major>` that `cargo xtask dump` cannot have written; most likely half merged.

use migrator_model::LockMode;

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M047", "invalid lock trace"));

/// The first mistake in the file for a major version.
pub(crate) fn check(major: i32, source: &Source) -> Option<Problem> {
    let header = format!("# locks of PostgreSQL {major}, format ");
    let mut offset = 0;
    for (index, line) in source.text.split_inclusive('\n').enumerate() {
        if index == 0 && !line.starts_with(&header) {
            let message = format!("the first line does not start with `{}`", header.trim_end());
            return Some(problem(source, offset, &message));
        }
        if index > 0 && !is_migration(line) && !is_effect(line) {
            let message = "this line is neither a version and a checksum nor what a statement does, divided by tabs";
            return Some(problem(source, offset, message));
        }
        offset += line.len();
    }
    source.text.is_empty().then(|| problem(source, 0, "the file is empty"))
}

fn problem(source: &Source, at: usize, message: &str) -> Problem {
    source.problem(RULE.code, at, message, "run `cargo xtask dump` to write the file again")
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_migration(line: &str) -> bool {
    let Some((version, checksum)) = line.trim_end_matches('\n').split_once('\t') else { return false };
    is_number(version) && checksum.len() == 64 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Version, statement, line, lock, `taken` or `held`, words, relation, and what is validated.
fn is_effect(line: &str) -> bool {
    let fields: Vec<&str> = line.trim_end_matches('\n').split('\t').collect();
    let [version, statement, line, lock, taken, words, relation, ..] = fields[..] else { return false };
    [version, statement, line].into_iter().all(is_number)
        && LockMode::from_pg_locks(lock).is_some()
        && matches!(taken, "taken" | "held")
        && !words.is_empty()
        && !relation.is_empty()
}
