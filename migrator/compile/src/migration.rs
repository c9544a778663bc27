//! One file of `migrations/`.

use migrator_model::{Block, Direction, Migration, Settings};
use migrator_sql::lex;

use crate::checksum;
use crate::contract;
use crate::file::{self, File, Folder, Name};
use crate::problem::Problem;
use crate::procedures::Procedures;
use crate::read::document;
use crate::script::{destroyed, statement};
use crate::source::Source;

/// Reads and checks a migration; `None` if it has no up block. `squashed` is the version of a baseline: up to there it is not new.
pub(crate) fn read(
    name: Name,
    source: Source,
    settings: &Settings,
    procedures: &Procedures,
    squashed: Option<i64>,
    problems: &mut Vec<Problem>,
) -> Option<Migration> {
    let lexed = lex(&source.text);
    let mut found = Vec::new();
    let document = document::read(&source, &lexed, &mut found);
    let file = File {
        misspelled: document.misspelled,
        old: settings.start_after.max(squashed).is_some_and(|version| name.number <= version),
        required_headers: &settings.required_headers,
        ..File::new(&source, &lexed, Folder::Migrations, document.blocks, procedures)
    };
    contract::check_file(&file, found, problems);
    assemble(name, &file)
}

/// Reads a migration that was checked when it was written; `None` if it has no up block.
pub(crate) fn read_trusted(name: Name, source: Source, procedures: &Procedures) -> Option<Migration> {
    let lexed = lex(&source.text);
    let document = document::read(&source, &lexed, &mut Vec::new());
    assemble(name, &File::new(&source, &lexed, Folder::Migrations, document.blocks, procedures))
}

fn assemble(name: Name, file: &File<'_>) -> Option<Migration> {
    let up = file.block(Direction::Up)?;
    let down = file.block(Direction::Down).filter(|block| !block.statements.is_empty());
    let migration = Migration::new(
        name.version.into(),
        name.number,
        name.name.into(),
        file.source.file.clone().into(),
        file.source.text.clone().into(),
        checksum::statements(&up.statements).into(),
        block(up),
    );
    Some(migration.with_down(down.map(block)))
}

fn block(block: &file::Block<'_>) -> Block {
    Block::new(block.range.clone(), block.options, block.statements.iter().map(statement).collect())
        .with_destroys(destroyed(&block.statements))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::contract::not_resumable;
    use crate::problem::Severity;
    use crate::read::names;
    use crate::testing::lines;

    fn load(text: &str, settings: &Settings) -> (Option<Migration>, String) {
        let file = "db/migrations/002_x.sql";
        let mut problems = Vec::new();
        let name = names::migration(file, "002_x.sql").unwrap();
        let migration = read(name, Source::new(file, text), settings, &Procedures::default(), None, &mut problems);
        (migration, lines(&problems))
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
                            kind: Neutral,
                            checksum: "3a1d5c31bf31c335998b7436a3a0dda8712d55401d23d025694c7e9f65f041e2",
                        },
                        Statement {
                            range: 59..67,
                            kind: Neutral,
                            checksum: "84af9f8828df1cc04e6a9e5033f48890995f5bc819cf142c432e2d56b2477c55",
                        },
                    ],
                    destroys: [],
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
                                kind: Neutral,
                                checksum: "889c3b33a4f112c260257b570ae9e02b5a9130f9dfce696d4e613e9abcd76970",
                            },
                        ],
                        destroys: [],
                    },
                ),
            }"#]]
        .assert_eq(&format!("{migration:#?}"));
    }

    #[test]
    fn a_down_block_without_a_statement_is_none() {
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
    fn three_syntax_errors_at_most_in_both_blocks() {
        check(
            "-- migrate:up\nSELEC 1;\nSELEC 2;\n-- migrate:down\nSELEC 3;\nSELEC 4;",
            expect![[r#"
            db/migrations/002_x.sql:2:1: no statement begins with `SELEC 1` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
            db/migrations/002_x.sql:3:1: no statement begins with `SELEC 2` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block
            db/migrations/002_x.sql:5:1: no statement begins with `SELEC 3` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
        );
    }

    #[test]
    fn unchecked_counts_for_its_block_only() {
        check(
            "-- migrate:up\n-- migrate:unchecked new\nSELEC 1;\n-- migrate:down\nSELEC 2;",
            expect![[r#"
                db/migrations/002_x.sql:5:1: no statement begins with `SELEC 2` [M020]; help: fix it; if the parser is wrong, add `-- migrate:unchecked <reason>` to the block"#]],
        );
    }

    #[test]
    fn an_unterminated_literal_is_the_only_problem() {
        check(
            "-- migrate:up\nSELECT 'a;\n-- migrate:down\nSELECT 1;",
            expect![[r#"
                    db/migrations/002_x.sql:2:8: unterminated string [M021]; help: close it: the rest of the file is read as part of it"#]],
        );
    }

    #[test]
    fn data_after_a_copy_is_not_sql() {
        check(
            "-- migrate:up\nCOPY t FROM stdin;\n1\tit's\n\\.\n-- migrate:down\nSELEC 1;",
            expect![[r#"
                db/migrations/002_x.sql:2:1: `COPY ... FROM stdin` needs psql to send its data [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
        // The quotes in the data swallow the down marker, which is not missing.
        let swallowed = "-- migrate:up\nCOPY t FROM stdin;\n1\tit's\n\\.\n-- migrate:down\nSELECT 'x;\n";
        check(
            swallowed,
            expect![[r#"
                db/migrations/002_x.sql:2:1: `COPY ... FROM stdin` needs psql to send its data [M023]; help: write `INSERT` statements, or load the data with `psql`"#]],
        );
    }

    #[test]
    fn mistakes_in_the_down_blocks_of_an_old_history_are_warnings() {
        let text = "-- migrate:up\nSELEC 1;\n-- migrate:down\nSELEC 2;\nVACUUM t;\n";
        let severities = |version| {
            let settings = Settings::new().with_start_after(Some(version));
            let name = names::migration("x", "002_x.sql").unwrap();
            let mut problems = Vec::new();
            read(name, Source::new("x", text), &settings, &Procedures::default(), None, &mut problems);
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
                None,
                &mut problems,
            );
            problems.iter().map(|problem| (problem.code, problem.severity)).collect::<Vec<_>>()
        };
        assert_eq!(severity(1), [(not_resumable::RULE.code, Severity::Error)]);
        assert_eq!(severity(2), [(not_resumable::RULE.code, Severity::Warning)]);
    }
}
