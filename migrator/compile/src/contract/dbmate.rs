//! What we accept and dbmate would read otherwise, or refuse: it looks for markers with regular expressions, sends a block
//! as one message, and sorts file names as text.

use migrator_model::Direction;
use migrator_sql::{Lexed, Words, detaches_slots, is_role_back, no_transaction, role};

use crate::contract::procedures::{Procedures, ends_transaction};
use crate::problem::{Code, Problem};
use crate::read::document::Part;
use crate::read::names::Name;
use crate::source::Source;

/// Reads the text of a migration as dbmate would.
pub(crate) fn check_text(source: &Source, lexed: &Lexed, parts: &[Part], problems: &mut Vec<Problem>) {
    let line_starts = std::iter::once(0).chain(source.text.match_indices("\n--").map(|(at, _)| at + 1));
    for at in line_starts {
        let Some(direction) = marker(&source.text[at..]) else { continue };
        // Our own markers and misspelt ones are line comments; those have been judged.
        let ours = lexed.comments.binary_search_by_key(&at, |comment| comment.range.start);
        if ours.is_ok_and(|index| !lexed.comments[index].block) {
            continue;
        }
        let message = format!("dbmate takes this `{}` inside other text for a marker", direction.marker());
        let help = "change the text so that no line starts with it, for instance by indenting it";
        problems.push(source.problem(Code::DbmateMarkerInText, at, message, help));
    }
    let Some(up) = parts.iter().find(|part| part.direction == Direction::Up) else { return };
    check_head(source, lexed, up.marker, problems);
}

/// The marker that dbmate's expressions find at the start of a text: `^--\s*migrate:(up|down)(\s*$|\s+\S+)`.
fn marker(text: &str) -> Option<Direction> {
    let space = [' ', '\t', '\n', '\x0c', '\r'];
    let word = text.strip_prefix("--")?.trim_start_matches(space);
    let found = [(Direction::Up, "migrate:up"), (Direction::Down, "migrate:down")];
    let (direction, rest) =
        found.into_iter().find_map(|(direction, name)| Some((direction, word.strip_prefix(name)?)))?;
    (rest.is_empty() || rest.starts_with(space)).then_some(direction)
}

/// Above the up marker dbmate takes blank lines and lines that start with `--`, not `/* */`.
fn check_head(source: &Source, lexed: &Lexed, up: usize, problems: &mut Vec<Problem>) {
    if lexed.tokens.first().is_some_and(|token| token.start() < up) {
        return;
    }
    let mut at = 0;
    for line in source.text[..up].split_inclusive('\n') {
        let text = line.trim_start_matches([' ', '\t', '\n', '\x0c', '\r']);
        if !text.is_empty() && !text.starts_with("--") {
            let message = "dbmate refuses this line above `-- migrate:up`";
            let help = "write comments above the marker with `--`";
            let offset = at + (line.len() - text.len());
            problems.push(source.problem(Code::DbmateTextBeforeUp, offset, message, help));
            return;
        }
        at += line.len();
    }
}

