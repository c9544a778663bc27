//! Whose history a table is, by its name and its columns.

use super::tools::{ForeignHistory, TOOLS};
use crate::embedded::Tool;

/// Tables of tools whose history cannot be adopted.
const OTHERS: [(&str, &str); 4] = [
    ("atlas_schema_revisions", "Atlas"),
    ("knex_migrations", "Knex"),
    ("seaql_migrations", "SeaORM"),
    ("waypoint_schema_history", "Waypoint"),
];

/// Every table's name, with its schema where that is fixed.
pub(crate) fn name_patterns() -> impl Iterator<Item = &'static str> {
    let names: std::collections::BTreeSet<&str> =
        TOOLS.iter().flat_map(|history| history.tables).copied().chain(OTHERS.map(|(table, _)| table)).collect();
    names.into_iter()
}

/// The tables in which other tools keep their histories, each with the tool's name for readers, and what they keep beside them, without
/// one. A name may have a schema in front, and be `*` there.
pub fn history_tables() -> Vec<(&'static str, Option<&'static str>)> {
    let histories =
        || TOOLS.iter().flat_map(|history| history.tables.iter().map(|table| (*table, history.tool.title())));
    // Several tools call it by the same name.
    let is_shared = |table: &str| histories().filter(|(name, _)| *name == table).count() > 1;
    let title = |(table, title)| (table, Some(if is_shared(table) { "another tool" } else { title }));
    let others = OTHERS.iter().map(|(table, title)| (*table, Some(*title)));
    let beside = TOOLS.iter().flat_map(|history| history.beside).map(|name| (*name, None));
    histories().map(title).chain(others).chain(beside).collect()
}

/// Whose history a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// That of a tool whose history can be adopted.
    Tool(Tool),
    /// That of another tool.
    Other(&'static str),
    /// Unknown.
    Unknown,
}

/// Whose history a table may be, by its name and its columns.
pub(crate) fn recognise(schema: &str, table: &str, columns: &[&str]) -> Recognised {
    let (table, qualified) = (table.to_ascii_lowercase(), format!("{schema}.{table}").to_ascii_lowercase());
    let named = |name: &str| name == table || name == qualified;
    let is_it = |history: &&ForeignHistory| history.tables.iter().any(|name| named(name)) && history.fits(columns);
    if let Some(history) = TOOLS.iter().find(is_it) {
        return Recognised::Tool(history.tool);
    }
    // A name that only one tool uses says enough, also where a later release has other columns.
    let mut by_name = TOOLS.iter().filter(|history| history.tables.iter().any(|name| named(name)));
    if let (Some(history), None) = (by_name.next(), by_name.next()) {
        return Recognised::Tool(history.tool);
    }
    match OTHERS.iter().find(|(name, _)| named(name)) {
        Some((_, tool)) => Recognised::Other(tool),
        None => Recognised::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_recognised_by_its_name_and_its_columns() {
        let tool = Recognised::Tool;
        for (schema, table, columns, expected) in [
            ("public", "schema_migrations", &["version"][..], tool(Tool::Dbmate)),
            ("public", "schema_migrations", &["version", "dirty"], tool(Tool::GolangMigrate)),
            ("supabase_migrations", "schema_migrations", &["version", "statements", "name"], tool(Tool::Supabase)),
            ("public", "schema_migrations", &["version", "inserted_at"], Recognised::Unknown),
            ("x", "schema_version", &["version"], tool(Tool::Tern)),
            (
                "x",
                "schema_version",
                &["installed_rank", "version", "description", "type", "script", "checksum", "success"],
                tool(Tool::Flyway),
            ),
            ("public", "DATABASECHANGELOG", &["id"], tool(Tool::Liquibase)),
            ("public", "schema_version", &["id"], Recognised::Unknown),
            ("atlas_schema_revisions", "atlas_schema_revisions", &["version"], Recognised::Other("Atlas")),
            ("public", "migrations", &["hash", "previous_hash", "filename"], Recognised::Unknown),
            ("graphile_migrate", "migrations", &["hash", "previous_hash", "filename"], tool(Tool::GraphileMigrate)),
        ] {
            assert_eq!(recognise(schema, table, columns), expected, "{schema}.{table} {columns:?}");
        }
    }
}
