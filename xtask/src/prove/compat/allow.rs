//! What may break: queries that `[release] allow` names, and all that a migration breaks that says so.

use std::collections::BTreeMap;

use migrator_engine::embedded::Embedded;
use migrator_engine::facts::matches;
use migrator_lint::{BREAKS_RELEASE, allowed};
use migrator_sql::lex;

use super::query::Query;

/// The permissions of a db directory.
#[derive(Debug)]
pub(super) struct Allowed {
    patterns: Vec<String>,
    /// By the label of the migration: the reason.
    migrations: BTreeMap<String, String>,
}

impl Allowed {
    pub(super) fn of(embedded: &Embedded) -> Allowed {
        let patterns = embedded.settings.release_allow.iter().map(|pattern| pattern.to_string()).collect();
        let migration = |migration: &migrator_model::Migration| Some((migration.label(), reason(&migration.text)?));
        Allowed { patterns, migrations: embedded.migrations.iter().filter_map(migration).collect() }
    }

    /// Why this may break; `None`: it may not.
    pub(super) fn reason(&self, query: Option<&Query>, by: Option<&str>) -> Option<String> {
        if let Some(reason) = by.and_then(|label| self.migrations.get(label)) {
            return Some(reason.clone());
        }
        let query = query?;
        let is_meant = |pattern: &&String| {
            query.name.as_ref() == Some(pattern) || query.places.iter().any(|place| matches(pattern, &place.file))
        };
        self.patterns.iter().find(is_meant).map(|pattern| format!("`{pattern}` is in [release] allow"))
    }
}

/// The reason of the first `-- migrate:allow breaks-release <reason>` in a migration.
fn reason(text: &str) -> Option<String> {
    if !text.contains(BREAKS_RELEASE) {
        return None;
    }
    let of_comment = |comment: &migrator_sql::Comment| {
        let rest = allowed(&text[comment.range.clone()])?.strip_prefix(BREAKS_RELEASE)?;
        rest.starts_with([' ', '\t']).then(|| rest.trim().to_owned())
    };
    lex(text).comments.iter().filter(|comment| !comment.block).find_map(of_comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_says_why_it_breaks_the_release() {
        let text = "-- migrate:up\n-- migrate:allow breaks-release no instance of it is left\nDROP TABLE t;\n";
        assert_eq!(reason(text).as_deref(), Some("no instance of it is left"));
        assert_eq!(reason("-- migrate:allow breaks-releases x\n"), None);
        assert_eq!(reason("/* migrate:allow breaks-release x */ SELECT '-- migrate:allow breaks-release x';"), None);
    }
}
