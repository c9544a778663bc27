//! M018: an up block without a statement.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::warning("M018", "empty up block"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    // An unterminated literal may have swallowed the statements; another rule reports it.
    if file.lexed.unterminated.is_some() {
        return;
    }
    for block in &file.blocks {
        if block.direction == Some(Direction::Up) && block.statements.is_empty() {
            let help = "add statements on the lines below it, or remove the file if it has never been applied";
            let message = "no statement after `-- migrate:up`";
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
                db/migrations/001_x.sql:1:1: no statement after `-- migrate:up` [M018]; help: add statements on the lines below it, or remove the file if it has never been applied"#]],
        );
    }
}
