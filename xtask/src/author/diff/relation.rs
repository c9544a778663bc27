//! The properties of a table, a view or a sequence.

use tokio_postgres::SimpleQueryRow;

use super::key::pieces;

/// As text of SQL; empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Relation {
    /// The letter of pg_class.
    pub(crate) letter: String,
    /// `p` permanent, `u` unlogged.
    pub(crate) persistence: String,
    /// The letter of its replica identity.
    pub(crate) replica: String,
    pub(crate) secured: bool,
    pub(crate) forced: bool,
    /// Storage parameters, `name=value` each.
    pub(crate) options: Vec<String>,
    /// What it inherits, or is a partition of.
    pub(crate) parents: Vec<String>,
    pub(crate) is_partition: bool,
    pub(crate) bound: String,
    /// By what it is partitioned.
    pub(crate) partitioned: String,
    pub(crate) of_type: String,
    /// How it keeps its rows, where that is not the usual way.
    pub(crate) method: String,
    /// The server of a foreign table.
    pub(crate) server: String,
    /// The options of a sequence.
    pub(crate) sequence: String,
    /// The column that a sequence belongs to.
    pub(crate) owned_by: String,
    /// The sequence is that of an identity column.
    pub(crate) is_identity: bool,
}

impl Relation {
    pub(crate) fn read(row: &SimpleQueryRow) -> Relation {
        let text = |name: &str| row.get(name).unwrap_or_default().to_owned();
        let truth = |name: &str| row.get(name) == Some("t");
        let list = |name: &str| {
            pieces(&text(name), ", ").into_iter().filter(|one| !one.is_empty()).map(str::to_owned).collect()
        };
        Relation {
            letter: text("relkind"),
            persistence: text("persistence"),
            replica: text("replica"),
            secured: truth("secured"),
            forced: truth("forced"),
            options: list("options"),
            parents: list("parents"),
            is_partition: truth("is_partition"),
            bound: text("bound"),
            partitioned: text("partitioned"),
            of_type: text("of_type"),
            method: text("method"),
            server: text("server"),
            sequence: text("sequence"),
            owned_by: text("owned_by"),
            is_identity: truth("is_identity"),
        }
    }
}
