//! The questions about what the open transaction has locked, as text, and what their answers say.
//!
//! What they cost does not grow with the schema: they begin with the locks of one session, and find everything else by an index.

use tokio_postgres::SimpleQueryRow;

use super::effect::strongest;
use migrator_engine::client::OURS;
use migrator_sql::LockMode;

/// What the server calls a relation whatever its name.
pub(super) type Oid = u32;

/// The server keeps a plan that it has made while its catalogs were small: one that reads a catalog from its first row to its last
/// would take longer with each migration.
const BY_INDEX: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
     SET LOCAL jit = off";

/// Which rows of `pg_locks` count: what the server itself has made has smaller oids.
const LOCKS: &str =
    "l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted AND l.relation >= 16384";

/// Modes in which nothing is changed but rows.
const WEAK: &str = "'AccessShareLock', 'RowShareLock', 'RowExclusiveLock'";

/// The names of the schemas, as renaming one renames relations that no one has locked; and whether there are event triggers, whose
/// functions may do anything to a session.
const SCHEMAS: &str = "(SELECT pg_catalog.string_agg(oid || ' ' || nspname, chr(10) ORDER BY oid) FROM pg_catalog.pg_namespace WHERE oid > 0) AS name, \
     (SELECT pg_catalog.count(*) FROM pg_catalog.pg_event_trigger WHERE oid > 0)::text AS key";

/// The relations of people: not those of the server.
pub(super) const OF_PEOPLE: &str = "c.relkind IN ('r', 'p', 'm', 'i', 'I', 'v', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/// The qualified name of a relation.
pub(super) const NAME: &str = "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)";

/// A sequence has a file, but what is written there is no table.
pub(super) const FILE: &str = "CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(c.oid)::text END";

/// Everything that every row of a table is known to satisfy: its relation, a key that survives renaming, its name.
/// Release 18 has a constraint for each NOT NULL, which can be not valid.
const PROVED: &str = "SELECT conrelid AS oid, 'constraint ' || oid AS key, CASE WHEN contype = 'n' THEN 'NOT NULL of ' || \
     (SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1]) ELSE conname END AS name \
     FROM pg_catalog.pg_constraint WHERE contype IN ('c', 'f', 'n') AND convalidated AND conrelid {which} \
     UNION ALL SELECT attrelid, 'column ' || attnum, 'NOT NULL of ' || attname FROM pg_catalog.pg_attribute \
     WHERE attnotnull AND attnum > 0 AND NOT attisdropped AND attrelid {which} \
     AND pg_catalog.current_setting('server_version_num')::int < 180000";

/// What is asked in the open transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Only what is locked.
    Held,
    /// Also what has become of it.
    All,
}

/// The texts, which are the same all the time.
#[derive(Debug)]
pub(super) struct Questions {
    held: String,
    all: String,
}

impl Questions {
    /// `history` are the oids of the history's tables, which are no one's business.
    pub(super) fn new(history: &[Oid]) -> Questions {
        let locks = match history.is_empty() {
            true => LOCKS.to_owned(),
            false => format!("{LOCKS} AND l.relation NOT IN ({})", list(history)),
        };
        Questions { held: held(&locks), all: all(&locks) }
    }

    /// Has the server prepare them, in a message of its own between two transactions.
    pub(super) fn prepare(&self) -> String {
        let [path, security] = OURS;
        let Questions { held, all } = self;
        format!("BEGIN; {path}; {security}; PREPARE migrator_held AS {held}; PREPARE migrator_all AS {all}; COMMIT")
    }

    /// Between two statements of the open transaction.
    pub(super) fn amid(&self, is_prepared: bool) -> String {
        amid(&self.text(Question::All, is_prepared))
    }

    /// Before the open transaction ends, in which nothing but ours runs any more.
    pub(super) fn at_the_end(&self, question: Question, is_prepared: bool) -> String {
        format!("RESET SESSION AUTHORIZATION; RESET ROLE; {}", self.text(question, is_prepared))
    }

    /// `is_prepared`: the session has them from [`Questions::prepare`].
    fn text(&self, question: Question, is_prepared: bool) -> String {
        let text = match (question, is_prepared) {
            (Question::Held, true) => "EXECUTE migrator_held",
            (Question::All, true) => "EXECUTE migrator_all",
            (Question::Held, false) => &self.held,
            (Question::All, false) => &self.all,
        };
        by_index(text)
    }
}

/// The settings are put back.
fn amid(question: &str) -> String {
    format!("SAVEPOINT migrator_look; {question}; ROLLBACK TO SAVEPOINT migrator_look; RELEASE SAVEPOINT migrator_look")
}

/// A question of ours, in a transaction or a message that ends with it.
pub(super) fn by_index(question: &str) -> String {
    format!("{}; {}; {BY_INDEX}; {question}", OURS[0], OURS[1])
}

/// The answer is a [`Look`] at nothing but the schemas.
pub(super) fn schemas() -> String {
    format!("SELECT 'schemas' AS what, {SCHEMAS}")
}

/// How often relations were read in this session, as far as the server has not put it away.
pub(super) fn counted() -> String {
    let question = "SELECT oid::text AS oid, pg_catalog.pg_stat_get_xact_numscans(oid)::text AS scans FROM pg_catalog.pg_class \
         WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm') AND pg_catalog.pg_stat_get_xact_numscans(oid) > 0";
    amid(&by_index(question))
}

