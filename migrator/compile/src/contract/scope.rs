//! Statements that change under which names or as whom later ones run.

use migrator_sql::{Kind, Words};

use crate::problem::{Code, Problem};
use crate::source::Source;

/// Warns about every change of the search path: it does not outlive the file, and dbmate trips over it.
pub(crate) fn check_search_path(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    for words in statements {
        let Some(at) = search_path(words) else { continue };
        let message = "the search path is set, and put back when the file has run";
        let help = "write the schema before each name; dbmate would look for its own table in the new path";
        problems.push(source.problem(Code::SearchPath, at, message, help));
    }
}

fn search_path(words: &Words<'_>) -> Option<usize> {
    if words.is(0, "set") {
        let name = if words.is_any(1, &["session", "local"]) { 2 } else { 1 };
        return words.is_any(name, &["search_path", "schema"]).then(|| words.start());
    }
    let called = |index: usize| {
        words.is(index, "set_config")
            && words.at(index + 1) == "("
            && words.at(index + 2).eq_ignore_ascii_case("'search_path'")
    };
    (0..words.tokens.len()).find(|&index| called(index)).map(|index| words.tokens[index].start())
}

/// Data that follows `COPY ... FROM stdin` reaches the server from psql alone. Returns the byte of the first such
/// statement: what comes after it is data, not SQL.
pub(crate) fn check_copy(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) -> Option<usize> {
    let is_copy =
        |words: &&Words<'_>| words.is(0, "copy") && words.find("from").is_some_and(|from| words.is(from + 1, "stdin"));
    let at = statements.iter().find(is_copy)?.start();
    let message = "`COPY ... FROM stdin` takes its data from psql, which is not there";
    let help = "write `INSERT` statements, or load the data with `psql`";
    problems.push(source.problem(Code::CopyThroughPsql, at, message, help));
    Some(at)
}

/// Reports `COPY ... TO stdout`: the rows would come in the middle of a message to which only answers are expected.
pub(crate) fn check_copy_out(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    let is_copy =
        |words: &&Words<'_>| words.is(0, "copy") && words.find("to").is_some_and(|to| words.is(to + 1, "stdout"));
    for words in statements.iter().filter(is_copy) {
        let message = "`COPY ... TO stdout` sends its rows to psql, which is not there";
        let help = "write `INSERT INTO ... SELECT`, or read the data with `psql`";
        problems.push(source.problem(Code::CopyThroughPsql, words.start(), message, help));
    }
}

/// Reports the backslash commands of psql, one for each line.
pub(crate) fn check_psql(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    let mut reported = None;
    for token in statements.iter().flat_map(|words| words.tokens) {
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
        let message = format!("`{command}` is a command of psql, not SQL");
        let help = "write it as SQL, or remove it: the server does not know psql's commands";
        problems.push(source.problem(Code::PsqlCommand, token.start(), message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::{lex, split};

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let lexed = lex(text);
        let statements = split(text, &lexed.tokens);
        let mut problems = Vec::new();
        check_search_path(&source, &statements, &mut problems);
        check_copy(&source, &statements, &mut problems);
        check_psql(&source, &statements, &mut problems);
        check_copy_out(&source, &statements, &mut problems);
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn warns_about_a_search_path() {
        check(
            "SET search_path = a",
            expect![[r#"
                db/migrations/001_x.sql:1:1: the search path is set, and put back when the file has run [M035]; help: write the schema before each name; dbmate would look for its own table in the new path"#]],
        );
        check(
            "SET LOCAL SCHEMA 'a';\nSELECT pg_catalog.set_config('search_path', '', false)",
            expect![[r#"
            db/migrations/001_x.sql:1:1: the search path is set, and put back when the file has run [M035]; help: write the schema before each name; dbmate would look for its own table in the new path
            db/migrations/001_x.sql:2:19: the search path is set, and put back when the file has run [M035]; help: write the schema before each name; dbmate would look for its own table in the new path"#]],
        );
        check(
            "ALTER ROLE r SET search_path = a; CREATE FUNCTION f() RETURNS int SET search_path = a LANGUAGE sql AS ''",
            expect![""],
        );
    }

    #[test]
    fn refuses_copy_data() {
        check(
            "COPY t (a, b) FROM STDIN WITH (FORMAT csv);",
            expect![[r#"
                db/migrations/001_x.sql:1:1: `COPY ... FROM stdin` takes its data from psql, which is not there [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
        check("COPY t FROM '/x'; COPY t TO '/x'; COPY (SELECT a AS to FROM stdin) TO '/x'", expect![""]);
        check(
            "COPY t TO STDOUT; COPY (SELECT 1) TO stdout CSV;",
            expect![[r#"
            db/migrations/001_x.sql:1:1: `COPY ... TO stdout` sends its rows to psql, which is not there [M023]; help: write `INSERT INTO ... SELECT`, or read the data with `psql`
            db/migrations/001_x.sql:1:19: `COPY ... TO stdout` sends its rows to psql, which is not there [M023]; help: write `INSERT INTO ... SELECT`, or read the data with `psql`"#]],
        );
    }

    #[test]
    fn refuses_psql_commands() {
        check(
            "\\set x 1\nSELECT '\\d';\n  \\echo \\x",
            expect![[r#"
            db/migrations/001_x.sql:1:1: `\set` is a command of psql, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql's commands
            db/migrations/001_x.sql:3:3: `\echo` is a command of psql, not SQL [M022]; help: write it as SQL, or remove it: the server does not know psql's commands"#]],
        );
    }
}
