//! The kinds of objects that `CREATE`, `ALTER` and `DROP` name.

use crate::words::Words;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// `DATABASE`
    Database,
    /// `DOMAIN`
    Domain,
    /// `EVENT TRIGGER`
    EventTrigger,
    /// `EXTENSION`
    Extension,
    /// `FOREIGN TABLE`
    ForeignTable,
    /// `FUNCTION`, `PROCEDURE`, `ROUTINE`, `AGGREGATE`
    Function,
    /// `INDEX`
    Index,
    /// `MATERIALIZED VIEW`
    MaterializedView,
    /// `POLICY`
    Policy,
    /// `RULE`
    Rule,
    /// `SCHEMA`
    Schema,
    /// `SEQUENCE`
    Sequence,
    /// `SUBSCRIPTION`
    Subscription,
    /// `SYSTEM`: the server's settings
    System,
    /// `TABLE`
    Table,
    /// `TABLESPACE`
    Tablespace,
    /// `TRIGGER`
    Trigger,
    /// `TYPE`
    Type,
    /// `VIEW`
    View,
    /// Any other.
    Other,
}

/// Words between the verb and the kind.
const MODIFIERS: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "local",
    "global",
    "unlogged",
    "unique",
    "recursive",
    "constraint",
    "materialized",
    "foreign",
    "event",
];

impl ObjectKind {
    /// The kind that follows the first word, and the index after it.
    pub(crate) fn read(words: &Words<'_>) -> (ObjectKind, usize) {
        let is_modifier = |index: &usize| words.is_any(*index, MODIFIERS);
        let at = (1..words.tokens.len()).find(|at| !is_modifier(at)).unwrap_or(words.tokens.len());
        let after = |modifier: &str| words.is(at - 1, modifier);
        let kind = match &*words.lower(at) {
            "database" => ObjectKind::Database,
            "domain" => ObjectKind::Domain,
            "extension" => ObjectKind::Extension,
            "function" | "procedure" | "routine" | "aggregate" => ObjectKind::Function,
            "index" => ObjectKind::Index,
            "policy" => ObjectKind::Policy,
            "rule" => ObjectKind::Rule,
            "schema" => ObjectKind::Schema,
            "sequence" => ObjectKind::Sequence,
            "subscription" => ObjectKind::Subscription,
            "system" => ObjectKind::System,
            "table" if after("foreign") => ObjectKind::ForeignTable,
            "table" => ObjectKind::Table,
            "tablespace" => ObjectKind::Tablespace,
            "trigger" if after("event") => ObjectKind::EventTrigger,
            "trigger" => ObjectKind::Trigger,
            "type" => ObjectKind::Type,
            "view" if after("materialized") => ObjectKind::MaterializedView,
            "view" => ObjectKind::View,
            _ => ObjectKind::Other,
        };
        (kind, at + 1)
    }

    /// True for what belongs to a table and is named with it: `DROP TRIGGER x ON t`.
    pub fn is_on_table(self) -> bool {
        matches!(self, ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule)
    }
}
