//! One row per tool: where its history is, what is read of it, and what a row means.

use super::key::Key;
use crate::embedded::Tool;

/// How a tool keeps its history.
#[derive(Debug)]
pub(crate) struct ForeignHistory {
    /// The tool.
    pub(crate) tool: Tool,
    /// Where it keeps it unless it is told otherwise, in lower case: a table in any schema, or with its schema.
    pub(crate) tables: &'static [&'static str],
    /// Columns that the table has, by which it is told from that of another tool.
    pub(crate) columns: &'static [&'static str],
    /// Columns that it does not have: with them it is another tool's.
    pub(crate) lacks: &'static [&'static str],
    /// `source`, `name`, `checksum` and `state` as text; NULL where there is none.
    pub(crate) select: &'static str,
    /// In which order the rows were written, or read well.
    pub(crate) order: &'static str,
    /// True: only the newest version is recorded, and stands for all before it.
    pub(crate) newest_only: bool,
    /// How `source` is compared.
    pub(crate) key: Key,
    /// What a row means.
    pub(crate) read: fn(&Row) -> Meaning,
    /// What to do about a row that is not in order.
    pub(crate) way_out: &'static str,
    /// What else the tool leaves in the database: a table beside its own, or a whole schema (`name.*`).
    pub(crate) beside: &'static [&'static str],
}

impl ForeignHistory {
    /// Whether it calls its migrations by a version, so that they can be found without a map.
    pub(crate) fn has_versions(&self) -> bool {
        matches!(self.key, Key::Number | Key::Dotted)
    }

    /// Whether a table with these columns can be its.
    pub(crate) fn fits(&self, columns: &[&str]) -> bool {
        self.columns.iter().all(|column| columns.contains(column))
            && !self.lacks.iter().any(|column| columns.contains(column))
    }

    /// Whether it records checksums that are compared.
    pub(crate) fn has_checksums(&self) -> bool {
        !self.select.contains("NULL AS checksum")
    }
}

/// One row, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// What the tool calls the migration.
    pub(crate) source: Option<String>,
    /// Its name or description.
    pub(crate) name: Option<String>,
    /// The checksum of what was applied.
    pub(crate) checksum: Option<String>,
    /// Whatever decides how it went.
    pub(crate) state: Option<String>,
}

impl Row {
    fn is(&self, state: &str) -> bool {
        self.state.as_deref() == Some(state)
    }
}

/// What a row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The migration is applied.
    Applied,
    /// Everything up to and including it counts as applied.
    UpTo,
    /// It is not applied, or no longer.
    NotApplied,
    /// A repeatable of that name was applied.
    Repeatable,
    /// A repeatable of that name is gone.
    NoRepeatable,
    /// It is not in order: how, as in `migration x ...`.
    Failed(&'static str),
    /// Nothing of interest.
    Nothing,
}

use Meaning::{Applied, Failed, NoRepeatable, NotApplied, Nothing, Repeatable, UpTo};

/// A tool that records a row for each migration, and removes it when that is rolled back.
const PLAIN: ForeignHistory = ForeignHistory {
    tool: Tool::Plain,
    tables: &[],
    columns: &[],
    lacks: &[],
    select: "",
    order: "1",
    newest_only: false,
    key: Key::Number,
    read: |_| Applied,
    way_out: "",
    beside: &[],
};

