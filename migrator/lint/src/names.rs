//! The names of the rules, and what is said about a name that no rule has.

use migrator_diagnostic::nearest;

use crate::rules::MODULES;

/// A rule that there was: settings and comments that name it are old, not wrong.
const RETIRED: &[&str] = &["require-enum-value-ordering"];

/// What `-- migrate:allow` may name beside the rules: a migration that breaks queries of the running release. No rule finds that, a server
/// does.
pub const BREAKS_RELEASE: &str = "breaks-release";

/// The names of all rules, in alphabetical order.
pub fn names() -> impl Iterator<Item = String> {
    MODULES.iter().map(|module| module.replace('_', "-"))
}

/// True if there is a rule of this name.
pub fn is_rule(name: &str) -> bool {
    names().any(|known| known == name)
}

/// True for the name of a rule that there is no longer.
pub fn is_retired(name: &str) -> bool {
    RETIRED.contains(&name)
}

/// The way out for a name that no rule has.
pub fn help_for_unknown(name: &str) -> String {
    let known: Vec<String> = names().collect();
    match nearest(name, known.iter().map(String::as_str)) {
        Some(rule) => format!("did you mean `{rule}`?"),
        None => "the list of hazards has the names of the rules, and `cargo xtask check` shows those that it finds"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_by_its_whole_name() {
        assert!(is_rule("ban-drop-table") && !is_rule("ban-drop") && !is_rule("ban_drop_table"));
        assert!(is_retired("require-enum-value-ordering") && !is_rule("require-enum-value-ordering"));
        assert_eq!(help_for_unknown("ban-drop-tabel"), "did you mean `ban-drop-table`?");
    }
}
