//! The structure of a migration file: its markers, and the blocks between them.

use std::ops::Range;

use migrator_model::{Direction, Options};
use migrator_sql::Lexed;

use crate::problem::{Code, Problem};
use crate::read::markers::{self, Directive};
use crate::read::options;
use crate::source::Source;

/// The SQL behind one marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) direction: Direction,
    /// The byte at which the marker starts.
    pub(crate) marker: usize,
    /// From the line after the marker to the next marker or the end.
    pub(crate) range: Range<usize>,
    pub(crate) options: Options,
    /// True if a comment in it switches the syntax check off.
    pub(crate) unchecked: bool,
}

/// Cuts a migration at its markers. Without an up marker the result is empty; with a misplaced or repeated marker every
/// part is still there, so that what is wrong inside them is found in the same build.
pub(crate) fn read(source: &Source, lexed: &Lexed, problems: &mut Vec<Problem>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut look_alikes = Vec::new();
    for comment in &lexed.comments {
        let at = comment.range.start;
        match markers::read(source, comment) {
            Directive::None => {}
            Directive::Marker(direction, words) => {
                let options = options::read(source, words, problems);
                if let Some(last) = parts.last_mut() {
                    last.range.end = at;
                }
                let range = source.next_line(at)..source.text.len();
                parts.push(Part { direction, marker: at, range, options, unchecked: false });
            }
            Directive::Unchecked(reason) => {
                if let Some(problem) = unchecked(source, at, &reason, parts.last_mut()) {
                    problems.push(problem);
                }
            }
            Directive::LookAlike { direction, message, help } => {
                look_alikes.push(direction);
                problems.push(source.problem(Code::MarkerSpelling, at, message, help));
            }
        }
    }
    check_order(source, lexed, &parts, problems);
    let missing = |direction| {
        !look_alikes.iter().any(|meant| meant.is_none_or(|meant| meant == direction))
            && !parts.iter().any(|part| part.direction == direction)
    };
    if missing(Direction::Up) {
        let help = "add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back";
        problems.push(Problem::whole(Code::NoUpMarker, &source.file, "there is no `-- migrate:up`", help));
    } else if missing(Direction::Down) {
        let help = "add `-- migrate:down`; a down block without a statement says that there is no way back";
        let message = "there is no `-- migrate:down`: dbmate refuses the file";
        problems.push(Problem::whole(Code::DbmateNoDown, &source.file, message, help));
    }
    parts
}

/// Takes note of a `-- migrate:unchecked`, or says why it does not count.
fn unchecked(source: &Source, at: usize, reason: &str, part: Option<&mut Part>) -> Option<Problem> {
    let Some(part) = part else {
        let message = "`-- migrate:unchecked` stands before the up marker";
        return Some(source.problem(Code::Unchecked, at, message, "move it into the block that it means"));
    };
    if reason.is_empty() {
        return Some(markers::without_reason(source, at));
    }
    part.unchecked = true;
    None
}

