//! M019: a `-- migrate:loses` that names nothing, or outside a down block.

use migrator_sql::{Kind, lex};

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M019", "invalid declaration of a loss"));

/// The parts of the name that follows `-- migrate:loses`, as the server would store them; `None`: it is not a name of at most three
/// parts. What follows the name is the reason.
pub(crate) fn object(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut end = text.len() - text.trim_start().len();
    for token in lex(text).tokens {
        let is_part = match token.kind {
            Kind::Word | Kind::Quoted => true,
            Kind::Punctuation if token.text(text) == "." => false,
            _ => break,
        };
        if token.start() != end {
            break;
        }
        // Names and points take turns.
        if is_part != parts.len().is_multiple_of(2) {
            return None;
        }
        parts.push(name(token.text(text)));
        end = token.end();
    }
    let is_whole = text[end..].is_empty() || text[end..].starts_with([' ', '\t']);
    let parts: Vec<String> = if parts.len() % 2 == 1 { parts.into_iter().step_by(2).collect() } else { Vec::new() };
    (is_whole && (1..=3).contains(&parts.len())).then_some(parts)
}

/// An identifier as it is stored: folded, unless it is quoted.
fn name(word: &str) -> String {
    match word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => word.to_ascii_lowercase(),
    }
}

pub(crate) fn without_object(source: &Source, at: usize) -> Problem {
    let help = "name a table, a column, or a value of an enum: `-- migrate:loses <schema>.<table>.<column>`";
    source.problem(RULE.code, at, "`-- migrate:loses` without a name", help)
}

pub(crate) fn misplaced(source: &Source, at: usize) -> Problem {
    let help = "move it into the down block that loses the data";
    source.problem(RULE.code, at, "`-- migrate:loses` outside a down block", help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::file::Folder;
    use crate::testing::{migration, script};

    #[test]
    fn a_name_has_one_to_three_parts_and_a_reason_may_follow() {
        let parts = |text: &str| object(text).map(|parts| parts.join("|"));
        for (text, expected) in [
            (" core.users.locale", Some("core|users|locale")),
            (" Core.Users no one reads it", Some("core|users")),
            (" users", Some("users")),
            (" core.mood.\"In \"\"Progress\"", Some("core|mood|In \"Progress")),
            ("", None),
            (" .users", None),
            (" core.", None),
            (" core..users", None),
            (" a.b.c.d", None),
            (" users; x", None),
            (" 'users'", None),
        ] {
            assert_eq!(parts(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn belongs_into_a_down_block() {
        migration(
            RULE,
            "-- migrate:loses a\n-- migrate:up\n-- migrate:loses a.b\nSELECT 1;\n-- migrate:down\n-- migrate:loses\n-- migrate:loses a.b.c gone\nSELECT 2;",
            expect![[r#"
                db/migrations/001_x.sql:1:1: `-- migrate:loses` outside a down block [M019]; help: move it into the down block that loses the data
                db/migrations/001_x.sql:3:1: `-- migrate:loses` outside a down block [M019]; help: move it into the down block that loses the data
                db/migrations/001_x.sql:6:1: `-- migrate:loses` without a name [M019]; help: name a table, a column, or a value of an enum: `-- migrate:loses <schema>.<table>.<column>`"#]],
        );
        script(
            RULE,
            Folder::Seeds,
            "-- migrate:loses a\nSELECT 1",
            expect![[r#"
                db/seeds/x.sql:1:1: `-- migrate:loses` outside a down block [M019]; help: move it into the down block that loses the data"#]],
        );
    }
}
