//! M017: a `-- migrate:unchecked` without a reason or outside a block.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M017", "unchecked without a reason"));

pub(crate) fn without_reason(source: &Source, at: usize) -> Problem {
    let help = "say why the parser is wrong: `-- migrate:unchecked <reason>`";
    source.problem(RULE.code, at, "`-- migrate:unchecked` without a reason", help)
}

pub(crate) fn before_up(source: &Source, at: usize) -> Problem {
    let message = "`-- migrate:unchecked` comes before the up marker";
    source.problem(RULE.code, at, message, "move it into the block that it applies to")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::file::Folder;
    use crate::testing::{migration, script};

    #[test]
    fn unchecked_needs_a_reason_and_a_block() {
        migration(
            RULE,
            "-- migrate:unchecked x\n-- migrate:up\n-- migrate:unchecked\na;\n-- migrate:down\n",
            expect![[r#"
            db/migrations/001_x.sql:1:1: `-- migrate:unchecked` comes before the up marker [M017]; help: move it into the block that it applies to
            db/migrations/001_x.sql:3:1: `-- migrate:unchecked` without a reason [M017]; help: say why the parser is wrong: `-- migrate:unchecked <reason>`"#]],
        );
        script(
            RULE,
            Folder::Seeds,
            "-- migrate:unchecked\nSELECT 1",
            expect![[r#"
                db/seeds/x.sql:1:1: `-- migrate:unchecked` without a reason [M017]; help: say why the parser is wrong: `-- migrate:unchecked <reason>`"#]],
        );
    }
}
