//! The two history tables: their names, their columns, how they come to be, and the lock that guards them.

use sha2::{Digest as _, Sha256};

use super::quote::{identifier, literal};
use crate::embedded::Settings;

/// The two history tables and the lock that guards them, as the settings name them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tables {
    /// The schema's plain name.
    pub schema: String,
    /// The state table's plain name.
    pub table: String,
    /// The state table, qualified and quoted.
    pub state: String,
    /// The event log, qualified and quoted.
    pub events: String,
    /// The key of the advisory lock.
    pub lock_key: i64,
    /// The index of the event log, quoted and not qualified.
    pub(crate) index: String,
}

impl Tables {
    /// The tables that the settings name.
    pub(crate) fn new(settings: &Settings) -> Tables {
        let schema = settings.history_schema.to_string();
        let table = &*settings.history_table;
        let events = format!("{}_events", table.strip_suffix('s').unwrap_or(table));
        Tables {
            lock_key: lock_key(&schema, table),
            state: format!("{}.{}", identifier(&schema), identifier(table)),
            events: format!("{}.{}", identifier(&schema), identifier(&events)),
            index: identifier(&format!("{events}_by_key")),
            schema,
            table: table.to_owned(),
        }
    }

    /// The event log's index, qualified and quoted.
    pub(crate) fn qualified_index(&self) -> String {
        format!("{}.{}", identifier(&self.schema), self.index)
    }

    /// An expression for whether the event log has its index.
    pub(crate) fn is_indexed(&self) -> String {
        format!(
            "EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass({}) AND indrelid = to_regclass({}) AND indisvalid)",
            literal(&self.qualified_index()),
            literal(&self.events)
        )
    }

    /// An expression for whether the name of that index is taken, by whatever it is.
    pub(crate) fn is_index_taken(&self) -> String {
        format!("to_regclass({}) IS NOT NULL", literal(&self.qualified_index()))
    }

    /// Which of the tables exist, whether the schema does, and whether the event log has its index or this role could not create it:
    /// reading works without it, only slower.
    pub(crate) fn presence(&self) -> String {
        let [state, events, schema] = [&self.state, &self.events, &identifier(&self.schema)].map(|name| literal(name));
        format!(
            "SELECT to_regclass({state}) IS NOT NULL AS state, to_regclass({events}) IS NOT NULL AS events, to_regnamespace({schema}) IS NOT NULL AS schema, \
             {indexed} OR EXISTS (SELECT FROM pg_class WHERE oid = to_regclass({events}) AND NOT ({may_index})) AS index",
            indexed = self.is_index_taken(),
            may_index = may_index("relowner", "relnamespace"),
        )
    }

    /// Creates what is missing and adds what an older or another tool's table lacks.
    pub(crate) fn create(&self, missing: CreatedObjects) -> String {
        let Tables { state, events, .. } = self;
        let schema = self.create_schema(missing.schema);
        let added = |columns: &[&str]| {
            columns.iter().map(|column| format!("ADD COLUMN IF NOT EXISTS {column}")).collect::<Vec<_>>().join(", ")
        };
        format!(
            "{schema}CREATE TABLE IF NOT EXISTS {state} ({VERSION});\n\
             ALTER TABLE {state} {};\n\
             CREATE TABLE IF NOT EXISTS {events} ({});\n\
             ALTER TABLE {events} {};\n",
            added(&STATE_COLUMNS),
            EVENT_COLUMNS.join(", "),
            added(&EVENT_COLUMNS[FIRST_EVENT_COLUMNS..]),
        )
    }

    /// Creates both tables where neither is there.
    pub(crate) fn create_new(&self, with_schema: bool) -> String {
        let Tables { state, events, .. } = self;
        let schema = self.create_schema(with_schema);
        let columns = [VERSION].into_iter().chain(STATE_COLUMNS).collect::<Vec<_>>().join(", ");
        let of_events = EVENT_COLUMNS.join(", ");
        format!("{schema}CREATE TABLE {state} ({columns});\nCREATE TABLE {events} ({of_events});\n")
    }

    /// An existing schema must not need the right to create one, which `IF NOT EXISTS` requires all the same.
    fn create_schema(&self, is_missing: bool) -> String {
        if is_missing { format!("CREATE SCHEMA {};\n", identifier(&self.schema)) } else { String::new() }
    }

    /// Creates the event log's index, once its table is believed.
    pub(crate) fn create_index(&self) -> String {
        format!(
            "CREATE INDEX IF NOT EXISTS {} ON {} ((action COLLATE \"C\"), ({EVENT_KEY}), id)",
            self.index, self.events
        )
    }

