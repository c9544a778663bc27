//! M005: a version that is not a 64-bit number.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M005", "version too large"));

/// The version of a migration; `name` is what follows it in the file's name.
pub(crate) fn problem(path: &str, version: &str, name: &str) -> Problem {
    let message = format!("version `{version}` is too large");
    // Most likely a time with fractions of a second; its first fourteen digits are enough.
    let help =
        format!("rename it, for example to `{}_{name}.sql`; the largest version is {}", &version[..14], i64::MAX);
    Problem::whole(RULE.code, path, message, help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::check_names;

    #[test]
    fn refuses_a_version_that_is_not_an_i64() {
        check_names(
            &[
                "9223372036854775808_x.sql",
                "20261120140200123456789_nanoseconds.sql",
                "00000000000000000000000001_x.sql",
            ],
            expect![[r#"
                9223372036854775808_x.sql: version `9223372036854775808` is too large [M005]; help: rename it, for example to `92233720368547_x.sql`; the largest version is 9223372036854775807
                20261120140200123456789_nanoseconds.sql: version `20261120140200123456789` is too large [M005]; help: rename it, for example to `20261120140200_nanoseconds.sql`; the largest version is 9223372036854775807
                00000000000000000000000001 1 x
            "#]],
        );
    }
}
