//! One file without markers: a repeatable, a seed or a check.

use migrator_model::{Script, Statement, StatementKind};
use migrator_sql::{Lexed, Words, lex, no_transaction, split};

use crate::checksum;
use crate::contract::query;
use crate::contract::scope;
use crate::contract::syntax;
use crate::contract::transaction::{self, Place};
use crate::problem::{Code, Problem};
use crate::read::markers::{self, Directive};
use crate::source::Source;

/// The folder of a script, which decides what may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    Repeatable,
    Seeds,
    Checks,
}

/// Reads and checks a script.
pub(crate) fn read(name: String, source: Source, folder: Folder, problems: &mut Vec<Problem>) -> Script {
    let lexed = lex(&source.text);
    let statements = split(&source.text, &lexed.tokens);
    let mut found = Vec::new();
    let unchecked = check_comments(&source, &lexed, &mut found);
    if folder == Folder::Checks {
        query::check(&source, &statements, &mut found);
    } else {
        transaction::check_inside(&source, &statements, Place::Script, &mut found);
    }
    check_statements(&source, &lexed, &statements, unchecked, &mut found);
    finish(&source, &[statements.as_slice()], found, problems);
    let checksum = checksum::statements(&statements);
    let statements = statements.iter().map(statement).collect();
    Script::new(name.into(), source.file.into(), source.text.into(), checksum.into(), statements)
}

/// A statement as it is embedded.
pub(crate) fn statement(words: &Words<'_>) -> Statement {
    let kind = match migrator_sql::kind(words) {
        StatementKind::Plain if no_transaction(words, false).is_some() => StatementKind::Alone,
        kind => kind,
    };
    Statement::new(words.range(), kind, checksum::statement(words).into())
}

/// What holds for every statement, wherever it stands.
pub(crate) fn check_statements(
    source: &Source,
    lexed: &Lexed,
    statements: &[Words<'_>],
    unchecked: bool,
    problems: &mut Vec<Problem>,
) {
    scope::check_search_path(source, statements, problems);
    scope::check_psql(source, statements, problems);
    scope::check_copy_out(source, statements, problems);
    if !unchecked {
        let unterminated = lexed.unterminated.map(|(at, _)| at);
        syntax::check(source, &syntax::parseable(statements, unterminated), problems);
    }
}

/// Reports a literal without an end, and lets go of everything that was found in the data behind `COPY ... FROM stdin`.
pub(crate) fn finish(source: &Source, blocks: &[&[Words<'_>]], found: Vec<Problem>, problems: &mut Vec<Problem>) {
    let mut copies = Vec::new();
    let data = blocks.iter().find_map(|statements| scope::check_copy(source, statements, &mut copies));
    let data = data.map(|at| source.position(at));
    // Without a place: a missing down marker, which may stand behind the data and be part of a literal there.
    let is_sql = |problem: &Problem| match data {
        Some(data) => (problem.line, problem.column) < data && problem.code != Code::DbmateNoDown,
        None => true,
    };
    problems.extend(found.into_iter().filter(is_sql));
    problems.extend(copies.into_iter().take(1));
}

/// Reports the literal or comment that the file does not end.
pub(crate) fn check_end(source: &Source, lexed: &Lexed, problems: &mut Vec<Problem>) {
    if let Some((at, what)) = lexed.unterminated {
        let message = format!("this {what} has no end");
        let help = "close it: everything behind it is part of it";
        problems.push(source.problem(Code::Unterminated, at, message, help));
    }
}

/// Refuses markers. Returns whether a comment switches the syntax check off.
fn check_comments(source: &Source, lexed: &Lexed, problems: &mut Vec<Problem>) -> bool {
    let mut unchecked = false;
    check_end(source, lexed, problems);
    for comment in &lexed.comments {
        let at = comment.range.start;
        match markers::read(source, comment) {
            Directive::None => {}
            Directive::Unchecked(reason) if reason.is_empty() => problems.push(markers::without_reason(source, at)),
            Directive::Unchecked(_) => unchecked = true,
            Directive::Marker(..) | Directive::LookAlike { .. } => {
                let help = "remove it, or move the file to `migrations/` under a version";
                let message = "a marker outside of `migrations/`";
                problems.push(source.problem(Code::MarkerInScript, at, message, help));
            }
        }
    }
    unchecked
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(text: &str, folder: Folder, expect: Expect) {
        let mut problems = Vec::new();
        read("x".to_owned(), Source::new("db/seeds/x.sql", text), folder, &mut problems);
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn refuses_markers() {
        check(
            "-- migrate:up\nSELECT 1;\n-- Migrate:down",
            Folder::Repeatable,
            expect![[r#"
            db/seeds/x.sql:1:1: a marker outside of `migrations/` [M016]; help: remove it, or move the file to `migrations/` under a version
            db/seeds/x.sql:3:1: a marker outside of `migrations/` [M016]; help: remove it, or move the file to `migrations/` under a version"#]],
        );
    }

    #[test]
    fn refuses_transaction_control() {
        check(
            "BEGIN;\nSELECT 1;\nVACUUM t;",
            Folder::Seeds,
            expect![[r#"
            db/seeds/x.sql:1:1: `BEGIN` inside a transaction that is opened and closed for you [M030]; help: remove it: the file is one transaction
            db/seeds/x.sql:3:1: `VACUUM` cannot run in a transaction [M031]; help: move it to a migration with `-- migrate:up transaction:false`"#]],
        );
    }

    #[test]
    fn a_check_is_a_query() {
        check(
            "DELETE FROM t; COMMIT;",
            Folder::Checks,
            expect![[r#"
            db/seeds/x.sql:1:1: a check is a `SELECT`, this is `DELETE FROM` [M034]; help: ask for the rows that are wrong; each row that comes back is a violation
            db/seeds/x.sql:1:16: a check is a `SELECT`, this is `COMMIT` [M034]; help: ask for the rows that are wrong; each row that comes back is a violation"#]],
        );
    }

    #[test]
    fn parses_unless_told_not_to() {
        check(
            "SELEC 1",
            Folder::Seeds,
            expect![[r#"
                db/seeds/x.sql:1:1: no statement begins with `SELEC 1` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`"#]],
        );
        check("-- migrate:unchecked newer than the parser\nSELEC 1", Folder::Seeds, expect![""]);
        check(
            "-- migrate:unchecked\nSELECT 1",
            Folder::Seeds,
            expect![[r#"
                db/seeds/x.sql:1:1: `-- migrate:unchecked` without a reason [M017]; help: say behind it why the parser is wrong: `-- migrate:unchecked <reason>`"#]],
        );
    }

    #[test]
    fn reports_a_literal_without_an_end_once() {
        check(
            "SELECT 1;\nSELECT $a$ x $b$; SELECT 2;",
            Folder::Seeds,
            expect![[r#"
                db/seeds/x.sql:2:8: this dollar-quoted string has no end [M021]; help: close it: everything behind it is part of it"#]],
        );
    }

    #[test]
    fn data_behind_a_copy_is_not_sql() {
        check(
            "SELEC 1; COPY t FROM stdin;\n1\tit's\n\\.\nSELEC 2;",
            Folder::Seeds,
            expect![[r#"
            db/seeds/x.sql:1:1: no statement begins with `SELEC 1` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`
            db/seeds/x.sql:1:10: `COPY ... FROM stdin` takes its data from psql, which is not there [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
    }
}