    /// The query for the statements that revoke the rights of others on what was just created.
    pub(crate) fn open_to_others(&self, created: CreatedObjects) -> String {
        let of = |is_new: bool, table: &str| if is_new { literal(table) } else { "NULL".to_owned() };
        format!(
            "SELECT format('REVOKE ALL ON %s %s FROM %s CASCADE', kind, name, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END) AS revoke \
             FROM (SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name, relowner AS owner, relacl AS acl \
               FROM pg_class c WHERE c.oid IN (to_regclass({state}), to_regclass({events}), (SELECT objid FROM pg_depend \
                 WHERE refobjid = to_regclass({events}) AND classid = 'pg_class'::regclass AND deptype = 'i' AND refobjsubid > 0)) \
             UNION ALL SELECT 'SCHEMA', quote_ident(nspname), nspowner, nspacl FROM pg_namespace WHERE nspname = {schema}) AS new, \
             LATERAL (SELECT DISTINCT grantee FROM aclexplode(acl) WHERE grantee <> owner) AS others",
            state = of(created.state, &self.state),
            events = of(created.events, &self.events),
            schema = of(created.schema, &self.schema),
        )
    }
}

/// What did not exist before the history was created.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CreatedObjects {
    /// The state table.
    pub(crate) state: bool,
    /// The event log.
    pub(crate) events: bool,
    /// The schema of both.
    pub(crate) schema: bool,
    /// The index of the event log, which this role can create.
    pub(crate) index: bool,
}

/// A condition for the right to create an index on a table of that owner in that schema.
pub(crate) fn may_index(owner: &str, schema: &str) -> String {
    format!("pg_has_role({owner}, 'USAGE') AND has_schema_privilege({schema}, 'CREATE')")
}

/// What an event is about, where there are few of its kind: the migration, if it runs outside a transaction, the repeatable, seed or
/// environment, the adopted table. Empty for what every migration writes.
///
/// With the action before it and the number after it, it is the log's index: one key per row, so that a row costs a microsecond, and
/// every question that a plan asks of the log is a step or two in it. In C's order, which no operating system changes.
pub(crate) const EVENT_KEY: &str = "coalesce(CASE WHEN statement IS NOT NULL OR attempt IS NOT NULL THEN version::pg_catalog.text \
     WHEN action = 'adopt' THEN detail WHEN version IS NULL THEN name END, '') COLLATE \"C\"";

/// The newest event of a place first, in the order of the log's index and in no other: the planner does not take the primary key.
pub(crate) fn newest_first() -> String {
    format!("action COLLATE \"C\" DESC, {EVENT_KEY} DESC, id DESC")
}

/// Lets a sequence that lags its column, as on a copy by logical replication, continue after the newest number.
pub(crate) fn set_sequence(sequence: &str, newest: i64) -> String {
    format!("SELECT setval({}::regclass, {newest}::int8);\n", literal(sequence))
}

/// The name in a column's definition.
pub(crate) fn first_word(definition: &str) -> &str {
    definition.split(' ').next().unwrap_or_default()
}

/// The column that it shares with dbmate's.
const VERSION: &str = "version varchar PRIMARY KEY";

/// What our state table has beyond dbmate's `version`, all nullable or defaulted so that dbmate can insert.
pub(crate) const STATE_COLUMNS: [&str; 6] = [
    "name pg_catalog.text",
    "checksum pg_catalog.text",
    "applied_at pg_catalog.timestamptz DEFAULT pg_catalog.now()",
    "applied_by pg_catalog.text DEFAULT session_user",
    "execution_ms bigint",
    "release pg_catalog.text",
];

/// The columns of the event log. Those after [`FIRST_EVENT_COLUMNS`] came later: an older table gets them.
pub(crate) const EVENT_COLUMNS: [&str; 20] = [
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()",
    "run_id pg_catalog.text NOT NULL",
    "action pg_catalog.text NOT NULL",
    "version varchar",
    "name pg_catalog.text",
    "checksum pg_catalog.text",
    "attempt integer",
    "statement integer",
    "statement_checksum pg_catalog.text",
    "outcome pg_catalog.text NOT NULL",
    "duration_ms bigint",
    "detail pg_catalog.text",
    "actor pg_catalog.text",
    "approved_by pg_catalog.text",
    "plan_digest pg_catalog.text",
    "release pg_catalog.text",
    "session pg_catalog.text",
    "down_block pg_catalog.text",
    "backup_reference pg_catalog.text",
];

/// How many columns the event log had in its first form.
const FIRST_EVENT_COLUMNS: usize = 17;

/// The key of the session lock: the first eight bytes of SHA-256 over a product constant, NUL and the qualified table.
fn lock_key(schema: &str, table: &str) -> i64 {
    let digest = Sha256::digest(format!("migrator\0{schema}.{table}"));
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_lock_key_never_changes() {
        // Releases of different age must take the same lock: these values are golden.
        expect!["(7300916411259422349, -2226621762043230073)"]
            .assert_eq(&format!("{:?}", (lock_key("public", "schema_migrations"), lock_key("app", "migrations"))));
    }
}
