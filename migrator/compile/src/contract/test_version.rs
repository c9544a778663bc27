//! M045: a test of a version that no migration has.

use crate::code::Meaning;
use crate::file::Name;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M045", "test without a migration"));

/// A test of the file at `path`; `versions` are those of the migrations, as they are written.
pub(crate) fn check(path: &str, name: &Name, versions: &[&str]) -> Option<Problem> {
    if versions.iter().any(|version| version.parse() == Ok(name.number)) {
        return None;
    }
    let message = format!("there is no migration `{}` to test", name.version);
    let numbers =
        versions.iter().filter_map(|version| Some((version.parse::<i64>().ok()?.abs_diff(name.number), version)));
    let help = match numbers.min() {
        Some((_, nearest)) => {
            format!("begin the file's name with the version of its migration; the nearest is `{nearest}`")
        }
        None => "write the migration first".to_owned(),
    };
    Some(Problem::whole(RULE.code, path, message, help))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::{PLAIN, check_directory};

    #[test]
    fn a_test_belongs_to_a_migration() {
        let test = "-- test:after\nSELECT 1 WHERE false;\n";
        check_directory(
            &[
                ("db/migrations/001_a.sql", PLAIN),
                ("db/migrations/020_b.sql", PLAIN),
                ("db/tests/1_same.sql", test),
                ("db/tests/001_another.sql", test),
                ("db/tests/021_c.sql", test),
                ("db/tests/7777777_d.sql", test),
                ("db/tests/x.sql", test),
                ("db/tests/README.md", "x"),
            ],
            expect![[r#"
                []
                Error db/tests/021_c.sql: there is no migration `021` to test [M045]; help: begin the file's name with the version of its migration; the nearest is `020`
                Error db/tests/7777777_d.sql: there is no migration `7777777` to test [M045]; help: begin the file's name with the version of its migration; the nearest is `020`
                Error db/tests/x.sql: `x.sql` is not named `<version>_<name>.sql` [M003]; help: prefix it with the next version: `<version>_x.sql`"#]],
        );
    }
}
