//! M042: a seed in the settings that does not exist: harmless, and most likely a typo.

use crate::code::Meaning;
use crate::nearest::nearest;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::warning("M042", "unknown seed"));

/// Checks the name at `at` in the settings against the existing `seeds`.
pub(crate) fn check(source: &Source, at: usize, seed: &str, seeds: &[&str]) -> Option<Problem> {
    if seeds.contains(&seed) {
        return None;
    }
    let help = match nearest(seed, seeds.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("add `seeds/{seed}.sql`, or remove the name"),
    };
    Some(source.problem(RULE.code, at, format!("unknown seed `{seed}`"), help))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::testing::check_settings as check;

    #[test]
    fn warns_about_a_seed_that_does_not_exist() {
        check(
            "[environments.p]\nseeds = [\"prodction\", \"other\", \"test\"]",
            expect![[r#"
                db/migrator.toml:2:10: unknown seed `prodction` [M042]; help: did you mean `production`?
                db/migrator.toml:2:23: unknown seed `other` [M042]; help: add `seeds/other.sql`, or remove the name"#]],
        );
    }
}
