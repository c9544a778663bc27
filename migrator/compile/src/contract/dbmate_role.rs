//! M055: a role that the migration does not reset: dbmate records the version in the migration's transaction, as that role.

use migrator_sql::{is_role_back, role};

use crate::code::Meaning;
use crate::file::File;
use crate::problem::Problem;
use crate::rule::Rule;

pub(crate) const RULE: Rule = Rule::file(&Meaning::dbmate("M055", "dbmate: role not reset"), check);

fn check(file: &File<'_>, problems: &mut Vec<Problem>) {
    for block in file.blocks.iter().filter(|block| file.is_migration() && block.options.transaction) {
        let Some(last) = block.statements.iter().rposition(|words| role(words).is_some()) else { continue };
        if block.statements[last..].iter().any(is_role_back) {
            continue;
        }
        let name = role(&block.statements[last]).unwrap_or_default();
        let message = format!("after this `{name}`, dbmate records the migration as that role");
        let help = "end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`";
        problems.push(file.source.problem(RULE.code, block.statements[last].start(), message, help));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::RULE;
    use crate::testing::migration;

    #[test]
    fn a_role_is_given_back_for_dbmate() {
        migration(
            RULE,
            "-- migrate:up\nSET LOCAL ROLE x;\na;\n-- migrate:down\n",
            expect![[r#"
                db/migrations/001_x.sql:2:1: after this `SET ROLE`, dbmate records the migration as that role [M055]; help: end the block with `RESET ROLE` or `RESET SESSION AUTHORIZATION`"#]],
        );
        migration(RULE, "-- migrate:up\nSET ROLE x;\na;\nRESET ROLE;\n-- migrate:down\n", expect![""]);
    }
}
