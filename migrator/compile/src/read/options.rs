//! The options behind a marker.

use std::ops::Range;

use migrator_model::Options;

use crate::nearest::nearest;
use crate::problem::{Code, Problem};
use crate::read::duration;
use crate::source::Source;

fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once("transaction").chain(Options::names().map(|(name, _)| name))
}

/// All options with a value, as they may be written.
fn form() -> String {
    let durations = Options::names().map(|(name, example)| format!("`{name}:{example}`"));
    let mut all: Vec<String> = std::iter::once("`transaction:false`".to_owned()).chain(durations).collect();
    let last = all.pop().unwrap_or_default();
    format!("the options are {} and {last}", all.join(", "))
}

/// Reads the words in a range of the file.
pub(crate) fn read(source: &Source, range: Range<usize>, problems: &mut Vec<Problem>) -> Options {
    let mut options = Options::default();
    let mut seen: Vec<&str> = Vec::new();
    let line = &source.text[range.clone()];
    for word in line.split([' ', '\t']).filter(|word| !word.is_empty()) {
        // Both are slices of one text: the difference of their addresses is the word's place in it.
        let at = range.start + (word.as_ptr() as usize - line.as_ptr() as usize);
        let mut refuse = |message: String, help: String| {
            problems.push(source.problem(Code::MarkerOption, at, message, help));
        };
        // Whoever misspells it means `false`: what follows from the transaction is not reported on top.
        let meant = word.split([':', '=', ',']).next().and_then(|name| nearest(name, names()));
        if meant == Some("transaction") && word != "transaction:true" {
            options.transaction = false;
        }
        let Some((name, value)) = word.split_once(':') else {
            refuse(format!("`{word}` is no option"), format!("{}; anything else goes to the next line", form()));
            break;
        };
        if value.is_empty() {
            refuse(format!("option `{name}` has no value"), format!("{}, without a blank", form()));
            break;
        }
        if !names().any(|known| known == name) {
            refuse(format!("unknown option `{name}`"), help_for(name));
        } else if seen.contains(&name) {
            refuse(format!("option `{name}` is given twice"), "keep one of them".to_owned());
        } else if name == "transaction" {
            match value {
                "false" => {}
                "true" => {
                    refuse("`transaction:true` is no option".to_owned(), "leave it out: it is the default".to_owned())
                }
                _ => refuse(format!("`{word}` is no option"), "write `transaction:false`".to_owned()),
            }
        } else {
            match duration::parse(value) {
                Some(ms) => drop(options.set_duration(name, Some(ms))),
                None => refuse(format!("`{value}` is no duration for `{name}`"), duration::FORM.to_owned()),
            }
        }
        seen.push(name);
    }
    options
}

fn help_for(name: &str) -> String {
    match nearest(name, names()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => form(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let mut problems = Vec::new();
        let options = read(&source, 0..text.len(), &mut problems);
        let shown = match problems.as_slice() {
            [] => format!("{options:?}"),
            problems => problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn reads_the_three_options() {
        check("", expect!["Options { transaction: true, lock_timeout_ms: None, statement_timeout_ms: None }"]);
        check(
            " transaction:false\tlock_timeout:5s  statement_timeout:10min ",
            expect!["Options { transaction: false, lock_timeout_ms: Some(5000), statement_timeout_ms: Some(600000) }"],
        );
    }

    #[test]
    fn whoever_misspells_the_transaction_means_none() {
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

    #[test]
    fn refuses_everything_else() {
        check(
            "transaction:FALSE",
            expect![[r#"
                db/migrations/001_x.sql:1:1: `transaction:FALSE` is no option [M015]; help: write `transaction:false`"#]],
        );
        check(
            "transaction:true",
            expect![[r#"
                db/migrations/001_x.sql:1:1: `transaction:true` is no option [M015]; help: leave it out: it is the default"#]],
        );
        check(
            "transaction: false",
            expect![[r#"
                db/migrations/001_x.sql:1:1: option `transaction` has no value [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`, without a blank"#]],
        );
        check(
            "Transaction:false transaction=false",
            expect![[r#"
            db/migrations/001_x.sql:1:1: unknown option `Transaction` [M015]; help: did you mean `transaction`?
            db/migrations/001_x.sql:1:19: `transaction=false` is no option [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`; anything else goes to the next line"#]],
        );
        check(
            "lock_timout:5s",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `lock_timout` [M015]; help: did you mean `lock_timeout`?"#]],
        );
        check(
            "lock_timeout:5 statement_timeout:soon",
            expect![[r#"
            db/migrations/001_x.sql:1:1: `5` is no duration for `lock_timeout` [M015]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit
            db/migrations/001_x.sql:1:16: `soon` is no duration for `statement_timeout` [M015]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit"#]],
        );
        check(
            "lock_timeout:5s lock_timeout:6s",
            expect![[r#"
                db/migrations/001_x.sql:1:17: option `lock_timeout` is given twice [M015]; help: keep one of them"#]],
        );
        check(
            "CREATE TABLE t ()",
            expect![[r#"
                db/migrations/001_x.sql:1:1: `CREATE` is no option [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`; anything else goes to the next line"#]],
        );
        check(
            "foo:bar",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `foo` [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`"#]],
        );
    }
}
