//! M018: an up block without a statement.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::warning("M018", "nothing to apply"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    // What has no end may have swallowed the statements; that is reported.
    if file.lexed.unterminated.is_some() {
        return;
    }
    for block in &file.blocks {
        if block.direction == Some(Direction::Up) && block.statements.is_empty() {
            let help =
                "write it below the marker, from the next line on; or remove the file if it has never been applied";
            let message = "there is no statement behind `-- migrate:up`";
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
    fn warns_about_an_empty_up_block() {
        migration(
            RULE,
            "-- migrate:up\n-- later\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:1:1: there is no statement behind `-- migrate:up` [M018]; help: write it below the marker, from the next line on; or remove the file if it has never been applied"#]],
        );
    }
}
