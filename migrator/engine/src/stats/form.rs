//! What is known of a database.

use serde::{Deserialize, Serialize};

use super::limits;

/// The form of the file; rises when an older reader would misunderstand it.
pub const FORMAT: i64 = 1;

/// So many tables are written at most, the largest ones.
pub const MOST_TABLES: usize = 10_000;

/// Statistics of one database at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Stats {
    /// [`FORMAT`].
    #[serde(deserialize_with = "limits::format")]
    pub format: i64,
    /// `server_version`: `15.18 (Debian 15.18-0+deb12u1)`.
    pub server: String,
    /// The server's major release.
    #[serde(deserialize_with = "limits::major")]
    pub major: i64,
    /// When, in UTC: `2026-11-26T22:00:00Z`.
    pub taken_at: String,
    /// The database.
    pub database: String,
    /// For how many minutes the server has counted what [`Activity`] says; `None`: since it was created.
    #[serde(deserialize_with = "limits::counted_minutes")]
    pub counted_minutes: Option<f64>,
    /// The longest transaction of another session that was open at that moment, in seconds; 0: there was none.
    #[serde(deserialize_with = "limits::longest_transaction_seconds")]
    pub longest_transaction_seconds: f64,
    /// The statements of this database by their first word, from `pg_stat_statements`; `None`: it could not be read.
    pub statements: Option<Statements>,
    /// What is not in this file and why, in sentences.
    pub left_out: Vec<String>,
    /// Ordinary tables, partitions, partitioned tables, materialized views; the largest first.
    pub tables: Vec<Table>,
}

/// What `pg_stat_statements` has counted in this database. No text of a statement is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Statements {
    /// For how many minutes; `None`: the server does not say.
    #[serde(deserialize_with = "limits::minutes")]
    pub minutes: Option<f64>,
    /// By the first word, ascending.
    pub families: Vec<Family>,
}

/// The statements that begin with one word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Family {
    /// `select`, `insert`, `update`, `delete`, `merge`, `with`, `copy`, `other`, or `unreadable` for those whose text this role may not
    /// read.
    pub family: String,
    /// How often they were called.
    #[serde(deserialize_with = "limits::calls")]
    pub calls: i64,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Table {
    /// Qualified and quoted where that is needed: `core.orders`.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// The partitioned table that it is a partition of.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub partition_of: Option<String>,
    /// How many rows the server estimates; -1: unknown, it was never analyzed.
    #[serde(deserialize_with = "limits::rows")]
    pub rows: i64,
    /// How many pages of 8 kB it had when it was last vacuumed or analyzed.
    #[serde(deserialize_with = "limits::pages")]
    pub pages: i64,
    /// Its size now in bytes, without indexes and TOAST; `None`: another session has locked it exclusively.
    #[serde(deserialize_with = "limits::bytes")]
    pub bytes: Option<i64>,
    /// What is kept outside of it because it is large, in bytes; `None`: another session has locked it exclusively.
    #[serde(deserialize_with = "limits::toast_bytes")]
    pub toast_bytes: Option<i64>,
    /// The sum of its columns' average widths in bytes; `None`: not all of them are known.
    #[serde(deserialize_with = "limits::width")]
    pub width: Option<i64>,
    /// Why some of its columns have no statistics, if so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub no_statistics: Option<NoStatistics>,
    /// What the server has counted.
    pub activity: Activity,
    /// Its indexes, ascending by name.
    pub indexes: Vec<Index>,
    /// Its columns in their order.
    pub columns: Vec<Column>,
}

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableKind {
    /// An ordinary table.
    Table,
    /// A partition of another one.
    Partition,
    /// Has partitions, and no rows of its own.
    Partitioned,
    /// A materialized view.
    MaterializedView,
}

/// Why columns have no statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoStatistics {
    /// This role may not read them.
    Denied,
    /// The table was never analyzed, or the columns are newer than that.
    Missing,
}

/// What the server has counted on a table in [`Stats::counted_minutes`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Activity {
    /// How often it was read from its first row to its last.
    #[serde(deserialize_with = "limits::sequential_scans")]
    pub sequential_scans: i64,
    /// How often one of its indexes was used.
    #[serde(deserialize_with = "limits::index_scans")]
    pub index_scans: i64,
    /// Rows that were inserted.
    #[serde(deserialize_with = "limits::inserted")]
    pub inserted: i64,
    /// Rows that were updated.
    #[serde(deserialize_with = "limits::updated")]
    pub updated: i64,
    /// Rows that were deleted.
    #[serde(deserialize_with = "limits::deleted")]
    pub deleted: i64,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Index {
    /// Without its schema, which is that of the table; quoted where that is needed.
    pub name: String,
    /// The access method: `btree`.
    pub method: String,
    /// Its size now in bytes; `None`: another session has locked it exclusively.
    #[serde(deserialize_with = "limits::bytes")]
    pub bytes: Option<i64>,
    /// Its columns, `(expression)` for what is not one, without those of INCLUDE.
    pub columns: Vec<String>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it has only some of the rows.
    pub partial: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Column {
    /// Quoted where that is needed.
    pub name: String,
    /// Its type as the server writes it: `character varying(20)`.
    #[serde(rename = "type")]
    pub data_type: String,
    /// The average width of a value in bytes; `None`: unknown.
    #[serde(deserialize_with = "limits::width")]
    pub width: Option<i64>,
    /// Which part of the rows has NULL, 0 to 1; `None`: unknown.
    #[serde(deserialize_with = "limits::nulls")]
    pub nulls: Option<f64>,
    /// How many distinct values there are; negative: as a part of the rows, -1 if all differ; `None`: unknown.
    #[serde(deserialize_with = "limits::distinct")]
    pub distinct: Option<f64>,
}

impl Stats {
    /// The table of that qualified name, quoted where that is needed.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// The sum of the average widths of its columns; `None`: not all of them are known.
    pub fn width_of(columns: &[Column]) -> Option<i64> {
        columns.iter().map(|column| column.width).sum()
    }
}
