//! One file of `migrations/`.

use migrator_model::{Block, Direction, Migration, Settings};
use migrator_sql::{Lexed, Words, lex, split};

use crate::checksum;
use crate::contract::dbmate;
use crate::contract::headers;
use crate::contract::procedures::Procedures;
use crate::contract::transaction::{self, Place};
use crate::problem::{Code, Problem, Severity};
use crate::read::document::{self, Part};
use crate::read::names::Name;
use crate::script::{check_end, check_statements, finish, statement};
use crate::source::Source;

/// A block with its statements.
type Blocks<'a> = [(Part, Vec<Words<'a>>)];

/// Reads and checks a migration; `None` if it has no up block.
pub(crate) fn read(
    name: Name,
    source: Source,
    settings: &Settings,
    procedures: &Procedures,
    problems: &mut Vec<Problem>,
) -> Option<Migration> {
    let lexed = lex(&source.text);
    let mut found = Vec::new();
    let parts = document::read(&source, &lexed, &mut found);
    if lexed.unterminated.is_some() {
        // The literal has swallowed the markers behind it.
        found.retain(|problem| problem.code != Code::DbmateNoDown);
    } else {
        dbmate::check_text(&source, &lexed, &parts, &mut found);
    }
    let blocks: Vec<(Part, Vec<Words<'_>>)> = parts
        .into_iter()
        .map(|part| {
            let statements = split(&source.text, lexed.within(&part.range));
            (part, statements)
        })
        .collect();
    check_blocks(&source, &lexed, &blocks, procedures, &mut found);
    if settings.start_after.is_none_or(|version| name.number > version) {
        headers::check(&source, &lexed, &settings.required_headers, &mut found);
    } else {
        excuse_old_blocks(&source, &blocks, &mut found);
    }
    let statements: Vec<&[Words<'_>]> = blocks.iter().map(|(_, statements)| statements.as_slice()).collect();
    finish(&source, &statements, found, problems);
    assemble(name, &source, &blocks)
}

fn check_blocks(
    source: &Source,
    lexed: &Lexed,
    blocks: &Blocks<'_>,
    procedures: &Procedures,
    problems: &mut Vec<Problem>,
) {
    check_end(source, lexed, problems);
    let mut syntax = Vec::new();
    for (part, statements) in blocks {
        // What has no end may have swallowed the statements; that is reported.
        let empty = statements.is_empty() && lexed.unterminated.is_none();
        if part.direction == Direction::Up && empty {
            let help =
                "write it below the marker, from the next line on; or remove the file if it has never been applied";
            let message = "there is no statement behind `-- migrate:up`";
            problems.push(source.problem(Code::EmptyUp, part.marker, message, help));
        }
        if part.options.transaction {
            transaction::check_inside(source, statements, Place::Migration(part.direction), problems);
        } else {
            transaction::check_outside(source, statements, problems);
        }
        dbmate::check_block(source, part, statements, procedures, problems);
        check_statements(source, lexed, statements, part.unchecked, &mut syntax);
    }
    // The limit is one for the file.
    let mut errors = 0;
    syntax.retain(|problem| {
        errors += usize::from(problem.code == Code::Syntax);
        problem.code != Code::Syntax || errors <= migrator_sql::parse::MOST_MISTAKES
    });
    problems.append(&mut syntax);
}

/// A history that began elsewhere is taken as it is: what is wrong in its down blocks, which have most likely never been
/// run, is worth a look and stops no build; nor does what could not be resumed, which has been applied.
fn excuse_old_blocks(source: &Source, blocks: &Blocks<'_>, problems: &mut [Problem]) {
    let lines = |part: &Part| source.position(part.range.start).0..=source.position(part.range.end).0;
    for (part, _) in blocks.iter().filter(|(part, _)| part.direction == Direction::Down) {
        let lines = lines(part);
        let excused = |problem: &&mut Problem| {
            matches!(problem.code, Code::Syntax | Code::NeedsNoTransaction) && lines.contains(&problem.line)
        };
        problems.iter_mut().filter(excused).for_each(|problem| problem.severity = Severity::Warning);
    }
    let excused = |problem: &&mut Problem| problem.code == Code::NotResumable;
    problems.iter_mut().filter(excused).for_each(|problem| problem.severity = Severity::Warning);
}

fn assemble(name: Name, source: &Source, blocks: &Blocks<'_>) -> Option<Migration> {
    let find = |direction| blocks.iter().find(|(part, _)| part.direction == direction);
    let (up, up_statements) = find(Direction::Up)?;
    let down = find(Direction::Down).filter(|(_, statements)| !statements.is_empty());
    let checksum = checksum::statements(up_statements);
    let (file, text) = (source.file.clone(), source.text.clone());
    let up = block(up, up_statements);
    let migration = Migration::new(
        name.version.into(),
        name.number,
        name.name.into(),
        file.into(),
        text.into(),
        checksum.into(),
        up,
    );
    Some(migration.with_down(down.map(|(part, statements)| block(part, statements))))
}

fn block(part: &Part, statements: &[Words<'_>]) -> Block {
    Block::new(part.range.clone(), part.options, statements.iter().map(statement).collect())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::read::names;

    fn load(text: &str, settings: &Settings) -> (Option<Migration>, String) {
        let file = "db/migrations/002_x.sql";
        let mut problems = Vec::new();
        let name = names::migration(file, "002_x.sql").unwrap();
        let migration = read(name, Source::new(file, text), settings, &Procedures::default(), &mut problems);
        (migration, problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        expect.assert_eq(&load(text, &Settings::default()).1);
    }

    #[test]
    fn keeps_blocks_statements_and_options() {
        let text = "-- migrate:up transaction:false lock_timeout:5s\nSELECT 1 ;\nSELECT 2\n-- migrate:down\nSELECT 3;";
        let (migration, problems) = load(text, &Settings::default());
        assert_eq!(problems, "");
        let mut migration = migration.unwrap();
        migration.text = "".into();
        expect![[r#"
            Migration {
                version: "002",
                number: 2,
                name: "x",
                file: "db/migrations/002_x.sql",
                text: "",
                checksum: "293c3142ed5d4f6ad41705b19e445df528a6a79dea3e9004d28d97fb621292d4",
                up: Block {
                    range: 48..68,
                    options: Options {
                        transaction: false,
                        lock_timeout_ms: Some(
                            5000,
                        ),
                        statement_timeout_ms: None,
                    },
                    statements: [
                        Statement {
                            range: 48..56,
                            kind: Plain,
                            checksum: "3a1d5c31bf31c335998b7436a3a0dda8712d55401d23d025694c7e9f65f041e2",
                        },
                        Statement {
                            range: 59..67,
                            kind: Plain,
                            checksum: "84af9f8828df1cc04e6a9e5033f48890995f5bc819cf142c432e2d56b2477c55",
                        },
                    ],
                },
                down: Some(
                    Block {
                        range: 84..93,
                        options: Options {
                            transaction: true,
                            lock_timeout_ms: None,
                            statement_timeout_ms: None,
                        },
                        statements: [
                            Statement {
                                range: 84..92,
                                kind: Plain,
                                checksum: "889c3b33a4f112c260257b570ae9e02b5a9130f9dfce696d4e613e9abcd76970",
                            },
                        ],
                    },
                ),
            }"#]]
        .assert_eq(&format!("{migration:#?}"));
    }

    #[test]
    fn a_down_block_without_a_statement_is_no_way_back() {
        let text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n-- nothing\n;";
        let (migration, problems) = load(text, &Settings::default());
        assert_eq!((migration.unwrap().down, problems.as_str()), (None, ""));
    }

    #[test]
    fn the_checksum_knows_nothing_of_options_and_the_down_block() {
        let sum = |text: &str| load(text, &Settings::default()).0.unwrap().checksum;
        let plain = sum("-- migrate:up\nSELECT 1;\n-- migrate:down\n");
        assert_eq!(plain, sum("-- x\n-- migrate:up transaction:false\nSELECT  1\n-- migrate:down\nSELECT 2;"));
        assert_ne!(plain, sum("-- migrate:up\nSELECT 2;\n-- migrate:down\n"));
    }

    #[test]
    fn warns_about_an_empty_up_block() {
        check(
            "-- migrate:up\n-- later\n-- migrate:down\n",
            expect![[r#"
                db/migrations/002_x.sql:1:1: there is no statement behind `-- migrate:up` [M018]; help: write it below the marker, from the next line on; or remove the file if it has never been applied"#]],
        );
    }

    #[test]
    fn three_syntax_errors_at_most_in_both_blocks() {
        check(
            "-- migrate:up\nSELEC 1;\nSELEC 2;\n-- migrate:down\nSELEC 3;\nSELEC 4;",
            expect![[r#"
            db/migrations/002_x.sql:2:1: no statement begins with `SELEC 1` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`
            db/migrations/002_x.sql:3:1: no statement begins with `SELEC 2` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`
            db/migrations/002_x.sql:5:1: no statement begins with `SELEC 3` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`"#]],
        );
    }

    #[test]
    fn unchecked_counts_for_its_block_only() {
        check(
            "-- migrate:up\n-- migrate:unchecked new\nSELEC 1;\n-- migrate:down\nSELEC 2;",
            expect![[r#"
                db/migrations/002_x.sql:5:1: no statement begins with `SELEC 2` [M020]; help: correct it; if the parser is wrong, say so in the block: `-- migrate:unchecked <reason>`"#]],
        );
    }

    #[test]
    fn a_literal_without_an_end_is_the_only_problem() {
        check(
            "-- migrate:up\nSELECT 'a;\n-- migrate:down\nSELECT 1;",
            expect![[r#"
                db/migrations/002_x.sql:2:8: this string has no end [M021]; help: close it: everything behind it is part of it"#]],
        );
    }

    #[test]
    fn data_behind_a_copy_is_not_sql() {
        check(
            "-- migrate:up\nCOPY t FROM stdin;\n1\tit's\n\\.\n-- migrate:down\nSELEC 1;",
            expect![[r#"
                db/migrations/002_x.sql:2:1: `COPY ... FROM stdin` takes its data from psql, which is not there [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
        // The quotes in the data swallow the down marker, which is there all the same.
        let swallowed = "-- migrate:up\nCOPY t FROM stdin;\n1\tit's\n\\.\n-- migrate:down\nSELECT 'x;\n";
        check(
            swallowed,
            expect![[r#"
                db/migrations/002_x.sql:2:1: `COPY ... FROM stdin` takes its data from psql, which is not there [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
    }

    #[test]
    fn headers_are_required_above_a_version_only() {
        let text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        let after = |version| {
            Settings::new().with_required_headers(vec!["Purpose".into()].into()).with_start_after(Some(version))
        };
        assert_eq!(load(text, &after(2)).1, "");
        expect!["db/migrations/002_x.sql: the header `Purpose` is missing [M040]; help: add `-- Purpose: ...` above `-- migrate:up`"].assert_eq(&load(text, &after(1)).1);
    }

    #[test]
    fn mistakes_in_the_down_blocks_of_an_old_history_are_warnings() {
        let text = "-- migrate:up\nSELEC 1;\n-- migrate:down\nSELEC 2;\nVACUUM t;\n";
        let severities = |version| {
            let settings = Settings::new().with_start_after(Some(version));
            let name = names::migration("x", "002_x.sql").unwrap();
            let mut problems = Vec::new();
            read(name, Source::new("x", text), &settings, &Procedures::default(), &mut problems);
            problems.sort_by_key(|problem| problem.line);
            problems.iter().map(|problem| (problem.line, problem.severity)).collect::<Vec<_>>()
        };
        let (error, warning) = (Severity::Error, Severity::Warning);
        assert_eq!(severities(1), [(2, error), (4, error), (5, error)]);
        assert_eq!(severities(2), [(2, error), (4, warning), (5, warning)]);
    }

    #[test]
    fn what_an_old_history_could_not_resume_is_a_warning() {
        let text = "-- migrate:up transaction:false\nSELECT set_config('a.b', '1', false);\n-- migrate:down\n";
        let severity = |version| {
            let settings = Settings::new().with_start_after(Some(version));
            let mut problems = Vec::new();
            read(
                names::migration("x", "002_x.sql").unwrap(),
                Source::new("x", text),
                &settings,
                &Procedures::default(),
                &mut problems,
            );
            problems.iter().map(|problem| (problem.code, problem.severity)).collect::<Vec<_>>()
        };
        assert_eq!(severity(1), [(Code::NotResumable, Severity::Error)]);
        assert_eq!(severity(2), [(Code::NotResumable, Severity::Warning)]);
    }
}
