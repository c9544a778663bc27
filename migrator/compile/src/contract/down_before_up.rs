//! M014: a down block above the up block.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M014", "down before up"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    let Some(first) = file.blocks.first().filter(|block| block.direction == Some(Direction::Down)) else { return };
    if file.block(Direction::Up).is_some() {
        let message = "`-- migrate:down` comes before `-- migrate:up`";
        problems.push(file.source.problem(RULE.code, first.marker, message, "move the down block below the up block"));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn refuses_a_down_block_above_the_up_block() {
        migration(
            RULE,
            "-- migrate:down\nb;\n-- migrate:up\na;\n",
            expect![[r#"
            db/migrations/001_x.sql:1:1: `-- migrate:down` comes before `-- migrate:up` [M014]; help: move the down block below the up block"#]],
        );
        migration(RULE, "-- migrate:down\nb;\n", expect![""]);
    }
}
