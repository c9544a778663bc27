//! File names: versions of migrations, names of scripts.

use crate::contract::{file_name, version_too_large};
use crate::file::Name;
use crate::problem::Problem;

/// Reads the file name of a migration: digits, an underscore, a name, `.sql`.
pub(crate) fn migration(path: &str, file: &str) -> Result<Name, Problem> {
    let digits = file.len() - file.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (version, rest) = file.split_at(digits);
    let name = rest.strip_prefix('_').and_then(|rest| rest.strip_suffix(".sql"));
    let (Some(name), false) = (name.filter(|name| file_name::is_plain(name)), version.is_empty()) else {
        return Err(file_name::of_migration(path, file));
    };
    let number = version.parse().map_err(|_| version_too_large::problem(path, version, name))?;
    Ok(Name { version: version.to_owned(), number, name: name.to_owned() })
}

/// Reads the file name of a repeatable, seed or check.
pub(crate) fn script(path: &str, file: &str) -> Result<String, Problem> {
    match file.strip_suffix(".sql").filter(|name| file_name::is_plain(name)) {
        Some(name) => Ok(name.to_owned()),
        None => Err(file_name::of_script(path, file)),
    }
}

/// True for a name that ends in `.sql`, in any case.
pub(crate) fn is_sql(file_name: &str) -> bool {
    file_name::stem(file_name).len() < file_name.len()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::check_names;

    #[test]
    fn reads_version_and_name() {
        check_names(
            &["001_init.sql", "20261120140200_add.users-locale_2.sql", "9223372036854775807_x.sql", "1_init.up.sql"],
            expect![[r#"
                001 1 init
                20261120140200 20261120140200 add.users-locale_2
                9223372036854775807 9223372036854775807 x
                1 1 init.up
            "#]],
        );
    }
}
