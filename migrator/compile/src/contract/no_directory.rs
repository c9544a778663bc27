//! M001: the directory, or its `migrations/`, does not exist.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M001", "missing directory"));

/// The directory that was given.
pub(crate) fn given(label: &str) -> Problem {
    problem(label, "create it, or fix the path")
}

/// Its `migrations/`.
pub(crate) fn migrations(label: &str) -> Problem {
    problem(label, "create it, or run `cargo xtask new init`")
}

fn problem(label: &str, help: &str) -> Problem {
    Problem::whole(RULE.code, label, format!("directory `{label}` does not exist"), help)
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
                Error db: directory `db` does not exist [M001]; help: create it, or fix the path"#]],
        );
        check_directory(
            &[("db/seeds/test.sql", "SELECT 1;")],
            expect![[r#"
                []
                Error db/migrations: directory `db/migrations` does not exist [M001]; help: create it, or run `cargo xtask new init`"#]],
        );
        check_directory(&[("db/migrations/README.md", "")], expect!["[]"]);
    }
}
