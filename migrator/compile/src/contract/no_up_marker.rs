//! M010: a migration without `-- migrate:up`.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M010", "missing up marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.is_migration() && file.lacks(Direction::Up) {
        let help = "add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them";
        problems.push(Problem::whole(RULE.code, &file.source.file, "missing `-- migrate:up`", help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn refuses_a_file_without_an_up_marker() {
        migration(
            RULE,
            "SELECT 1;\n",
            expect![[r#"
                db/migrations/001_x.sql: missing `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them"#]],
        );
        migration(
            RULE,
            "-- migrate:down\nSELECT 1;\n",
            expect![[r#"
                db/migrations/001_x.sql: missing `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that undo them"#]],
        );
    }

    #[test]
    fn a_misspelled_one_is_not_missing() {
        migration(RULE, "-- Migrate:Up\n-- migrate:down\n", expect![""]);
    }
}