/// Exactly one up block, at most one down block, up first, and only comments before it.
fn check_order(source: &Source, lexed: &Lexed, parts: &[Part], problems: &mut Vec<Problem>) {
    let Some(first_up) = parts.iter().find(|part| part.direction == Direction::Up) else { return };
    if let Some(part) = parts.first().filter(|part| part.direction == Direction::Down) {
        let message = "`-- migrate:down` stands before `-- migrate:up`";
        problems.push(source.problem(
            Code::DownBeforeUp,
            part.marker,
            message,
            "move the down block behind the up block",
        ));
    } else if let Some(token) = lexed.tokens.first().filter(|token| token.start() < first_up.marker) {
        let message = "there is text before `-- migrate:up`";
        let help = "only blank lines and comments may stand there: move it behind the marker";
        problems.push(source.problem(Code::TextBeforeUp, token.start(), message, help));
    }
    for direction in [Direction::Up, Direction::Down] {
        let mut same = parts.iter().filter(|part| part.direction == direction);
        let Some(first) = same.next() else { continue };
        let (line, _) = source.position(first.marker);
        for part in same {
            let message = format!("a second `{}`, the first is in line {line}", direction.marker());
            let help = "one file has one of each: put the statements under the first one, or make another migration";
            problems.push(source.problem(Code::MarkerTwice, part.marker, message, help));
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use migrator_sql::lex;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let mut problems = Vec::new();
        let parts = read(&source, &lex(text), &mut problems);
        let mut lines: Vec<String> = parts
            .iter()
            .map(|part| {
                let unchecked = if part.unchecked { " unchecked" } else { "" };
                format!("{:?} {:?}{unchecked}", part.direction, &text[part.range.clone()])
            })
            .collect();
        lines.extend(problems.iter().map(Problem::to_string));
        expect.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn cuts_at_the_markers() {
        check(
            "-- Purpose: x\n\n-- migrate:up\na;\n\n-- migrate:down\nb;\n",
            expect![[r#"
            Up "a;\n\n"
            Down "b;\n""#]],
        );
        check(
            "-- migrate:up\n-- migrate:down",
            expect![[r#"
            Up ""
            Down """#]],
        );
    }

    #[test]
    fn a_marker_inside_text_is_none() {
        check(
            "-- migrate:up\nSELECT '\n-- migrate:down\n', $$\n-- migrate:up\n$$, \"\n-- migrate:up\n\" /*\n-- migrate:up\n*/;\n-- migrate:down\n",
            expect![[r#"
                Up "SELECT '\n-- migrate:down\n', $$\n-- migrate:up\n$$, \"\n-- migrate:up\n\" /*\n-- migrate:up\n*/;\n"
                Down """#]],
        );
    }

    #[test]
    fn refuses_a_file_without_an_up_marker() {
        check(
            "SELECT 1;\n",
            expect![[r#"
                db/migrations/001_x.sql: there is no `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back"#]],
        );
        check(
            "-- migrate:down\nSELECT 1;\n",
            expect![[r#"
            Down "SELECT 1;\n"
            db/migrations/001_x.sql: there is no `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back"#]],
        );
        check(
            "-- Migrate:Up\n-- migrate:down\n",
            expect![[r#"
            Down ""
            db/migrations/001_x.sql:1:1: `-- Migrate:Up` is not a marker [M012]; help: write `-- migrate:up` in exactly this form; only options may follow it, after a blank"#]],
        );
    }

    #[test]
    fn refuses_markers_out_of_order() {
        check(
            "-- migrate:down\nb;\n-- migrate:up\na;\n",
            expect![[r#"
            Down "b;\n"
            Up "a;\n"
            db/migrations/001_x.sql:1:1: `-- migrate:down` stands before `-- migrate:up` [M014]; help: move the down block behind the up block"#]],
        );
        check(
            "-- migrate:up\na;\n-- migrate:up\nb;\n-- migrate:down\n-- migrate:down\nc;",
            expect![[r#"
            Up "a;\n"
            Up "b;\n"
            Down ""
            Down "c;"
            db/migrations/001_x.sql:3:1: a second `-- migrate:up`, the first is in line 1 [M013]; help: one file has one of each: put the statements under the first one, or make another migration
            db/migrations/001_x.sql:6:1: a second `-- migrate:down`, the first is in line 5 [M013]; help: one file has one of each: put the statements under the first one, or make another migration"#]],
        );
    }

    #[test]
    fn refuses_text_before_the_up_marker() {
        check(
            "-- x\nSELECT 1;\n-- migrate:up\n-- migrate:down\n",
            expect![[r#"
            Up ""
            Down ""
            db/migrations/001_x.sql:2:1: there is text before `-- migrate:up` [M011]; help: only blank lines and comments may stand there: move it behind the marker"#]],
        );
    }

    #[test]
    fn a_missing_down_marker_is_a_warning() {
        check(
            "-- migrate:up\na;\n",
            expect![[r#"
            Up "a;\n"
            db/migrations/001_x.sql: there is no `-- migrate:down`: dbmate refuses the file [M052]; help: add `-- migrate:down`; a down block without a statement says that there is no way back"#]],
        );
        check(
            "-- migrate:up\na;\n-- migrate: down\nb;\n",
            expect![[r#"
            Up "a;\n-- migrate: down\nb;\n"
            db/migrations/001_x.sql:3:1: `-- migrate: down` is not a marker [M012]; help: write `-- migrate:down` in exactly this form; only options may follow it, after a blank"#]],
        );
    }

    #[test]
    fn unchecked_needs_a_reason_and_a_block() {
        check(
            "-- migrate:up\n-- migrate:unchecked new syntax\na;\n-- migrate:down\nb;",
            expect![[r#"
            Up "-- migrate:unchecked new syntax\na;\n" unchecked
            Down "b;""#]],
        );
        check(
            "-- migrate:unchecked x\n-- migrate:up\n-- migrate:unchecked\na;\n-- migrate:down\n",
            expect![[r#"
            Up "-- migrate:unchecked\na;\n"
            Down ""
            db/migrations/001_x.sql:1:1: `-- migrate:unchecked` stands before the up marker [M017]; help: move it into the block that it means
            db/migrations/001_x.sql:3:1: `-- migrate:unchecked` without a reason [M017]; help: say behind it why the parser is wrong: `-- migrate:unchecked <reason>`"#]],
        );
    }
}
