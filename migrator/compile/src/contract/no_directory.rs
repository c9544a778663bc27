//! M001: the directory, or `migrations/` in it, does not exist.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M001", "directory missing"));

/// The directory that was given.
pub(crate) fn given(label: &str) -> Problem {
    problem(label, "create it, or correct the path that is given for it")
}

/// Its `migrations/`.
pub(crate) fn migrations(label: &str) -> Problem {
    problem(label, "create it, or start with `cargo xtask new init`")
}

fn problem(label: &str, help: &str) -> Problem {
    Problem::whole(RULE.code, label, format!("there is no directory `{label}`"), help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::check_directory;

    #[test]
    fn refuses_a_directory_without_migrations() {
        check_directory(
            &[("x", "")],
            expect![[r#"
            []
            Error db: there is no directory `db` [M001]; help: create it, or correct the path that is given for it"#]],
        );
        check_directory(
            &[("db/seeds/test.sql", "SELECT 1;")],
            expect![[r#"
            []
            Error db/migrations: there is no directory `db/migrations` [M001]; help: create it, or start with `cargo xtask new init`"#]],
        );
        check_directory(&[("db/migrations/README.md", "")], expect!["[]"]);
    }
}
