//! M003: a file name without a version or a name.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M003", "invalid file name"));

/// A migration that is not named `<version>_<name>.sql`.
pub(crate) fn of_migration(path: &str, file_name: &str) -> Problem {
    let message = format!("`{file_name}` is not named `<version>_<name>.sql`");
    Problem::whole(RULE.code, path, message, rename(file_name))
}

/// A script that is not named `<name>.sql`.
pub(crate) fn of_script(path: &str, file_name: &str) -> Problem {
    let message = format!("`{file_name}` is not named `<name>.sql`");
    let help = match plain(stem(file_name)) {
        name if name.is_empty() => {
            "rename it to `<name>.sql`, with a name of letters, digits, `_`, `.` and `-`".to_owned()
        }
        name => format!("rename it to `{name}.sql`"),
    };
    Problem::whole(RULE.code, path, message, help)
}

/// A name with a control character, shown with escapes in `label`.
pub(crate) fn control_character(label: &str) -> Problem {
    let message = format!("the name of `{label}` contains a control character");
    Problem::whole(RULE.code, label, message, "rename it: the name can be mistaken for another")
}

/// True for a name of letters, digits, `_`, `.` and `-`.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A name with every character that is not allowed as `_`.
fn plain(name: &str) -> String {
    name.trim().chars().map(|c| if is_plain(c.encode_utf8(&mut [0; 4])) { c } else { '_' }).collect()
}

/// A file name without its `.sql`, in any case.
pub(crate) fn stem(file_name: &str) -> &str {
    let length = file_name.len().saturating_sub(4);
    match file_name.get(length..) {
        Some(ending) if ending.eq_ignore_ascii_case(".sql") => &file_name[..length],
        _ => file_name,
    }
}

/// How to rename a file: `V1__init.sql` to `1_init.sql`.
fn rename(file_name: &str) -> String {
    let stem = stem(file_name).trim();
    let stem = stem.strip_prefix(['V', 'v']).filter(|rest| rest.starts_with(is_digit)).unwrap_or(stem);
    let rest = stem.trim_start_matches(is_digit);
    let version: String = stem[..stem.len() - rest.len()].chars().filter_map(digit).collect();
    let name = plain(rest.trim_start_matches(|c: char| !c.is_alphanumeric()));
    let direction = rest.eq_ignore_ascii_case(".up") || rest.eq_ignore_ascii_case(".down");
    match (version.is_empty(), name.is_empty()) {
        (false, false) if direction => {
            format!("put both directions into one file, `{version}_<name>.sql`, each after its marker")
        }
        (false, false) => format!("rename it to `{version}_{name}.sql`"),
        (false, true) => format!("add a name: `{version}_<name>.sql`"),
        (true, false) => format!("prefix it with the next version: `<version>_{name}.sql`"),
        (true, true) => {
            "rename it to `<version>_<name>.sql`, with a name of letters, digits, `_`, `.` and `-`".to_owned()
        }
    }
}

fn is_digit(c: char) -> bool {
    digit(c).is_some()
}

/// The ASCII digit for a decimal digit of a common script.
fn digit(c: char) -> Option<char> {
    const ZEROS: [char; 13] = [
        '0', '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{BE6}', '\u{C66}',
        '\u{E50}', '\u{1040}', '\u{FF10}',
    ];
    let value = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    ZEROS.iter().find_map(value).and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::read::names::script;
    use crate::testing::check_names;

    #[test]
    fn refuses_other_names_and_says_how_to_rename() {
        check_names(
            &[
                "001_init.SQL",
                "001_init.Sql",
                "V1__init.sql",
                "v2.1__add_notes.sql",
                "U1__undo.sql",
                "001-init.sql",
                "001 add users.sql",
                " 001_init.sql",
                "001_größe.sql",
                "001.sql",
                "001_.sql",
                "1.up.sql",
                "1.down.sql",
                "init.sql",
                "٣_x.sql",
                "１２_x.sql",
                "1²_x.sql",
                "-1_x.sql",
                "+1_x.sql",
                "0x1_a.sql",
                "_.sql",
                ".sql",
            ],
            expect![[r#"
                001_init.SQL: `001_init.SQL` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`
                001_init.Sql: `001_init.Sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`
                V1__init.sql: `V1__init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `1_init.sql`
                v2.1__add_notes.sql: `v2.1__add_notes.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `2_1__add_notes.sql`
                U1__undo.sql: `U1__undo.sql` is not named `<version>_<name>.sql` [M003]; help: prefix it with the next version: `<version>_U1__undo.sql`
                001-init.sql: `001-init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`
                001 add users.sql: `001 add users.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_add_users.sql`
                 001_init.sql: ` 001_init.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_init.sql`
                001_größe.sql: `001_größe.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `001_gr__e.sql`
                001.sql: `001.sql` is not named `<version>_<name>.sql` [M003]; help: add a name: `001_<name>.sql`
                001_.sql: `001_.sql` is not named `<version>_<name>.sql` [M003]; help: add a name: `001_<name>.sql`
                1.up.sql: `1.up.sql` is not named `<version>_<name>.sql` [M003]; help: put both directions into one file, `1_<name>.sql`, each after its marker
                1.down.sql: `1.down.sql` is not named `<version>_<name>.sql` [M003]; help: put both directions into one file, `1_<name>.sql`, each after its marker
                init.sql: `init.sql` is not named `<version>_<name>.sql` [M003]; help: prefix it with the next version: `<version>_init.sql`
                ٣_x.sql: `٣_x.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `3_x.sql`
                １２_x.sql: `１２_x.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `12_x.sql`
                1²_x.sql: `1²_x.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `1___x.sql`
                -1_x.sql: `-1_x.sql` is not named `<version>_<name>.sql` [M003]; help: prefix it with the next version: `<version>_1_x.sql`
                +1_x.sql: `+1_x.sql` is not named `<version>_<name>.sql` [M003]; help: prefix it with the next version: `<version>_1_x.sql`
                0x1_a.sql: `0x1_a.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `0_x1_a.sql`
                _.sql: `_.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `<version>_<name>.sql`, with a name of letters, digits, `_`, `.` and `-`
                .sql: `.sql` is not named `<version>_<name>.sql` [M003]; help: rename it to `<version>_<name>.sql`, with a name of letters, digits, `_`, `.` and `-`
            "#]],
        );
    }

    #[test]
    fn scripts_have_plain_names() {
        assert_eq!(script("db/seeds/test.sql", "test.sql"), Ok("test".to_owned()));
        expect![[r#"
            db/seeds/my test.SQL: `my test.SQL` is not named `<name>.sql` [M003]; help: rename it to `my_test.sql`"#]]
        .assert_eq(&script("db/seeds/my test.SQL", "my test.SQL").unwrap_err().to_string());
        expect!["db/seeds/.sql: `.sql` is not named `<name>.sql` [M003]; help: rename it to `<name>.sql`, with a name of letters, digits, `_`, `.` and `-`"].assert_eq(&script("db/seeds/.sql", ".sql").unwrap_err().to_string());
    }
}
