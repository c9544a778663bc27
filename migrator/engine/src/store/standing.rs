//! What the history's tables are, and whether they can be trusted. Pure.
//!
//! Another user may have made a table of the history's name before the first run, or may own one of its triggers: his code
//! would run with the migrator's rights, and his rows would decide what is applied.

use crate::connect::{number, text};
use crate::error::Error;
use crate::sql::{Tables, literal, may_index};
use tokio_postgres::SimpleQueryRow;

/// What the catalogs say about one of the two tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// `"public"."schema_migrations"`.
    pub(crate) table: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// The roles beside its owner that can write to it, `PUBLIC` among them.
    pub(crate) writers: Vec<String>,
    /// The sequence of its identity column, and the last number that it gave.
    pub(crate) sequence: Option<(String, i64)>,
    /// Rails keeps its own table beside it.
    pub(super) is_of_rails: bool,
    /// Whether it is an event log without its index, which this role can create.
    pub(super) lacks_index: bool,
    /// Why it cannot be trusted, and the way out.
    obstacle: Option<(String, String)>,
}

/// The question about both tables; it runs under [`crate::sql::OURS`]. `ok` is what [`guard`] demands of each row.
///
/// A superuser is a member of no role by being one: the memberships are read from the catalog.
fn question(state: &str, events: &str, taken: &str) -> String {
    format!(
        "SELECT t.*, kind = 'r' AND persistence = 'p' AND trusted AND triggers IS NULL AND rules IS NULL AND kin IS NULL AND NOT secured AS ok FROM (\
         SELECT c.oid = to_regclass({state}) AS is_state, c.relkind AS kind, c.relpersistence AS persistence, owner.rolname AS owner, \
         row_security_active(c.oid) AS secured, \
         owner.rolsuper OR owner.oid = (SELECT datdba FROM pg_database WHERE datname = current_database()) \
           OR owner.oid IN (WITH RECURSIVE mine(oid) AS (SELECT oid FROM pg_roles WHERE rolname = current_user \
             UNION SELECT roleid FROM pg_auth_members JOIN mine ON member = mine.oid) SELECT oid FROM mine) AS trusted, \
         to_regclass((SELECT quote_ident(nspname) FROM pg_namespace WHERE oid = c.relnamespace) || '.ar_internal_metadata') IS NOT NULL AS rails, \
         (SELECT string_agg(quote_ident(tgname), ', ' ORDER BY tgname) FROM pg_trigger \
           WHERE tgrelid = c.oid AND NOT tgisinternal AND tgenabled <> 'D') AS triggers, \
         (SELECT string_agg(quote_ident(rulename), ', ' ORDER BY rulename) FROM pg_rewrite WHERE ev_class = c.oid) AS rules, \
         (SELECT string_agg(CASE WHEN inhparent = c.oid THEN inhrelid ELSE inhparent END::regclass::text, ', ') FROM pg_inherits \
           WHERE c.oid IN (inhparent, inhrelid)) AS kin, \
         (SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns, \
         (SELECT string_agg(DISTINCT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, ', ') FROM (\
           SELECT * FROM aclexplode(c.relacl) UNION ALL \
           SELECT granted.* FROM pg_attribute, aclexplode(attacl) AS granted WHERE attrelid = c.oid) AS granted \
           WHERE grantee <> c.relowner AND grantee <> (SELECT oid FROM pg_roles WHERE rolname = current_user) AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')) AS writers, \
         (SELECT objid::regclass::text FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid \
           AND classid = 'pg_class'::regclass AND deptype = 'i' AND refobjsubid > 0 LIMIT 1) AS sequence, \
         (SELECT CASE WHEN has_sequence_privilege(objid, 'USAGE, SELECT') THEN coalesce(pg_sequence_last_value(objid), 0) END \
           FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = c.oid \
           AND classid = 'pg_class'::regclass AND deptype = 'i' AND refobjsubid > 0 LIMIT 1) AS last, \
         NOT ({taken}) AND c.oid = to_regclass({events}) AND {may_index} AS lacks_index \
         FROM pg_class c JOIN pg_roles owner ON owner.oid = c.relowner \
         WHERE c.oid IN (to_regclass({state}), to_regclass({events}))) t",
        state = literal(state),
        events = literal(events),
        may_index = may_index("c.relowner", "c.relnamespace"),
    )
}

/// The question, and a statement that fails unless every table can be trusted: what comes after it in a message does not
/// run then, and the rows are there to say why.
pub(super) fn guarded(tables: &Tables) -> [String; 2] {
    guarded_by(&tables.state, &tables.events, &tables.is_index_taken())
}

/// Both in one statement, which asks the catalogs once: the rows come before the failure.
pub(super) fn guarded_rows(tables: &Tables) -> String {
    format!(
        "WITH standing AS MATERIALIZED ({}) SELECT * FROM standing UNION ALL \
         SELECT * FROM standing WHERE 1 / (SELECT min(ok::int) FROM standing) = 0",
        question(&tables.state, &tables.events, &tables.is_index_taken())
    )
}

