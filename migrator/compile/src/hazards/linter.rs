//! The rules that `squawk-linter` has. The only module that touches it: it promises no stability.

use squawk_linter::{Linter, Rule};

use migrator_sql::parse;

/// Those whose findings we pass on; many others are a matter of taste, or see what the runner sees to by itself.
const RULES: &[Rule] = &[
    Rule::RequireConcurrentIndexCreation,
    Rule::RequireConcurrentIndexDeletion,
    Rule::RequireConcurrentReindex,
    Rule::AddingForeignKeyConstraint,
    Rule::ConstraintMissingNotValid,
    Rule::DisallowedUniqueConstraint,
    Rule::AddingSerialPrimaryKeyField,
    Rule::AddingRequiredField,
    Rule::AddingFieldWithDefault,
    Rule::ChangingColumnType,
    Rule::BanDropColumn,
    Rule::BanDropTable,
    Rule::BanDropSchema,
    Rule::RenamingColumn,
    Rule::RenamingTable,
    Rule::RenamingObject,
    Rule::BanSetSchema,
    Rule::BanDropConstraint,
    Rule::BanDropNotNull,
    Rule::BanDropDefault,
    Rule::BanDropView,
    Rule::BanDropFunction,
    Rule::BanDropType,
    Rule::BanDropDomain,
    Rule::BanDropSequence,
    Rule::BanDropExtension,
    Rule::BanDropTrigger,
    Rule::BanDisableTrigger,
    Rule::BanDropPolicy,
    Rule::BanAlterRowLevelSecurity,
    Rule::BanRevoke,
    Rule::RequireConcurrentPartitionDetach,
    Rule::BanCreateDomainWithConstraint,
    Rule::BanAlterDomainWithAddConstraint,
    Rule::IdentifierTooLong,
    Rule::PreferBigintOverInt,
    Rule::PreferIdentity,
    Rule::PreferTimestampTz,
    Rule::BanCharField,
];

/// The byte and the rule of everything that is found in a text without comments.
pub(crate) fn lint(text: &str) -> Vec<(usize, String)> {
    // A linter keeps what it has found: every text has its own.
    let mut linter = Linter::from(RULES.iter().copied());
    linter.settings.assume_in_transaction = true;
    let found = linter.lint(&parse::tree(text), text);
    found.iter().map(|found| (usize::from(found.text_range.start()), found.code.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hazards::table;

    #[test]
    fn every_rule_of_the_linter_is_in_the_table() {
        for rule in RULES {
            assert!(table::find(&rule.to_string()).is_some(), "{rule}");
        }
    }

    #[test]
    fn says_where_and_what() {
        assert_eq!(lint("SELECT 1;\nDROP TABLE t;"), [(10, "ban-drop-table".to_owned())]);
    }
}
