//! The mechanical safe forms, a file each, and the reasons of the hazards that have none.

mod column;
mod constraint;
mod cut;
mod default;
mod index;
mod name;
mod not_null;
mod partition;
mod refresh;
mod text;
mod unique;

use super::remedy::{Case, Outcome};

/// The form of a rule.
type Form = fn(Case<'_, '_>) -> Outcome;

/// By the rules that have one.
const FORMS: &[(&str, Form)] = &[
    ("adding-field-with-default", default::volatile),
    ("adding-foreign-key-constraint", constraint::not_valid),
    ("adding-not-nullable-field", not_null::by_check),
    ("adding-serial-primary-key-field", unique::using_index),
    ("constraint-missing-not-valid", constraint::not_valid),
    ("creating-partition-of", partition::attach),
    ("creating-trigger", cut::apart),
    ("data-while-locked", cut::rows),
    ("disallowed-unique-constraint", unique::using_index),
    ("foreign-key-in-create-table", column::without_key),
    ("refreshing-materialized-view", refresh::concurrently),
    ("require-concurrent-index-creation", index::create),
    ("require-concurrent-index-deletion", index::drop),
    ("require-concurrent-partition-detach", partition::detach),
    ("require-concurrent-reindex", index::rebuild),
    ("validate-in-same-transaction", constraint::later),
];

/// Why others have none: what is done is meant, or only a person knows what else to do.
const REASONS: &[(&str, &str)] = &[
    ("adding-exclusion-constraint", "PostgreSQL can build it neither `NOT VALID` nor `CONCURRENTLY`"),
    ("adding-required-field", "only you know which value existing rows should get"),
    ("allow", "a comment is for people to correct"),
    ("attaching-partition", "only you know the CHECK that proves the bounds"),
    ("ban-alter-domain-with-add-constraint", "a CHECK on each table instead is another schema"),
    ("ban-alter-row-level-security", "it decides who sees what"),
    ("ban-create-domain-with-constraint", "a CHECK on each table instead is another schema"),
    ("ban-disable-trigger", "only you know what the trigger is for"),
    ("ban-drop-constraint", "only you know what clients expect of it"),
    ("ban-drop-default", "only you know whether the running release relies on it"),
    ("ban-drop-not-null", "only you know whether the running release can read NULL"),
    ("ban-revoke", "only you know who needs the privilege"),
    ("ban-set-schema", "a view under the old name is another schema"),
    ("changing-column-type", "a new column that takes its place is another schema for a while"),
    ("ddl-in-do", "what a DO block executes is known only when it runs"),
    ("delete-without-where", "only you know which rows are meant"),
    ("prefer-jsonb", "another type is another schema"),
    ("renaming-column", "both names at once are another schema"),
    ("renaming-object", "both names at once are another schema"),
    ("renaming-table", "a view under the old name is another schema"),
    ("rewriting-table", "PostgreSQL has no form that does the same without the lock"),
    ("truncate-table", "batches of DELETE do not do quite the same"),
    ("update-without-where", "only you know by which key the rows can be divided"),
];

/// What to do about a hazard.
///
/// # Errors
/// Why there is no mechanical way.
pub(super) fn remedy(case: Case<'_, '_>) -> Outcome {
    let rule = case.hazard.rule;
    if let Some((_, form)) = FORMS.iter().find(|(name, _)| *name == rule) {
        return form(case);
    }
    if !case.hazard.edits.is_empty() {
        return text::of_linter(case);
    }
    Err(reason(rule).to_owned())
}

fn reason(rule: &str) -> &'static str {
    let known = REASONS.iter().find(|(name, _)| *name == rule).map(|(_, reason)| *reason);
    let dropped = rule.starts_with("ban-drop-").then_some("only you know when no release uses it any more");
    known.or(dropped).unwrap_or("it has no mechanical safe form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_form_or_a_reason() {
        // The linter has edits for them, or a reason is found with the fixture.
        const BY_EDITS: &[&str] = &[
            "ban-char-field",
            "identifier-too-long",
            "prefer-bigint-over-int",
            "prefer-identity",
            "prefer-timestamp-tz",
        ];
        for rule in migrator_lint::names() {
            let has_form = FORMS.iter().any(|(name, _)| *name == rule) || BY_EDITS.contains(&rule.as_str());
            assert_ne!(has_form, reason(&rule) != "it has no mechanical safe form", "{rule}");
        }
        let names = FORMS.iter().map(|(name, _)| name).chain(REASONS.iter().map(|(name, _)| name));
        for name in names.filter(|name| **name != "allow") {
            assert!(migrator_lint::is_rule(name), "{name}");
        }
    }
}
