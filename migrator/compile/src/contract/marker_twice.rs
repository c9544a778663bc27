//! M013: a second marker of the same direction.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M013", "duplicate marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.block(Direction::Up).is_none() {
        return;
    }
    for direction in [Direction::Up, Direction::Down] {
        let mut same = file.blocks.iter().filter(|block| block.direction == Some(direction));
        let Some(first) = same.next() else { continue };
        let (line, _) = file.source.position(first.marker);
        for block in same {
            let message = format!("duplicate `{}`; the first is on line {line}", direction.marker());
            let help = "move the statements below the first one, or create another migration";
            problems.push(file.source.problem(RULE.code, block.marker, message, help));
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn refuses_a_marker_that_is_there_already() {
        migration(
            RULE,
            "-- migrate:up\na;\n-- migrate:up\nb;\n-- migrate:down\n-- migrate:down\nc;",
            expect![[r#"
                db/migrations/001_x.sql:3:1: duplicate `-- migrate:up`; the first is on line 1 [M013]; help: move the statements below the first one, or create another migration
                db/migrations/001_x.sql:6:1: duplicate `-- migrate:down`; the first is on line 5 [M013]; help: move the statements below the first one, or create another migration"#]],
        );
    }
}