/// Runs the statements of a block as dbmate would.
pub(crate) fn check_block(
    source: &Source,
    part: &Part,
    statements: &[Words<'_>],
    procedures: &Procedures,
    problems: &mut Vec<Problem>,
) {
    if part.options.transaction {
        check_role(source, statements, problems);
        return;
    }
    // A message of several statements is a transaction to the server.
    if statements.len() < 2 {
        return;
    }
    let slots_detached = detaches_slots(statements);
    for words in statements {
        let Some(name) = no_transaction(words, slots_detached).or_else(|| may_commit(words, procedures)) else {
            continue;
        };
        let message =
            format!("dbmate sends this block as one message, in which `{name}` fails beside other statements");
        let help = "put it into a migration of its own";
        problems.push(source.problem(Code::DbmateOneMessage, words.start(), message, help));
        return;
    }
}

fn may_commit(words: &Words<'_>, procedures: &Procedures) -> Option<&'static str> {
    if words.is(0, "call") {
        procedures.may_commit(words).then_some("CALL")
    } else {
        (words.is(0, "do") && ends_transaction(words)).then_some("DO with a COMMIT")
    }
}

/// dbmate records the version in the migration's transaction, as whoever the migration has become.
fn check_role(source: &Source, statements: &[Words<'_>], problems: &mut Vec<Problem>) {
    let Some(last) = statements.iter().rposition(|words| role(words).is_some()) else { return };
    if statements[last..].iter().any(is_role_back) {
        return;
    }
    let name = role(&statements[last]).unwrap_or_default();
    let message = format!("after this `{name}` dbmate records the migration as that role");
    let help = "end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`";
    problems.push(source.problem(Code::DbmateRole, statements[last].start(), message, help));
}

/// dbmate sorts by file name as text, so that `10_x` comes before `9_y`. `names` ascend by number; the first pair that
/// dbmate would turn round is reported.
pub(crate) fn check_order(names: &[(&Name, &str)], problems: &mut Vec<Problem>) {
    // A version that is used twice is an error of its own, and the order follows from its cure.
    if names.windows(2).any(|pair| pair[0].0.number == pair[1].0.number) {
        return;
    }
    let base = |file: &str| file.rsplit('/').next().unwrap_or_default().to_owned();
    let turned = names.windows(2).find(|pair| base(pair[0].1) > base(pair[1].1));
    let Some([(name, earlier), (_, later)]) = turned else { return };
    let message = format!("dbmate applies `{}` before `{}`: it sorts file names as text", base(later), base(earlier));
    let width = names.iter().map(|(name, _)| name.version.len()).max().unwrap_or_default();
    let help = format!(
        "give all versions that have not been applied anywhere {width} digits: rename `{}` to `{:0width$}_{}.sql`",
        base(earlier),
        name.number,
        name.name
    );
    problems.push(Problem::whole(Code::DbmateOrder, later, message, help));
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::read::document;
    use crate::read::names;
    use migrator_sql::{lex, split};

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let source = Source::new("db/migrations/001_x.sql", text);
        let lexed = lex(text);
        let mut problems = Vec::new();
        let parts = document::read(&source, &lexed, &mut problems);
        check_text(&source, &lexed, &parts, &mut problems);
        for part in &parts {
            check_block(&source, part, &split(text, lexed.within(&part.range)), &Procedures::default(), &mut problems);
        }
        expect.assert_eq(&problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_marker_inside_text_is_one_to_dbmate() {
        check(
            "-- migrate:up\nSELECT '\n-- migrate:down\n';\n/*\n--\tmigrate:up x\n*/\n-- migrate:down\n",
            expect![[r#"
            db/migrations/001_x.sql:3:1: dbmate takes this `-- migrate:down` inside other text for a marker [M050]; help: change the text so that no line starts with it, for instance by indenting it
            db/migrations/001_x.sql:6:1: dbmate takes this `-- migrate:up` inside other text for a marker [M050]; help: change the text so that no line starts with it, for instance by indenting it"#]],
        );
        check("-- migrate:up\nSELECT '\n -- migrate:down\n-- migrate:downs\n';\n-- migrate:down\n", expect![""]);
        check(
            "-- migrate:up\nSELECT $$\n--\n\nmigrate:down $$;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate takes this `-- migrate:down` inside other text for a marker [M050]; help: change the text so that no line starts with it, for instance by indenting it"#]],
        );
    }

    #[test]
    fn a_block_comment_above_the_up_marker_is_text_to_dbmate() {
        check(
            "-- a\n  /* b */\n-- migrate:up\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:3: dbmate refuses this line above `-- migrate:up` [M051]; help: write comments above the marker with `--`"#]],
        );
        check("-- a\n\n\t-- b\n-- migrate:up\n-- migrate:down\n", expect![""]);
    }

    #[test]
    fn a_concurrent_statement_stands_alone_for_dbmate() {
        check(
            "-- migrate:up transaction:false\nSET x = 1;\nCREATE INDEX CONCURRENTLY i ON t (a);\n\
             -- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate sends this block as one message, in which `CREATE INDEX CONCURRENTLY` fails beside other statements [M053]; help: put it into a migration of its own"#]],
        );
        check(
            "-- migrate:up transaction:false\nCALL p();\nCALL q();\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:1: dbmate sends this block as one message, in which `CALL` fails beside other statements [M053]; help: put it into a migration of its own"#]],
        );
        check(
            "-- migrate:up transaction:false\na;\nDO $$BEGIN COMMIT; END$$;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate sends this block as one message, in which `DO with a COMMIT` fails beside other statements [M053]; help: put it into a migration of its own"#]],
        );
        check("-- migrate:up transaction:false\nBEGIN;\na;\nCOMMIT;\nb;\n-- migrate:down\n", expect![""]);
    }

    #[test]
    fn a_role_is_given_back_for_dbmate() {
        check(
            "-- migrate:up\nSET LOCAL ROLE x;\na;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:1: after this `SET ROLE` dbmate records the migration as that role [M055]; help: end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`"#]],
        );
        check("-- migrate:up\nSET ROLE x;\na;\nRESET ROLE;\n-- migrate:down\n", expect![""]);
    }

    #[test]
    fn file_names_are_text_to_dbmate() {
        let order = |files: &[&str]| {
            let names: Vec<(Name, String)> = files
                .iter()
                .map(|file| (names::migration(file, file).unwrap(), format!("db/migrations/{file}")))
                .collect();
            let names: Vec<(&Name, &str)> = names.iter().map(|(name, file)| (name, file.as_str())).collect();
            let mut problems = Vec::new();
            check_order(&names, &mut problems);
            problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
        };
        expect!["db/migrations/10_c.sql: dbmate applies `10_c.sql` before `9_b.sql`: it sorts file names as text [M054]; help: give all versions that have not been applied anywhere 3 digits: rename `9_b.sql` to `009_b.sql`"].assert_eq(&order(&["8_a.sql", "9_b.sql", "10_c.sql", "100_d.sql"]));
        expect![""].assert_eq(&order(&["01_a.sql", "02_b.sql", "10_c.sql"]));
    }
}
