//! File names: versions of migrations, names of scripts.

use crate::problem::{Code, Problem};

/// What a migration's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) version: String,
    pub(crate) number: i64,
    pub(crate) name: String,
}

/// Reads the file name of a migration: digits, an underscore, a name, `.sql`.
pub(crate) fn migration(path: &str, file_name: &str) -> Result<Name, Problem> {
    let digits = file_name.len() - file_name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (version, rest) = file_name.split_at(digits);
    let name = rest.strip_prefix('_').and_then(|rest| rest.strip_suffix(".sql")).filter(|name| is_plain(name));
    let (Some(name), false) = (name, version.is_empty()) else {
        let message = format!("`{file_name}` is not named `<version>_<name>.sql`");
        let help = match migration_suggestion(file_name) {
            Some(suggestion) => format!("rename it to `{suggestion}`"),
            None => "rename it to digits, `_`, a name of letters, digits, `_`, `.` and `-`, and `.sql`".to_owned(),
        };
        return Err(Problem::whole(Code::FileName, path, message, help));
    };
    let Ok(number) = version.parse() else {
        let message = format!("version `{version}` is too large");
        let help = format!("rename it: a version is at most {}", i64::MAX);
        return Err(Problem::whole(Code::VersionTooLarge, path, message, help));
    };
    Ok(Name { version: version.to_owned(), number, name: name.to_owned() })
}

/// Reads the file name of a repeatable, seed or check.
pub(crate) fn script(path: &str, file_name: &str) -> Result<String, Problem> {
    if let Some(name) = file_name.strip_suffix(".sql").filter(|name| is_plain(name)) {
        return Ok(name.to_owned());
    }
    let message = format!("`{file_name}` is not named `<name>.sql`");
    let stem = stem(file_name);
    let help = match plain(stem) {
        name if name.is_empty() => "rename it: letters, digits, `_`, `.` and `-`, then `.sql`".to_owned(),
        name => format!("rename it to `{name}.sql`"),
    };
    Err(Problem::whole(Code::FileName, path, message, help))
}

/// True for a file that is meant as SQL, however it is named.
pub(crate) fn is_sql(file_name: &str) -> bool {
    stem(file_name).len() < file_name.len()
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A name with every character that is not allowed as `_`.
fn plain(name: &str) -> String {
    name.trim().chars().map(|c| if is_plain(c.encode_utf8(&mut [0; 4])) { c } else { '_' }).collect()
}

fn stem(file_name: &str) -> &str {
    let length = file_name.len().saturating_sub(4);
    match file_name.get(length..) {
        Some(ending) if ending.eq_ignore_ascii_case(".sql") => &file_name[..length],
        _ => file_name,
    }
}

/// How a file would have to be called: `V1__init.sql` as `1_init.sql`.
fn migration_suggestion(file_name: &str) -> Option<String> {
    let stem = stem(file_name).trim();
    let stem = stem.strip_prefix(['V', 'v']).unwrap_or(stem);
    let rest = stem.trim_start_matches(|c: char| c.is_ascii_digit());
    let version = &stem[..stem.len() - rest.len()];
    let name = plain(rest.trim_start_matches(|c: char| !c.is_alphanumeric()));
    (!version.is_empty() && !name.is_empty()).then(|| format!("{version}_{name}.sql"))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(file_name: &str, expect: Expect) {
        let shown = match migration(&format!("db/migrations/{file_name}"), file_name) {
            Ok(name) => format!("{} {} {}", name.version, name.number, name.name),
            Err(problem) => problem.to_string(),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn reads_version_and_name() {
        check("001_init.sql", expect!["001 1 init"]);
        check("20261120140200_add.users-locale_2.sql", expect!["20261120140200 20261120140200 add.users-locale_2"]);
        check("9223372036854775807_x.sql", expect!["9223372036854775807 9223372036854775807 x"]);
    }

    #[test]
    fn refuses_other_names_and_says_how_to_rename() {
        check(
            "001_init.SQL",
            expect![
                "db/migrations/001_init.SQL: `001_init.SQL` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`"
            ],
        );
        check(
            "V1__init.sql",
            expect![
                "db/migrations/V1__init.sql: `V1__init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `1_init.sql`"
            ],
        );
        check(
            "001-init.sql",
            expect![
                "db/migrations/001-init.sql: `001-init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`"
            ],
        );
        check(
            "001 add users.sql",
            expect![
                "db/migrations/001 add users.sql: `001 add users.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_add_users.sql`"
            ],
        );
        check(
            "001_größe.sql",
            expect![
                "db/migrations/001_größe.sql: `001_größe.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_gr__e.sql`"
            ],
        );
        check(
            "001.sql",
            expect![
                "db/migrations/001.sql: `001.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to digits, `_`, a name of letters, digits, `_`, `.` and `-`, and `.sql`"
            ],
        );
        check(
            "001_.sql",
            expect![
                "db/migrations/001_.sql: `001_.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to digits, `_`, a name of letters, digits, `_`, `.` and `-`, and `.sql`"
            ],
        );
        check(
            "init.sql",
            expect![
                "db/migrations/init.sql: `init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to digits, `_`, a name of letters, digits, `_`, `.` and `-`, and `.sql`"
            ],
        );
        check(
            "٣_x.sql",
            expect![
                "db/migrations/٣_x.sql: `٣_x.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to digits, `_`, a name of letters, digits, `_`, `.` and `-`, and `.sql`"
            ],
        );
    }

    #[test]
    fn refuses_a_version_that_is_no_i64() {
        check(
            "9223372036854775808_x.sql",
            expect![
                "db/migrations/9223372036854775808_x.sql: version `9223372036854775808` is too large [M005]; help: rename it: a version is at most 9223372036854775807"
            ],
        );
    }

    #[test]
    fn scripts_have_plain_names() {
        assert_eq!(script("db/seeds/test.sql", "test.sql"), Ok("test".to_owned()));
        expect![
            "db/seeds/my test.SQL: `my test.SQL` is not named `<name>.sql` [M003]; help: rename it to `my_test.sql`"
        ]
        .assert_eq(&script("db/seeds/my test.SQL", "my test.SQL").unwrap_err().to_string());
        expect!["db/seeds/.sql: `.sql` is not named `<name>.sql` [M003]; help: rename it: letters, digits, `_`, `.` and `-`, then `.sql`"].assert_eq(&script("db/seeds/.sql", ".sql").unwrap_err().to_string());
    }
}