/// Every tool whose history can be adopted. Where tables have the same name, the one with more columns comes first.
pub(super) const TOOLS: &[ForeignHistory] = &[
    ForeignHistory {
        tool: Tool::Sqlx,
        tables: &["_sqlx_migrations"],
        columns: &["version", "description", "success", "checksum"],
        select: "version::text AS source, description::text AS name, encode(checksum, 'hex') AS checksum, success::text AS state",
        order: "version",
        read: |row| if row.is("true") { Applied } else { Failed("was not finished") },
        way_out: "finish or undo it by hand, then set `success` in its row, or delete the row",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Refinery,
        tables: &["refinery_schema_history"],
        columns: &["version", "name", "checksum"],
        select: "version::text AS source, name::text AS name, checksum::text AS checksum, NULL AS state",
        order: "version",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Flyway,
        tables: &["flyway_schema_history", "schema_version"],
        columns: &["installed_rank", "version", "description", "type", "checksum", "success"],
        select: "version::text AS source, description::text AS name, checksum::text AS checksum, concat_ws(' ', type, success::text) AS state",
        order: "installed_rank",
        key: Key::Dotted,
        read: flyway,
        way_out: "undo what is left of it by hand, run `flyway repair`, and `flyway migrate` if it is to be applied",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Liquibase,
        tables: &["databasechangelog"],
        columns: &["id", "author", "filename", "exectype", "orderexecuted"],
        select: "concat_ws('::', filename, id, author) AS source, NULL AS name, NULL AS checksum, exectype::text AS state",
        order: "orderexecuted, filename, id, author",
        key: Key::Changeset,
        read: |row| match row.state.as_deref() {
            Some("FAILED") => Failed("has failed"),
            Some("SKIPPED") => NotApplied,
            _ => Applied,
        },
        way_out: "correct it and run `liquibase update`",
        beside: &["databasechangeloglock"],
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Diesel,
        tables: &["__diesel_schema_migrations"],
        columns: &["version", "run_on"],
        select: "version::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::GolangMigrate,
        tables: &["schema_migrations"],
        columns: &["version", "dirty"],
        select: "version::text AS source, NULL AS name, NULL AS checksum, dirty::text AS state",
        newest_only: true,
        read: |row| match row.source.as_deref() {
            _ if row.is("true") => Failed("is dirty: it was not finished"),
            Some("-1") => Nothing,
            _ => UpTo,
        },
        way_out: "finish or undo it by hand, then run `migrate force VERSION` with the version that is in the database",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Goose,
        tables: &["goose_db_version"],
        columns: &["id", "version_id", "is_applied"],
        select: "version_id::text AS source, NULL AS name, NULL AS checksum, is_applied::text AS state",
        order: "id",
        read: |row| match row.source.as_deref() {
            Some("0") => Nothing,
            _ if row.is("true") => Applied,
            _ => NotApplied,
        },
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Tern,
        tables: &["schema_version"],
        columns: &["version"],
        lacks: &["installed_rank", "dirty", "statements", "inserted_at"],
        select: "version::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        newest_only: true,
        read: |row| if row.source.as_deref() == Some("0") { Nothing } else { UpTo },
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::GraphileMigrate,
        tables: &["graphile_migrate.migrations"],
        columns: &["hash", "previous_hash", "filename"],
        select: "filename::text AS source, NULL AS name, hash::text AS checksum, NULL AS state",
        key: Key::Text,
        beside: &["graphile_migrate.*"],
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::NodePgMigrate,
        tables: &["pgmigrations"],
        columns: &["name", "run_on"],
        select: "name::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        key: Key::Text,
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::SqlMigrate,
        tables: &["gorp_migrations"],
        columns: &["id", "applied_at"],
        select: "id::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        key: Key::Text,
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Prisma,
        tables: &["_prisma_migrations"],
        columns: &["migration_name", "checksum", "finished_at", "rolled_back_at", "started_at"],
        select: "migration_name::text AS source, NULL AS name, checksum::text AS checksum, \
                 CASE WHEN rolled_back_at IS NOT NULL THEN 'rolled back' WHEN finished_at IS NULL THEN 'unfinished' ELSE 'done' END AS state",
        order: "started_at, finished_at NULLS LAST",
        key: Key::Text,
        read: |row| match row.state.as_deref() {
            Some("done") => Applied,
            Some("rolled back") => Failed("is marked as rolled back and was not applied again"),
            _ => Failed("was not finished"),
        },
        way_out: "run `prisma migrate resolve --applied NAME` if it is in the database; otherwise undo what is left of it and run `prisma migrate deploy`",
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Supabase,
        tables: &["supabase_migrations.schema_migrations"],
        columns: &["version", "statements"],
        select: "version::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        beside: &["supabase_migrations.*"],
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Alembic,
        tables: &["alembic_version"],
        columns: &["version_num"],
        select: "version_num::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        newest_only: true,
        key: Key::Text,
        read: |_| UpTo,
        ..PLAIN
    },
    ForeignHistory {
        tool: Tool::Dbmate,
        tables: &["schema_migrations"],
        columns: &["version"],
        // golang-migrate, Supabase, Ecto and Flyway.
        lacks: &["dirty", "statements", "inserted_at", "installed_rank"],
        select: "version::text AS source, NULL AS name, NULL AS checksum, NULL AS state",
        ..PLAIN
    },
];

/// Flyway has a row for everything that it has done, in order.
fn flyway(row: &Row) -> Meaning {
    let (kind, success) = row.state.as_deref().and_then(|state| state.rsplit_once(' ')).unwrap_or(("", ""));
    match (kind, row.source.is_some()) {
        ("SCHEMA", _) => Nothing,
        (_, true) if success != "true" => Failed("has failed"),
        (_, false) if success != "true" => Failed("has failed, a repeatable"),
        ("BASELINE", true) => UpTo,
        (kind, true) if kind.ends_with("_BASELINE") => UpTo,
        (kind, true) if kind.starts_with("UNDO_") || kind == "DELETE" => NotApplied,
        (_, true) => Applied,
        ("DELETE", false) => NoRepeatable,
        (_, false) => Repeatable,
    }
}

/// The history of that tool; `None`: it has none.
pub(crate) fn of_tool(tool: Tool) -> Option<&'static ForeignHistory> {
    TOOLS.iter().find(|history| history.tool == tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_but_plain_files_has_a_history() {
        for tool in Tool::ALL {
            assert_eq!(of_tool(tool).is_some(), tool != Tool::Plain, "{tool:?}");
        }
    }

    #[test]
    fn flyway_says_in_each_row_what_it_has_done() {
        let row = |source: Option<&str>, state: &str| Row {
            source: source.map(str::to_owned),
            state: Some(state.to_owned()),
            ..Row::default()
        };
        for (source, state, expected) in [
            (Some("1"), "SQL true", Applied),
            (Some("1"), "JDBC true", Applied),
            (Some("1"), "SQL false", Failed("has failed")),
            (Some("1"), "BASELINE true", UpTo),
            (Some("3"), "SQL_BASELINE true", UpTo),
            (Some("1"), "UNDO_SQL true", NotApplied),
            (Some("1"), "DELETE true", NotApplied),
            (None, "SQL true", Repeatable),
            (None, "DELETE true", NoRepeatable),
            (None, "SCHEMA true", Nothing),
        ] {
            assert_eq!(flyway(&row(source, state)), expected, "{source:?} {state}");
        }
    }
}
