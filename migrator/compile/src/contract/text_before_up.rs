//! M011: SQL above `-- migrate:up`.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M011", "text before the up marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    // If a down block is above it, the order is reported instead.
    let Some(up) = file.blocks.first().filter(|block| block.direction == Some(Direction::Up)) else { return };
    if let Some(token) = file.lexed.tokens.first().filter(|token| token.start() < up.marker) {
        let message = "found SQL before `-- migrate:up`";
        let help = "move it below the marker: only empty lines and comments may come before it";
        problems.push(file.source.problem(RULE.code, token.start(), message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn refuses_text_before_the_up_marker() {
        migration(
            RULE,
            "-- x\nSELECT 1;\n-- migrate:up\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:1: found SQL before `-- migrate:up` [M011]; help: move it below the marker: only empty lines and comments may come before it"#]],
        );
        migration(RULE, "-- x\n\n/* y */\n-- migrate:up\n-- migrate:down\n", expect![""]);
    }
}
