//! What a db directory may hold: one file per rule, with its code, its check, its messages and its tests.

use crate::code::Code;
use crate::file::{File, Name};
use crate::problem::{Problem, Severity};
use crate::rule::{Check, Old, Rule};

pub(crate) mod check_is_not_a_query;
pub(crate) mod copy_data;
pub(crate) mod data_test;
pub(crate) mod dbmate_marker_in_text;
pub(crate) mod dbmate_no_down;
pub(crate) mod dbmate_one_message;
pub(crate) mod dbmate_order;
pub(crate) mod dbmate_role;
pub(crate) mod dbmate_text_before_up;
pub(crate) mod down_before_up;
pub(crate) mod empty_up;
pub(crate) mod encoding;
pub(crate) mod file_name;
pub(crate) mod foreign_files;
pub(crate) mod keys;
pub(crate) mod lock_traces;
pub(crate) mod loses;
pub(crate) mod marker_in_script;
pub(crate) mod marker_misspelled;
pub(crate) mod marker_option;
pub(crate) mod marker_twice;
pub(crate) mod missing_header;
pub(crate) mod needs_no_transaction;
pub(crate) mod no_directory;
pub(crate) mod no_up_marker;
pub(crate) mod not_resumable;
pub(crate) mod origin;
pub(crate) mod psql_command;
pub(crate) mod schema_facts;
pub(crate) mod search_path;
pub(crate) mod settings;
pub(crate) mod squashed;
pub(crate) mod syntax;
pub(crate) mod test_version;
pub(crate) mod text_before_up;
pub(crate) mod transaction_control;
pub(crate) mod unchecked;
mod units;
pub(crate) mod unknown_file;
pub(crate) mod unknown_seed;
pub(crate) mod unmatched_transaction;
pub(crate) mod unreadable;
pub(crate) mod unterminated;
pub(crate) mod version_too_large;
pub(crate) mod version_used_twice;

/// Every rule, ascending by code.
const RULES: &[Rule] = &[
    no_directory::RULE,
    unreadable::RULE,
    file_name::RULE,
    unknown_file::RULE,
    version_too_large::RULE,
    version_used_twice::RULE,
    encoding::RULE,
    foreign_files::RULE,
    no_up_marker::RULE,
    text_before_up::RULE,
    marker_misspelled::RULE,
    marker_twice::RULE,
    down_before_up::RULE,
    marker_option::RULE,
    marker_in_script::RULE,
    unchecked::RULE,
    empty_up::RULE,
    loses::RULE,
    syntax::RULE,
    unterminated::RULE,
    psql_command::RULE,
    copy_data::RULE,
    transaction_control::RULE,
    needs_no_transaction::RULE,
    unmatched_transaction::RULE,
    not_resumable::RULE,
    check_is_not_a_query::RULE,
    search_path::RULE,
    missing_header::RULE,
    settings::RULE,
    unknown_seed::RULE,
    schema_facts::RULE,
    origin::RULE,
    test_version::RULE,
    data_test::RULE,
    lock_traces::RULE,
    squashed::RULE,
    dbmate_marker_in_text::RULE,
    dbmate_text_before_up::RULE,
    dbmate_no_down::RULE,
    dbmate_one_message::RULE,
    dbmate_order::RULE,
    dbmate_role::RULE,
];

const CODES: [Code; RULES.len()] = {
    let mut codes = [RULES[0].code; RULES.len()];
    let mut index = 0;
    while index < codes.len() {
        codes[index] = RULES[index].code;
        index += 1;
    }
    codes
};

impl Code {
    /// Every code, ascending.
    pub const ALL: &[Code] = &CODES;
}

/// Checks the names and paths of all migrations, ascending by number.
pub(crate) fn check_names(names: &[(&Name, &str)], problems: &mut Vec<Problem>) {
    for rule in RULES {
        if let Check::Names(check) = rule.check {
            check(names, problems);
        }
    }
}

/// Checks a file, and adds what reading it has `found`.
pub(crate) fn check_file(file: &File<'_>, mut found: Vec<Problem>, problems: &mut Vec<Problem>) {
    for rule in RULES {
        if let Check::File(check) = rule.check {
            check(file, &mut found);
        }
    }
    if let Some(at) = file.data {
        // What follows the statement is not SQL.
        let data = file.source.position(at);
        let is_sql = |problem: &Problem| (problem.line, problem.column) < data;
        let is_copy =
            |problem: &Problem| problem.code == copy_data::RULE.code && (problem.line, problem.column) == data;
        found.retain(|problem| is_sql(problem) || is_copy(problem));
    }
    if file.old {
        found.iter_mut().for_each(|problem| excuse(file, problem));
    }
    problems.append(&mut found);
}

/// The history of another tool cannot be changed: what is harmless in it must not fail the build.
fn excuse(file: &File<'_>, problem: &mut Problem) {
    let is_excused = RULES.iter().find(|rule| rule.code == problem.code).is_some_and(|rule| match rule.old {
        Old::Error => false,
        Old::WarningInDown => file.is_in_down(problem.line),
        Old::Warning => true,
    });
    if is_excused {
        problem.severity = Severity::Warning;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn codes_ascend() {
        assert!(Code::ALL.is_sorted_by(|a, b| a < b), "{:?}", Code::ALL);
    }

    #[test]
    fn every_rule_is_listed() {
        let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract")).unwrap();
        let texts = files.filter_map(|file| fs::read_to_string(file.unwrap().path()).ok());
        let declared = texts.filter(|text| text.contains("\npub(crate) const RULE: Rule =")).count();
        assert_eq!(declared, RULES.len());
    }
}
