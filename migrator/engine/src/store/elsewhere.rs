//! Histories in another schema than the settings say, or of another tool.
//!
//! A new history beside one of them would run everything a second time.

use crate::error::Error;
use crate::history::History;
use crate::sql::{Tables, literal};

/// The tables in which other tools keep their history, and the tools.
const TOOLS: [(&str, &str); 17] = [
    ("_sqlx_migrations", "sqlx"),
    ("refinery_schema_history", "refinery"),
    ("flyway_schema_history", "Flyway"),
    ("schema_version", "tern or an old Flyway"),
    ("databasechangelog", "Liquibase"),
    ("__diesel_schema_migrations", "diesel"),
    ("goose_db_version", "goose"),
    ("pgmigrations", "node-pg-migrate"),
    ("gorp_migrations", "sql-migrate"),
    ("_prisma_migrations", "Prisma"),
    ("alembic_version", "Alembic"),
    ("atlas_schema_revisions", "Atlas"),
    ("knex_migrations", "Knex"),
    ("seaql_migrations", "SeaORM"),
    ("waypoint_schema_history", "Waypoint"),
    ("graphile_migrate.migrations", "graphile-migrate"),
    ("schema_migrations", "dbmate or another tool"),
];

/// An expression for the tables of other histories in this database, one per line; NULL without any. Nothing of them is
/// read: another user may have made them. It runs under [`crate::sql::OURS`].
pub(super) fn question(tables: &Tables) -> String {
    let (mut plain, mut qualified) = (vec![literal(&tables.table)], Vec::new());
    for (table, _) in TOOLS {
        if table.contains('.') { qualified.push(literal(table)) } else { plain.push(literal(table)) }
    }
    format!(
        "SELECT string_agg(n.nspname || '.' || c.relname, chr(10) ORDER BY c.relname = {table} DESC, n.nspname, c.relname) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_(temp|toast)' AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         AND (lower(c.relname) IN ({plain}) OR lower(n.nspname || '.' || c.relname) IN ({qualified})) \
         AND (c.relname <> {table} OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'version' AND NOT attisdropped))",
        table = literal(&tables.table),
        plain = plain.join(", "),
        qualified = qualified.join(", "),
    )
}

/// Refuses to begin a history where another one exists.
///
/// # Errors
/// Exit code 4, with the table, the tool that it may belong to, and the setting or command that helps.
pub(crate) fn refuse(history: &History, tables: &Tables) -> Result<(), Error> {
    let Some(found) = history.elsewhere.as_deref().and_then(|found| found.lines().next()) else { return Ok(()) };
    let (schema, table) = found.split_once('.').unwrap_or(("", found));
    let message = format!("there is no history in `{}`, but there is a table `{found}`", tables.state);
    if table == tables.table {
        return Err(Error::diverged(message)
            .note("if it is the history of these migrations, everything would run a second time")
            .help(format!("if it is, set `schema = \"{schema}\"` under [history] in db/migrator.toml, and build"))
            .help("if it belongs to something else, run `up --new-history` once"));
    }
    let is_it = |(name, _): &&(&str, &str)| *name == table.to_ascii_lowercase() || *name == found.to_ascii_lowercase();
    let tool = TOOLS.iter().find(is_it).map_or("another tool", |(_, tool)| tool);
    Err(Error::diverged(format!("{message}, the history of {tool}"))
        .note("if that tool has already applied these migrations, everything would run a second time")
        .help("record what has been applied already with `migrator stamp --to VERSION`, then run `up`")
        .help("if that history belongs to something else, run `up --new-history` once"))
}

/// Sentences for a table of our name with another tool's columns.
pub(super) fn foreign(tables: &Tables, columns: &[&str], is_of_rails: bool) -> Option<Error> {
    let owner = if is_of_rails {
        "Rails"
    } else if columns.contains(&"dirty") {
        "golang-migrate"
    } else if columns.contains(&"inserted_at") {
        "Ecto"
    } else if columns.contains(&"statements") {
        "Supabase"
    } else if !columns.contains(&"version") {
        "another tool: it has no column `version`"
    } else {
        return None;
    };
    let message = format!("the table `{}` belongs to {owner}", tables.state);
    Some(Error::diverged(message).help("set another `table` or `schema` under [history] in db/migrator.toml, and record with `migrator stamp` what has been applied"))
}
