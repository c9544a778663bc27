//! M004: a file or directory that is never read, and was most likely meant to be.

use crate::code::Meaning;
use crate::facts;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M004", "unexpected file"));

/// The known subdirectories; only `cargo xtask new` reads `templates`.
const DIRECTORIES: [&str; 7] = ["migrations", "repeatable", "seeds", "checks", "tests", "templates", "squashed"];

/// The name of the settings.
pub(crate) const SETTINGS: &str = "migrator.toml";

/// The name of the map from another tool's history.
pub(crate) const IMPORTED: &str = "imported.toml";

/// The name of the list of squashed migrations.
pub(crate) const SQUASHED: &str = "squashed.txt";

/// Checks an entry of the db directory itself. A misspelled `seed/` must not be skipped silently; unrelated names are fine.
pub(crate) fn at_root(label: &str, name: &str, is_directory: bool) -> Option<Problem> {
    let path = format!("{label}/{name}");
    if name.starts_with(facts::PREFIX) {
        return match (facts::major(name), is_directory) {
            (Some(_), true) => {
                let help = "move it away: `cargo xtask dump` writes a file of that name";
                Some(problem(&path, format!("`{path}` is a directory"), help))
            }
            (Some(_), false) => None,
            (None, _) => {
                let help =
                    format!("end the name with a major version of PostgreSQL, such as `{label}/{}15`", facts::PREFIX);
                Some(unread(&path, &help))
            }
        };
    }
    if facts::major_of_locks(name).is_some() {
        let help = "move it away: `cargo xtask dump` writes a file of that name";
        return is_directory.then(|| problem(&path, format!("`{path}` is a directory"), help));
    }
    let known = if is_directory { DIRECTORIES.as_slice() } else { &[SETTINGS, IMPORTED, SQUASHED] };
    if known.contains(&name) {
        None
    } else if DIRECTORIES.contains(&name) {
        Some(problem(&path, format!("`{path}` is not a directory"), "move the file away"))
    } else {
        let meant = nearest(name, known.iter().copied())?;
        Some(unread(&path, &format!("rename it to `{label}/{meant}`")))
    }
}

/// A directory that is named like an SQL file.
pub(crate) fn directory_named_like_a_file(path: &str) -> Problem {
    problem(path, format!("`{path}` is a directory"), "rename it, or replace it with a file")
}

/// A file in the folder `label` that is not SQL.
pub(crate) fn not_sql(label: &str, path: &str) -> Problem {
    let help = format!("move it out of `{label}`; only `*.sql`, `README.md` and dotfiles belong there");
    problem(path, format!("`{path}` is not an SQL file"), &help)
}

/// A file outside the known folders.
pub(crate) fn elsewhere(path: &str) -> Problem {
    unread(path, "move it to `migrations`, `repeatable`, `seeds`, `checks` or `tests`")
}

fn unread(path: &str, help: &str) -> Problem {
    problem(path, format!("`{path}` is never read"), help)
}

fn problem(path: &str, message: String, help: &str) -> Problem {
    Problem::whole(RULE.code, path, message, help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::check_directory;

    #[test]
    fn refuses_files_that_are_never_read() {
        check_directory(
            &[
                ("db/migrations/001_a.sql.bak", ""),
                ("db/migrations/002_b.sql/x", ""),
                ("db/seed/test.sql", ""),
                ("db/checks", ""),
                ("db/migrater.toml", ""),
                ("db/repeatable/views.txt", ""),
                ("db/schema.facts.15/x", ""),
                ("db/schema.facts.new", ""),
                ("db/locks.15/x", ""),
            ],
            expect![[r#"
                []
                Error db/checks: `db/checks` is not a directory [M004]; help: move the file away
                Error db/locks.15: `db/locks.15` is a directory [M004]; help: move it away: `cargo xtask dump` writes a file of that name
                Error db/migrater.toml: `db/migrater.toml` is never read [M004]; help: rename it to `db/migrator.toml`
                Error db/migrations/001_a.sql.bak: `db/migrations/001_a.sql.bak` is not an SQL file [M004]; help: move it out of `db/migrations`; only `*.sql`, `README.md` and dotfiles belong there
                Error db/migrations/002_b.sql: `db/migrations/002_b.sql` is a directory [M004]; help: rename it, or replace it with a file
                Error db/repeatable/views.txt: `db/repeatable/views.txt` is not an SQL file [M004]; help: move it out of `db/repeatable`; only `*.sql`, `README.md` and dotfiles belong there
                Error db/schema.facts.15: `db/schema.facts.15` is a directory [M004]; help: move it away: `cargo xtask dump` writes a file of that name
                Error db/schema.facts.new: `db/schema.facts.new` is never read [M004]; help: end the name with a major version of PostgreSQL, such as `db/schema.facts.15`
                Error db/seed: `db/seed` is never read [M004]; help: rename it to `db/seeds`"#]],
        );
    }
}
