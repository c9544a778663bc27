//! One file without markers: a repeatable, a seed or a check.

use migrator_model::{List, Options, Script, Statement, StatementKind, Text};
use migrator_sql::{Lexed, Words, destroying, lex, no_transaction, split};

use crate::checksum;
use crate::contract::{self, loses, marker_in_script, unchecked};
use crate::file::{Block, File, Folder};
use crate::problem::Problem;
use crate::procedures::Procedures;
use crate::read::markers::{self, Directive};
use crate::source::Source;

/// Reads and checks a script.
pub(crate) fn read(name: String, source: Source, folder: Folder, problems: &mut Vec<Problem>) -> Script {
    let lexed = lex(&source.text);
    let mut found = Vec::new();
    let block = Block {
        direction: None,
        marker: 0,
        range: 0..source.text.len(),
        options: Options::default(),
        unchecked: read_comments(&source, &lexed, &mut found),
        statements: split(&source.text, &lexed.tokens),
    };
    let statements: Vec<Statement> = block.statements.iter().map(statement).collect();
    let checksum = checksum::statements(&block.statements);
    let destroys = destroyed(&block.statements);
    let procedures = Procedures::default();
    contract::check_file(&File::new(&source, &lexed, folder, vec![block], &procedures), found, problems);
    let (file, text) = source.into_parts();
    Script::new(name.into(), file.into(), text.into(), checksum.into(), statements.into()).with_destroys(destroys)
}

/// Those of a block's statements that destroy data, as they are shown.
pub(crate) fn destroyed(statements: &[Words<'_>]) -> List<Text> {
    let shown = |index: usize| format!("statement {}: {}", index + 1, statements[index].shown(SHOWN)).into();
    destroying(statements).into_iter().map(shown).collect::<Vec<Text>>().into()
}

/// How many tokens of a statement say what it destroys.
const SHOWN: usize = 12;

/// A statement as it is embedded.
pub(crate) fn statement(words: &Words<'_>) -> Statement {
    let kind = migrator_sql::kind(words);
    let is_alone = kind.is_transactional() && no_transaction(words, false).is_some();
    let kind = if is_alone { StatementKind::Alone } else { kind };
    Statement::new(words.range(), kind, checksum::statement(words).into())
}

/// Reports markers. Returns whether a comment switches the syntax check off.
pub(crate) fn read_comments(source: &Source, lexed: &Lexed, problems: &mut Vec<Problem>) -> bool {
    let mut is_unchecked = false;
    for comment in &lexed.comments {
        let at = comment.range.start;
        match markers::read(source, comment) {
            Directive::None => {}
            Directive::Unchecked(reason) if reason.is_empty() => problems.push(unchecked::without_reason(source, at)),
            Directive::Unchecked(_) => is_unchecked = true,
            Directive::Loses(_) => problems.push(loses::misplaced(source, at)),
            Directive::Marker(..) | Directive::LookAlike(_) => problems.push(marker_in_script::problem(source, at)),
        }
    }
    is_unchecked
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::lines;

    #[track_caller]
    fn check(text: &str, folder: Folder, expect: Expect) {
        let mut problems = Vec::new();
        read("x".to_owned(), Source::new("db/seeds/x.sql", text), folder, &mut problems);
        expect.assert_eq(&lines(&problems));
    }

    #[test]
    fn parses_unless_told_not_to() {
        check(
            "SELEC 1",
            Folder::Seeds,
            expect![[r#"
                db/seeds/x.sql:1:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
        );
        check("-- migrate:unchecked newer than the parser\nSELEC 1", Folder::Seeds, expect![""]);
        check(
            "-- migrate:unchecked\nSELECT 1",
            Folder::Seeds,
            expect![[r#"
                    db/seeds/x.sql:1:1: `-- migrate:unchecked` without a reason [M017]; help: say why the parser is wrong: `-- migrate:unchecked <reason>`"#]],
        );
    }

    #[test]
    fn data_after_a_copy_is_not_sql() {
        check(
            "SELEC 1; COPY t FROM stdin;\n1\tit's\n\\.\nSELEC 2;",
            Folder::Seeds,
            expect![[r#"
            db/seeds/x.sql:1:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
            db/seeds/x.sql:1:10: `COPY ... FROM stdin` needs psql to send its data [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
    }
}
