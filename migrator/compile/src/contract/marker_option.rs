//! M015: a word after a marker that is not an option.

use migrator_model::Options;

use crate::code::Meaning;
use crate::duration;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M015", "invalid marker option"));

/// The names of all options.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once("transaction").chain(Options::names().map(|(name, _)| name))
}

/// What is wrong with a word after a marker.
pub(crate) enum Mistake<'a> {
    /// Not `<name>:<value>`; most likely SQL.
    NotAnOption,
    NoValue(&'a str),
    UnknownName(&'a str),
    Twice(&'a str),
    /// The default, which is left out.
    TransactionTrue,
    NotABoolean,
    NotADuration(&'a str, &'a str),
}

/// The problem with the `word` at an offset.
pub(crate) fn problem(source: &Source, at: usize, word: &str, mistake: &Mistake<'_>) -> Problem {
    let (message, help) = match *mistake {
        Mistake::NotAnOption => {
            (format!("unknown option `{word}`"), format!("{}; put anything else on the next line", form()))
        }
        Mistake::NoValue(name) => (format!("option `{name}` has no value"), format!("{}, without a space", form())),
        Mistake::UnknownName(name) => {
            let meant = nearest(name, names()).map(|known| format!("did you mean `{known}`?"));
            (format!("unknown option `{name}`"), meant.unwrap_or_else(form))
        }
        Mistake::Twice(name) => (format!("duplicate option `{name}`"), "keep one of them".to_owned()),
        Mistake::TransactionTrue => (format!("invalid option `{word}`"), "remove it: it is the default".to_owned()),
        Mistake::NotABoolean => (format!("invalid option `{word}`"), "write `transaction:false`".to_owned()),
        Mistake::NotADuration(name, value) => {
            (format!("invalid duration `{value}` for `{name}`"), duration::FORM.to_owned())
        }
    };
    source.problem(RULE.code, at, message, help)
}

/// All options, each with an example of its value.
fn form() -> String {
    let durations = Options::names().map(|(name, example)| format!("`{name}:{example}`"));
    let mut all: Vec<String> = std::iter::once("`transaction:false`".to_owned()).chain(durations).collect();
    let last = all.pop().unwrap_or_default();
    format!("the options are {} and {last}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::read::options::read;
    use crate::testing::lines;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let mut problems = Vec::new();
        read(&source, 0..text.len(), &mut problems);
        expect.assert_eq(&lines(&problems));
    }

    #[test]
    fn refuses_everything_else() {
        check(
            "transaction:FALSE",
            expect![[r#"
                db/migrations/001_x.sql:1:1: invalid option `transaction:FALSE` [M015]; help: write `transaction:false`"#]],
        );
        check(
            "transaction:true",
            expect![[r#"
                db/migrations/001_x.sql:1:1: invalid option `transaction:true` [M015]; help: remove it: it is the default"#]],
        );
        check(
            "transaction: false",
            expect![[r#"
                db/migrations/001_x.sql:1:1: option `transaction` has no value [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`, without a space"#]],
        );
        check(
            "Transaction:false transaction=false",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `Transaction` [M015]; help: did you mean `transaction`?
                db/migrations/001_x.sql:1:19: unknown option `transaction=false` [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`; put anything else on the next line"#]],
        );
        check(
            "lock_timout:5s",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `lock_timout` [M015]; help: did you mean `lock_timeout`?"#]],
        );
        check(
            "lock_timeout:5 statement_timeout:soon",
            expect![[r#"
                db/migrations/001_x.sql:1:1: invalid duration `5` for `lock_timeout` [M015]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit
                db/migrations/001_x.sql:1:16: invalid duration `soon` for `statement_timeout` [M015]; help: write a whole number and `ms`, `s`, `min` or `h`, such as `500ms`, or `0` for no limit"#]],
        );
        check(
            "lock_timeout:5s lock_timeout:6s",
            expect!["db/migrations/001_x.sql:1:17: duplicate option `lock_timeout` [M015]; help: keep one of them"],
        );
        check(
            "CREATE TABLE t ()",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `CREATE` [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`; put anything else on the next line"#]],
        );
        check(
            "foo:bar",
            expect![[r#"
                db/migrations/001_x.sql:1:1: unknown option `foo` [M015]; help: the options are `transaction:false`, `lock_timeout:5s` and `statement_timeout:10min`"#]],
        );
    }
}
