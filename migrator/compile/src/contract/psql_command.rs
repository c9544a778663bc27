//! M022: a backslash command of psql, which the server does not know.

use migrator_sql::Kind;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M022", "psql command"), check);

/// Reports one command per line.
fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let source = file.source;
    let mut reported = None;
    for token in file.statements().flat_map(|words| words.tokens) {
        if token.kind != Kind::Unknown || token.text(&source.text) != "\\" {
            continue;
        }
        let line = source.line_start(token.start());
        if reported == Some(line) {
            continue;
        }
        reported = Some(line);
        let rest = &source.text[token.start()..source.next_line(token.start())];
        let command: String = rest.chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        let message = format!("`{command}` is a psql command, not SQL");
        let help = "write it as SQL, or remove it: the server does not know psql commands";
        problems.push(source.problem(RULE.code, token.start(), message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::block;

    #[test]
    fn refuses_psql_commands() {
        block(
            RULE,
            "\\set x 1\nSELECT '\\d';\n  \\echo \\x",
            expect![[r#"
                db/migrations/001_x.sql:2:1: `\set` is a psql command, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql commands
                db/migrations/001_x.sql:4:3: `\echo` is a psql command, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql commands"#]],
        );
    }
}
