//! The structure of a migration file: its markers, and the blocks between them.

use migrator_model::Direction;
use migrator_sql::{Lexed, split};

use crate::contract::{loses, unchecked};
use crate::file::Block;
use crate::problem::Problem;
use crate::read::markers::{self, Directive};
use crate::read::options;
use crate::source::Source;

/// The blocks of a migration, and the directions of its misspelled markers; `None` if it may be either.
pub(crate) struct Document<'a> {
    pub(crate) blocks: Vec<Block<'a>>,
    pub(crate) misspelled: Vec<Option<Direction>>,
}

/// Splits a migration at its markers. A misplaced or duplicate marker starts a block as well, so that one build reports the
/// mistakes inside all of them.
pub(crate) fn read<'a>(source: &'a Source, lexed: &'a Lexed, problems: &mut Vec<Problem>) -> Document<'a> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut misspelled = Vec::new();
    for comment in &lexed.comments {
        let at = comment.range.start;
        match markers::read(source, comment) {
            Directive::None => {}
            Directive::Marker(direction, words) => {
                let options = options::read(source, words, problems);
                if let Some(last) = blocks.last_mut() {
                    last.range.end = at;
                }
                let range = source.next_line(at)..source.text.len();
                let direction = Some(direction);
                blocks.push(Block { direction, marker: at, range, options, unchecked: false, statements: Vec::new() });
            }
            Directive::Unchecked(reason) => match blocks.last_mut() {
                None => problems.push(unchecked::before_up(source, at)),
                Some(_) if reason.is_empty() => problems.push(unchecked::without_reason(source, at)),
                Some(block) => block.unchecked = true,
            },
            Directive::Loses(object) => {
                let is_down = blocks.last().is_some_and(|block| block.direction == Some(Direction::Down));
                problems.extend(match (is_down, object) {
                    (false, _) => Some(loses::misplaced(source, at)),
                    (true, None) => Some(loses::without_object(source, at)),
                    (true, Some(_)) => None,
                });
            }
            Directive::LookAlike(look_alike) => {
                misspelled.push(look_alike.direction);
                problems.push(look_alike.problem(source, at));
            }
        }
    }
    for block in &mut blocks {
        block.statements = split(&source.text, lexed.within(&block.range));
    }
    Document { blocks, misspelled }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let lexed = lex(text);
        let document = read(&source, &lexed, &mut Vec::new());
        let line = |block: &Block<'_>| {
            let unchecked = if block.unchecked { " unchecked" } else { "" };
            format!("{} {:?}{unchecked}\n", block.direction.unwrap().marker(), &text[block.range.clone()])
        };
        let misspelled = document.misspelled.iter().map(|direction| format!("misspelled {direction:?}\n"));
        expect.assert_eq(&document.blocks.iter().map(line).chain(misspelled).collect::<String>());
    }

    #[test]
    fn cuts_at_the_markers() {
        check(
            "-- Purpose: x\n\n-- migrate:up\na;\n\n-- migrate:down\nb;\n",
            expect![[r#"
            -- migrate:up "a;\n\n"
            -- migrate:down "b;\n"
        "#]],
        );
        check(
            "-- migrate:up\n-- migrate:down",
            expect![[r#"
            -- migrate:up ""
            -- migrate:down ""
        "#]],
        );
        check("SELECT 1;\n", expect![[""]]);
    }

    #[test]
    fn a_marker_inside_text_does_not_count() {
        check(
            "-- migrate:up\nSELECT '\n-- migrate:down\n', $$\n-- migrate:up\n$$, \"\n-- migrate:up\n\" /*\n-- migrate:up\n*/;\n-- migrate:down\n",
            expect![[r#"
                -- migrate:up "SELECT '\n-- migrate:down\n', $$\n-- migrate:up\n$$, \"\n-- migrate:up\n\" /*\n-- migrate:up\n*/;\n"
                -- migrate:down ""
            "#]],
        );
    }

    #[test]
    fn every_block_of_a_wrong_file_is_there() {
        check(
            "-- migrate:down\nb;\n-- migrate:up\na;\n-- migrate:up\nb;\n-- migrate:down\n",
            expect![[r#"
            -- migrate:down "b;\n"
            -- migrate:up "a;\n"
            -- migrate:up "b;\n"
            -- migrate:down ""
        "#]],
        );
        check(
            "-- Migrate:Up\na;\n-- migrate: down\nb;\n-- migrate:rollback\n",
            expect![[r#"
            misspelled Some(Up)
            misspelled Some(Down)
            misspelled None
        "#]],
        );
    }

    #[test]
    fn unchecked_counts_for_its_block_with_a_reason() {
        check(
            "-- migrate:unchecked x\n-- migrate:up\n-- migrate:unchecked new syntax\na;\n-- migrate:down\n-- migrate:unchecked\nb;",
            expect![[r#"
                -- migrate:up "-- migrate:unchecked new syntax\na;\n" unchecked
                -- migrate:down "-- migrate:unchecked\nb;"
            "#]],
        );
    }
}