/// A statement that fails unless both tables, made in the same transaction, are this role's alone: all that [`guarded`] demands, and
/// that nobody else has a privilege on them, in a query that a fresh session plans faster. `with_schema`: the same for the schema. It
/// may fail where [`guarded`] does not, which runs then.
pub(super) fn guarded_new(tables: &Tables, with_schema: bool) -> String {
    let (state, events) = (literal(&tables.state), literal(&tables.events));
    let me = "to_regrole(quote_ident(current_user))";
    let schema = match with_schema {
        true => format!(
            " AND EXISTS (SELECT FROM pg_namespace WHERE nspname = {} AND nspowner = {me} AND nspacl IS NULL)",
            literal(&tables.schema)
        ),
        false => String::new(),
    };
    format!(
        "SELECT 1 / CASE WHEN count(*) = 3 AND bool_and(relowner = {me} AND relacl IS NULL AND relkind IN ('r', 'S') AND relpersistence = 'p' \
         AND NOT (relhastriggers OR relhasrules OR relhassubclass OR relispartition OR relrowsecurity)){schema} THEN 1 ELSE 0 END \
         FROM pg_class c WHERE oid IN (to_regclass({state}), to_regclass({events}), to_regclass(pg_get_serial_sequence({events}, 'id'))) \
         AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid)"
    )
}

/// The same about the one table of another tool, qualified and quoted.
pub(super) fn guarded_table(table: &str) -> [String; 2] {
    guarded_by(table, table, "true")
}

fn guarded_by(state: &str, events: &str, taken: &str) -> [String; 2] {
    let question = question(state, events, taken);
    let guard = format!("SELECT 1 / min(ok::int) FROM ({question}) AS believed");
    [question, guard]
}

/// One row of the answer; true: it is about the state table.
pub(super) fn of_row(tables: &Tables, row: &SimpleQueryRow) -> (bool, Standing) {
    let is_state = text(row, "is_state").as_deref() == Some("t");
    let table = if is_state { &tables.state } else { &tables.events };
    (is_state, judge(table, row, ELSEWHERE))
}

/// What a row of the answer says of the table of another tool.
pub(super) fn of_foreign(table: &str, row: &SimpleQueryRow) -> Standing {
    judge(table, row, "find out who created it and why; only the table that the tool itself has made can be adopted")
}

fn judge(table: &str, row: &SimpleQueryRow, way_out: &str) -> Standing {
    let words = |name: &str, separator: &str| -> Vec<String> {
        text(row, name).map(|all| all.split(separator).map(str::to_owned).collect()).unwrap_or_default()
    };
    let last = number(row, "last");
    Standing {
        table: table.to_owned(),
        columns: words("columns", " "),
        writers: words("writers", ", "),
        sequence: text(row, "sequence").zip(last),
        is_of_rails: text(row, "rails").as_deref() == Some("t"),
        lacks_index: text(row, "lacks_index").as_deref() == Some("t"),
        obstacle: obstacle(table, row, way_out),
    }
}

/// What is wrong with a table, the gravest first, and the way out.
fn obstacle(table: &str, row: &SimpleQueryRow, way_out: &str) -> Option<(String, String)> {
    let column = |name: &str| text(row, name).unwrap_or_default();
    let is = |name: &str| column(name) == "t";
    let rename = way_out.to_owned();
    let kind = match column("kind").as_str() {
        "r" if column("persistence") == "u" => "an unlogged table (a crash empties it)",
        "r" => "",
        "v" => "a view",
        "p" => "a partitioned table",
        _ => "not an ordinary table",
    };
    Some(if !kind.is_empty() {
        (format!("it is {kind}, owned by `{}`", column("owner")), rename)
    } else if !is("trusted") {
        (
            format!(
                "it belongs to `{}`, which is neither this user, nor a role that it is a member of, nor the database's owner",
                column("owner")
            ),
            format!(
                "if `{0}` keeps this history, make the migrator's user a member of `{0}`, or run `ALTER TABLE {table} OWNER TO ...`; otherwise {rename}",
                column("owner")
            ),
        )
    } else if let Some(triggers) = text(row, "triggers") {
        (
            format!("it has triggers ({triggers}), which run with this user's rights"),
            format!("drop them: `DROP TRIGGER ... ON {table}`"),
        )
    } else if let Some(rules) = text(row, "rules") {
        (
            format!("it has rules ({rules}), which change what is written"),
            format!("drop them: `DROP RULE ... ON {table}`"),
        )
    } else if let Some(kin) = text(row, "kin") {
        (
            format!("it shares its rows with {kin} by inheritance"),
            "separate them: `ALTER TABLE ... NO INHERIT ...`".to_owned(),
        )
    } else if is("secured") {
        return Some(hidden_rows(table));
    } else {
        return None;
    })
}

/// Row security decides for this user which rows there are.
fn hidden_rows(table: &str) -> (String, String) {
    (
        "row-level security hides rows of it from this user".to_owned(),
        format!(
            "connect as its owner, or run `ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY`, or give the user BYPASSRLS"
        ),
    )
}

impl Standing {
    /// Refuses a table that cannot be trusted.
    ///
    /// # Errors
    /// Exit code 8, with what was found and what to do.
    pub(crate) fn believed(&self) -> Result<(), Error> {
        match &self.obstacle {
            None => Ok(()),
            Some((found, help)) => {
                Err(Error::refused(format!("cannot trust the history in `{}`: {found}", self.table)).help(help.clone()))
            }
        }
    }

    /// Whether it has a column of that name.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }
}

/// The sentence for a relation of the history's name that cannot even be locked as a table.
pub(super) fn no_table(tables: &Tables) -> Error {
    Error::refused(format!("cannot trust the history in `{}`: it is not an ordinary table", tables.state))
        .help(ELSEWHERE)
}

/// The way out where another user has made the table.
const ELSEWHERE: &str =
    "find out who created it and why; drop it, or set another `table` or `schema` under [history] in db/migrator.toml";
