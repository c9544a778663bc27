//! M050: text inside a literal or a block comment that dbmate reads as a marker: it finds markers by regular expressions.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::dbmate("M050", "dbmate: marker inside text"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let (source, lexed) = (file.source, file.lexed);
    if !file.is_migration() || lexed.unterminated.is_some() {
        return;
    }
    let line_starts = std::iter::once(0).chain(source.text.match_indices("\n--").map(|(at, _)| at + 1));
    for at in line_starts {
        let Some(direction) = marker(&source.text[at..]) else { continue };
        // Markers and misspelled markers are line comments; other rules check those.
        let ours = lexed.comments.binary_search_by_key(&at, |comment| comment.range.start);
        if ours.is_ok_and(|index| !lexed.comments[index].block) {
            continue;
        }
        let message = format!("dbmate reads this `{}` inside other text as a marker", direction.marker());
        let help = "change the text so that no line starts with it, for example by indenting it";
        problems.push(source.problem(RULE.code, at, message, help));
    }
}

/// The marker that dbmate finds at the start of a text: `^--\s*migrate:(up|down)(\s*$|\s+\S+)`.
fn marker(text: &str) -> Option<Direction> {
    let space = [' ', '\t', '\n', '\x0c', '\r'];
    let word = text.strip_prefix("--")?.trim_start_matches(space);
    let found = [(Direction::Up, "migrate:up"), (Direction::Down, "migrate:down")];
    let (direction, rest) =
        found.into_iter().find_map(|(direction, name)| Some((direction, word.strip_prefix(name)?)))?;
    (rest.is_empty() || rest.starts_with(space)).then_some(direction)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn a_marker_inside_text_is_one_to_dbmate() {
        migration(
            RULE,
            "-- migrate:up\nSELECT '\n-- migrate:down\n';\n/*\n--\tmigrate:up x\n*/\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate reads this `-- migrate:down` inside other text as a marker [M050]; help: change the text so that no line starts with it, for example by indenting it
                db/migrations/001_x.sql:6:1: dbmate reads this `-- migrate:up` inside other text as a marker [M050]; help: change the text so that no line starts with it, for example by indenting it"#]],
        );
        migration(
            RULE,
            "-- migrate:up\nSELECT '\n -- migrate:down\n-- migrate:downs\n';\n-- migrate:down\n",
            expect![""],
        );
        migration(
            RULE,
            "-- migrate:up\nSELECT $$\n--\n\nmigrate:down $$;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:3:1: dbmate reads this `-- migrate:down` inside other text as a marker [M050]; help: change the text so that no line starts with it, for example by indenting it"#]],
        );
    }
}
