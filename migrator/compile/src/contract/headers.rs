//! The comment headers that the settings ask for.

use migrator_model::Text;
use migrator_sql::Lexed;

use crate::problem::{Code, Problem};
use crate::source::Source;

/// Refuses a file without one of the headers. They are line comments such as `-- Purpose: why`, above the first statement.
pub(crate) fn check(source: &Source, lexed: &Lexed, required: &[Text], problems: &mut Vec<Problem>) {
    let head = lexed.tokens.first().map_or(source.text.len(), |token| token.start());
    for name in required {
        let present = lexed
            .comments
            .iter()
            .take_while(|comment| comment.range.start < head)
            .filter(|comment| !comment.block)
            .any(|comment| is_header(&source.text[comment.range.clone()], name));
        if !present {
            let help = format!("add `-- {name}: ...` above `-- migrate:up`");
            let message = format!("the header `{name}` is missing");
            problems.push(Problem::whole(Code::MissingHeader, &source.file, message, help));
        }
    }
}

fn is_header(comment: &str, name: &str) -> bool {
    let header = comment.trim_start_matches('-').split_once(':');
    header.is_some_and(|(key, value)| key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    use migrator_sql::lex;

    #[track_caller]
    fn check_text(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let mut problems = Vec::new();
        check(&source, &lex(text), &["Purpose".into()], &mut problems);
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn finds_a_header_above_the_first_statement() {
        check_text("-- Purpose: because\n-- migrate:up\na;", expect![""]);
        check_text("-- migrate:up\n--purpose : because\na;", expect![""]);
    }

    #[test]
    fn refuses_a_file_without_one() {
        check_text(
            "-- Purpose:\n/* Purpose: x */\n-- migrate:up\na;\n-- Purpose: late",
            expect![[r#"
                db/migrations/001_x.sql: the header `Purpose` is missing [M040]; help: add `-- Purpose: ...` above `-- migrate:up`"#]],
        );
    }
}
