//! M010: a migration without `-- migrate:up`.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::error("M010", "no up marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    if file.is_migration() && file.lacks(Direction::Up) {
        let help = "add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back";
        problems.push(Problem::whole(RULE.code, &file.source.file, "there is no `-- migrate:up`", help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn refuses_a_file_without_an_up_marker() {
        for text in ["SELECT 1;\n", "-- migrate:down\nSELECT 1;\n"] {
            migration(
                RULE,
                text,
                expect![[r#"
                    db/migrations/001_x.sql: there is no `-- migrate:up` [M010]; help: add `-- migrate:up` above the statements, and `-- migrate:down` above those that take them back"#]],
            );
        }
    }

    #[test]
    fn a_misspelt_one_is_not_missing() {
        migration(RULE, "-- Migrate:Up\n-- migrate:down\n", expect![""]);
    }
}