/// What is proved of the relations whose oid fits this condition.
pub(super) fn proved(which: &str) -> String {
    PROVED.replace("{which}", which)
}

/// `1, 2`.
pub(super) fn list<'o>(oids: impl IntoIterator<Item = &'o Oid>) -> String {
    oids.into_iter().map(Oid::to_string).collect::<Vec<_>>().join(", ")
}

fn held(locks: &str) -> String {
    format!(
        "SELECT 'relation' AS what, l.relation::text AS oid, pg_catalog.string_agg(l.mode, ' ') AS modes, NULL AS name, NULL AS key \
         FROM pg_catalog.pg_locks l WHERE {locks} GROUP BY l.relation UNION ALL SELECT 'schemas', NULL, NULL, {SCHEMAS}"
    )
}

/// Indexes move to another schema with their table without being locked: they are asked for too.
fn all(locks: &str) -> String {
    let proved = proved("= h.oid");
    format!(
        "WITH held AS MATERIALIZED (SELECT l.relation AS oid, pg_catalog.string_agg(DISTINCT l.mode, ' ') AS modes, \
         pg_catalog.bool_or(l.mode NOT IN ({WEAK})) AS strong FROM pg_catalog.pg_locks l WHERE {locks} GROUP BY l.relation), \
         seen AS MATERIALIZED (SELECT oid, modes FROM held UNION ALL SELECT i.indexrelid, NULL FROM held h CROSS JOIN LATERAL \
         (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid = h.oid OFFSET 0) i \
         WHERE h.strong AND i.indexrelid NOT IN (SELECT oid FROM held)) \
         SELECT 'relation' AS what, s.oid::text AS oid, s.modes AS modes, r.name AS name, NULL AS key, (r.oid IS NOT NULL)::text AS there, \
         r.of AS of, r.file AS file, r.scans AS scans FROM seen s LEFT JOIN LATERAL (SELECT c.oid, CASE WHEN {OF_PEOPLE} THEN {NAME} END AS name, \
         i.indrelid::text AS of, {FILE} AS file, \
         CASE WHEN c.relkind IN ('r', 'p', 'm') THEN pg_catalog.pg_stat_get_xact_numscans(c.oid)::text END AS scans \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE c.oid = s.oid OFFSET 0) r ON true \
         UNION ALL SELECT 'proved', h.oid::text, NULL, p.name, p.key, NULL, NULL, NULL, NULL FROM held h CROSS JOIN LATERAL ({proved} OFFSET 0) p \
         WHERE h.strong UNION ALL SELECT 'schemas', NULL, NULL, {SCHEMAS}, NULL, NULL, NULL, NULL"
    )
}

/// A relation that is locked, or belongs to one that is.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) oid: Oid,
    /// `None`: it is not locked itself.
    pub(super) lock: Option<LockMode>,
    /// False: there is nothing of that oid any more.
    pub(super) there: bool,
    /// Its qualified name; `None`: it is none of people's.
    pub(super) name: Option<String>,
    /// The table of an index.
    pub(super) table: Option<Oid>,
    pub(super) file: Option<String>,
    /// How often it was read as a whole in this session; an index is not read, but used.
    pub(super) scans: u64,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// Ascending by oid.
    pub(super) relations: Vec<Seen>,
    /// What is proved of what is locked: relation, key, name.
    pub(super) proved: Vec<(Oid, String, String)>,
    /// The schemas by oid.
    pub(super) schemas: String,
    pub(super) has_event_triggers: bool,
}

impl Look {
    pub(super) fn of(rows: &[SimpleQueryRow]) -> Look {
        let mut look = Look::default();
        for row in rows {
            let text = |column: &str| text(row, column);
            let (name, key) = (text("name").map(str::to_owned), text("key").unwrap_or_default());
            match text("what") {
                Some("relation") => look.relations.push(Seen {
                    oid: oid(row),
                    lock: text("modes").and_then(strongest),
                    there: text("there") == Some("true"),
                    name,
                    table: text("of").and_then(|oid| oid.parse().ok()),
                    file: text("file").map(str::to_owned),
                    scans: scans(row),
                }),
                Some("proved") => look.proved.push((oid(row), key.to_owned(), name.unwrap_or_default())),
                _ => (look.schemas, look.has_event_triggers) = (name.unwrap_or_default(), key != "0"),
            }
        }
        look.relations.sort_by_key(|seen| seen.oid);
        look
    }

    /// What is locked itself, with the mode.
    pub(super) fn locked(&self) -> impl Iterator<Item = (&Seen, LockMode)> {
        self.relations.iter().filter_map(|seen| Some((seen, seen.lock?)))
    }
}

/// A column of a row; `None` also where the question does not ask for it.
pub(super) fn text<'r>(row: &'r SimpleQueryRow, column: &str) -> Option<&'r str> {
    row.try_get(column).ok().flatten()
}

pub(super) fn oid(row: &SimpleQueryRow) -> Oid {
    text(row, "oid").and_then(|oid| oid.parse().ok()).unwrap_or(0)
}

pub(super) fn scans(row: &SimpleQueryRow) -> u64 {
    text(row, "scans").and_then(|scans| scans.parse().ok()).unwrap_or(0)
}
