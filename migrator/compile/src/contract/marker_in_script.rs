//! M016: a marker in a repeatable, a seed or a check.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M016", "marker outside `migrations/`"));

pub(crate) fn problem(source: &Source, at: usize) -> Problem {
    let help = "remove it, or move the file to `migrations/` and give it a version";
    source.problem(RULE.code, at, "marker outside `migrations/`", help)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder;
    use crate::testing::script;

    #[test]
    fn refuses_markers() {
        script(
            RULE,
            Folder::Repeatable,
            "-- migrate:up\nSELECT 1;\n-- Migrate:down",
            expect![[r#"
            db/repeatable/x.sql:1:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version
            db/repeatable/x.sql:3:1: marker outside `migrations/` [M016]; help: remove it, or move the file to `migrations/` and give it a version"#]],
        );
    }
}
