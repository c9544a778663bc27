//! M052: a migration without `-- migrate:down`, which dbmate rejects.

use migrator_model::Direction;

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::dbmate("M052", "dbmate: missing down marker"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    // An unterminated literal may have swallowed it, also in the data after a COPY.
    let hidden = file.lexed.unterminated.is_some() || file.data.is_some();
    if !file.is_migration() || hidden || file.lacks(Direction::Up) || !file.lacks(Direction::Down) {
        return;
    }
    let help = "add `-- migrate:down`; an empty down block says that the migration cannot be rolled back";
    let message = "missing `-- migrate:down`: dbmate rejects the file";
    problems.push(Problem::whole(RULE.code, &file.source.file, message, help));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn a_missing_down_marker_is_a_warning() {
        migration(
            RULE,
            "-- migrate:up\na;\n",
            expect![[r#"
            db/migrations/001_x.sql: missing `-- migrate:down`: dbmate rejects the file [M052]; help: add `-- migrate:down`; an empty down block says that the migration cannot be rolled back"#]],
        );
        migration(RULE, "-- migrate:up\na;\n-- migrate: down\nb;\n", expect![""]);
    }
}
