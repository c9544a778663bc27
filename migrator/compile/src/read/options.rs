//! The options after a marker.

use std::ops::Range;

use migrator_model::Options;

use crate::contract::marker_option::{Mistake, names, problem};
use crate::duration;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::source::Source;

/// Reads the words in a range of the file.
pub(crate) fn read(source: &Source, range: Range<usize>, problems: &mut Vec<Problem>) -> Options {
    let mut options = Options::default();
    let mut seen: Vec<&str> = Vec::new();
    let line = &source.text[range.clone()];
    for word in line.split([' ', '\t']).filter(|word| !word.is_empty()) {
        // Both are slices of one text: the difference of their addresses is the offset of the word.
        let at = range.start + (word.as_ptr() as usize - line.as_ptr() as usize);
        // A misspelled option means `false`: the rules about the transaction would only add noise.
        let meant = word.split([':', '=', ',']).next().and_then(|name| nearest(name, names()));
        if meant == Some("transaction") && word != "transaction:true" {
            options.transaction = false;
        }
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        if let Some(mistake) = take(&mut options, word, &seen) {
            problems.push(problem(source, at, word, &mistake));
            // The rest is most likely SQL or the value.
            if value.is_empty() {
                break;
            }
        }
        seen.push(name);
    }
    options
}

/// Sets one option, or returns what is wrong with it.
fn take<'a>(options: &mut Options, word: &'a str, seen: &[&str]) -> Option<Mistake<'a>> {
    let Some((name, value)) = word.split_once(':') else { return Some(Mistake::NotAnOption) };
    match (name, value) {
        (_, "") => Some(Mistake::NoValue(name)),
        _ if !names().any(|known| known == name) => Some(Mistake::UnknownName(name)),
        _ if seen.contains(&name) => Some(Mistake::Twice(name)),
        ("transaction", "false") => None,
        ("transaction", "true") => Some(Mistake::TransactionTrue),
        ("transaction", _) => Some(Mistake::NotABoolean),
        _ => match duration::parse(value) {
            Some(ms) => {
                options.set_duration(name, Some(ms));
                None
            }
            None => Some(Mistake::NotADuration(name, value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[test]
    fn reads_the_three_options() {
        let check = |text: &str, expect: Expect| {
            let mut problems = Vec::new();
            let options = read(&Source::new("x", text), 0..text.len(), &mut problems);
            assert_eq!(problems, []);
            expect.assert_eq(&format!("{options:?}"));
        };
        check("", expect!["Options { transaction: true, lock_timeout_ms: None, statement_timeout_ms: None }"]);
        check(
            " transaction:false\tlock_timeout:5s  statement_timeout:10min ",
            expect!["Options { transaction: false, lock_timeout_ms: Some(5000), statement_timeout_ms: Some(600000) }"],
        );
    }

    #[test]
    fn a_misspelled_transaction_option_means_false() {
        for (text, transaction) in [
            ("transaction:false", false),
            ("transaction:FALSE", false),
            ("transaction=false", false),
            ("transaction: false", false),
            ("Transaktion:false,", false),
            ("transaction:true", true),
            ("lock_timeout:x", true),
            ("SELECT 1", true),
        ] {
            let options = read(&Source::new("x", text), 0..text.len(), &mut Vec::new());
            assert_eq!(options.transaction, transaction, "{text}");
        }
    }
}
