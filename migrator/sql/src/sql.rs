//! A statement, typed: the one place that asks tokens what they mean.
//!
//! It is made from the tokens, not from squawk's tree. A tree costs a parse for each of 20,000 statements, and squawk does not
//! parse everything that the server takes (newer syntax, what `dialect` rewrites): the tokens would have to be read all the same,
//! and two readers would disagree.

use migrator_model::ReindexObject;

use crate::alter_table::{AlterTable, TableChange};
use crate::create::{Create, CreateDomain, CreateIndex, CreateOnTable, CreateTable, table_after};
use crate::drop::Drop;
use crate::element::is_not_valid;
use crate::flags::flag;
use crate::name::{Name, Object};
use crate::object_kind::ObjectKind;
use crate::rows::Rows;
use crate::setting::{Reset, Set};
use crate::words::Words;
use migrator_model::LockMode;

/// What a statement is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Sql<'a> {
    /// `BEGIN`, `START TRANSACTION`
    Begin,
    /// `COMMIT`, `END`
    Commit,
    /// `SET ...`
    Set(Set),
    /// `RESET ...`
    Reset(Reset),
    /// `LOAD ...`
    Load,
    /// `DISCARD ...`
    Discard {
        /// `ALL`
        all: bool,
    },
    /// `DO ...`
    Do,
    /// `CALL ...`
    Call,
    /// `COPY ...`
    Copy,
    /// `COMMENT ON ...`
    Comment,
    /// `SELECT ...`, `VALUES ...`
    Select,
    /// `INSERT ...`
    Insert(Rows<'a>),
    /// `UPDATE ...`
    Update(Rows<'a>),
    /// `DELETE ...`
    Delete(Rows<'a>),
    /// `MERGE ...`
    Merge {
        /// The table.
        table: Option<Name<'a>>,
    },
    /// `WITH ...`
    With {
        /// The `UPDATE` or `DELETE` that follows the queries.
        main: Option<Box<Sql<'a>>>,
        /// Rows are changed in it somewhere.
        changes_rows: bool,
    },
    /// `TRUNCATE ...`
    Truncate {
        /// The tables.
        tables: Vec<Name<'a>>,
    },
    /// `LOCK ...`
    Lock {
        /// The tables.
        tables: Vec<Name<'a>>,
        /// The mode that is asked for.
        mode: LockMode,
    },
    /// `VACUUM ...`
    Vacuum {
        /// `FULL`
        full: bool,
        /// The tables; none: all.
        tables: Vec<Name<'a>>,
    },
    /// `ANALYZE ...`
    Analyze,
    /// `CLUSTER ...`
    Cluster {
        /// The table; `None`: all that were clustered before.
        table: Option<Name<'a>>,
    },
    /// `REPACK ...`
    Repack {
        /// `CONCURRENTLY`
        concurrently: bool,
    },
    /// `REINDEX ...`
    Reindex {
        /// What is named; `None` for anything else.
        object: Option<ReindexObject>,
        /// The name.
        name: Option<Name<'a>>,
        /// `CONCURRENTLY`, as a word or as an option.
        concurrently: bool,
    },
    /// `REFRESH MATERIALIZED VIEW ...`
    Refresh {
        /// The view.
        view: Option<Name<'a>>,
        /// `CONCURRENTLY`
        concurrently: bool,
        /// False: `WITH NO DATA`.
        with_data: bool,
    },
    /// `CREATE TABLE ...`, also of a foreign one
    CreateTable(CreateTable<'a>),
    /// `CREATE INDEX ...`
    CreateIndex(CreateIndex<'a>),
    /// `CREATE TRIGGER`, `CREATE POLICY`, `CREATE RULE`
    CreateOnTable(CreateOnTable<'a>),
    /// `CREATE DOMAIN ...`
    CreateDomain(CreateDomain<'a>),
    /// Any other `CREATE ...`
    Create(Create<'a>),
    /// `DROP ...`
    Drop(Drop<'a>),
    /// `ALTER TABLE ...`
    AlterTable(AlterTable<'a>),
    /// `ALTER DOMAIN ...`
    AlterDomain {
        /// The domain.
        name: Name<'a>,
        /// `ADD ...` a constraint, or `SET NOT NULL`.
        constrains: bool,
        /// `NOT VALID`
        not_valid: bool,
    },
    /// `ALTER SUBSCRIPTION ...`
    AlterSubscription {
        /// It asks the other server for its tables.
        refreshes: bool,
        /// It names another slot, or none.
        sets_slot: bool,
    },
    /// `ALTER DEFAULT PRIVILEGES ...`
    AlterDefaultPrivileges,
    /// Any other `ALTER ...`
    Alter {
        /// What is changed.
        kind: ObjectKind,
        /// Its name.
        name: Option<Name<'a>>,
        /// The table of a trigger, a policy or a rule.
        on: Option<Name<'a>>,
        /// `RENAME ...`
        renames: bool,
        /// `SET TABLESPACE` of a database.
        sets_tablespace: bool,
    },
    /// Anything else.
    Other,
}

impl<'a> Sql<'a> {
    /// What the tokens of one statement say.
    pub fn of(words: &Words<'a>) -> Sql<'a> {
        match &*words.lower(0) {
            "create" => create(words),
            "alter" => alter(words),
            "drop" => Sql::Drop(Drop::of(words)),
            "insert" => Sql::Insert(Rows::of(words, words.skip(1, &["into"]))),
            "update" | "delete" => change_of_rows(words, 0).unwrap_or(Sql::Other),
            "merge" => Sql::Merge { table: table_after(words, "into") },
            "with" => with(words),
            "copy" => Sql::Copy,
            "comment" => Sql::Comment,
            "select" | "values" => Sql::Select,
            "do" => Sql::Do,
            "call" => Sql::Call,
            "begin" => Sql::Begin,
            "start" if words.is(1, "transaction") => Sql::Begin,
            "commit" | "end" if !words.is(1, "prepared") => Sql::Commit,
            "set" => Sql::Set(Set::of(words)),
            "reset" => Sql::Reset(Reset::of(words)),
            "load" => Sql::Load,
            "discard" => Sql::Discard { all: words.is(1, "all") },
            _ => maintenance(words),
        }
    }

    /// What it creates, or replaces.
    pub fn made(&self) -> Option<Object> {
        let name = match self {
            Sql::CreateTable(table) => Some(table.name),
            Sql::CreateIndex(index) => index.name,
            Sql::CreateOnTable(made) => made.name,
            Sql::CreateDomain(domain) => Some(domain.name),
            Sql::Create(made) => made.name,
            _ => None,
        };
        name.map(|name| name.object())
    }

    /// What it creates and what did not exist before: `CREATE OR REPLACE` may have found it.
    pub fn created(&self) -> Option<Object> {
        let or_replace = match self {
            Sql::CreateOnTable(made) => made.or_replace,
            Sql::Create(made) => made.or_replace,
            _ => false,
        };
        if or_replace { None } else { self.made() }
    }

    /// The objects that exist already, and which it changes, locks or drops.
    pub fn targets(&self) -> Vec<Object> {
        let one = |name: &Option<Name<'_>>| name.iter().map(Name::object).collect();
        let all = |names: &[Name<'_>]| names.iter().map(Name::object).collect();
        match self {
            Sql::Truncate { tables } | Sql::Lock { tables, .. } | Sql::Vacuum { tables, .. } => all(tables),
            Sql::Insert(rows) | Sql::Update(rows) | Sql::Delete(rows) => one(&rows.table),
            Sql::Merge { table } | Sql::Cluster { table } => one(table),
            Sql::Reindex { name, .. } => one(name),
            Sql::Refresh { view, .. } => one(view),
            Sql::CreateIndex(index) => one(&index.table),
            Sql::CreateOnTable(made) => one(&made.table),
            Sql::Drop(dropped) if dropped.kind.is_on_table() => one(&dropped.on),
            Sql::Drop(dropped) => all(&dropped.names),
            Sql::AlterTable(altered) => vec![altered.table.object()],
            Sql::AlterDomain { name, .. } => vec![name.object()],
            Sql::Alter { kind, on, .. } if kind.is_on_table() => one(on),
            Sql::Alter { name, .. } => one(name),
            _ => Vec::new(),
        }
    }

    /// True for every statement with the key word `CONCURRENTLY`.
    pub fn is_concurrently(&self) -> bool {
        match self {
            Sql::CreateIndex(CreateIndex { concurrently, .. })
            | Sql::Drop(Drop { concurrently, .. })
            | Sql::Refresh { concurrently, .. }
            | Sql::Reindex { concurrently, .. }
            | Sql::Repack { concurrently } => *concurrently,
            Sql::AlterTable(altered) => altered
                .actions
                .iter()
                .any(|action| matches!(action.change, TableChange::DetachPartition { concurrently: true, .. })),
            _ => false,
        }
    }
}

fn create<'a>(words: &Words<'a>) -> Sql<'a> {
    let (kind, index) = ObjectKind::read(words);
    match kind {
        ObjectKind::Table | ObjectKind::ForeignTable => CreateTable::of(words, index).map(Sql::CreateTable),
        ObjectKind::Index => Some(Sql::CreateIndex(CreateIndex::of(words, index))),
        ObjectKind::Domain => CreateDomain::of(words, index).map(Sql::CreateDomain),
        _ if kind.is_on_table() => Some(Sql::CreateOnTable(CreateOnTable::of(words, kind, index))),
        _ => None,
    }
    .unwrap_or_else(|| Sql::Create(Create::of(words, kind, index)))
}

fn alter<'a>(words: &Words<'a>) -> Sql<'a> {
    let (kind, index) = ObjectKind::read(words);
    let index = words.skip(index, &["if", "exists"]);
    let name = Name::read(words, words.skip(index, &["only"]));
    let end = name.map_or(index, |(_, end)| end);
    let name = name.map(|(name, _)| name).filter(|_| kind != ObjectKind::EventTrigger);
    match (kind, name) {
        (ObjectKind::Table, Some(_)) => AlterTable::of(words).map_or(Sql::Other, Sql::AlterTable),
        (ObjectKind::Domain, Some(name)) => Sql::AlterDomain {
            name,
            constrains: words.is(end, "add") || words.is(end, "set") && words.is(end + 1, "not"),
            not_valid: is_not_valid(words),
        },
        (ObjectKind::Subscription, _) => {
            let asks = words.is_any(end, &["refresh", "set", "add", "drop"]) && words.is(end + 1, "publication");
            let with = words.find("with");
            let off = with.is_some_and(|with| flag(words, with + 1, "refresh") == Some(false));
            Sql::AlterSubscription { refreshes: asks && !off, sets_slot: words.has("slot_name") }
        }
        _ if words.is(1, "default") => Sql::AlterDefaultPrivileges,
        _ => Sql::Alter {
            kind,
            name,
            on: if kind.is_on_table() { table_after(words, "on") } else { None },
            renames: words.find("rename").is_some(),
            sets_tablespace: words.is(end, "set") && words.is(end + 1, "tablespace"),
        },
    }
}

/// `VACUUM` and its like, `TRUNCATE`, `LOCK`.
fn maintenance<'a>(words: &Words<'a>) -> Sql<'a> {
    let name = |index| Name::read(words, index).map(|(name, _)| name);
    let behind_options = words.behind_parentheses(1);
    match &*words.lower(0) {
        "truncate" => Sql::Truncate { tables: Name::list(words, words.skip(1, &["table"])) },
        "lock" => Sql::Lock { tables: Name::list(words, words.skip(1, &["table"])), mode: mode(words) },
        "vacuum" => {
            let is_option = |at: &usize| words.is_any(*at, &["full", "freeze", "verbose", "analyze"]);
            let start = (behind_options..=words.tokens.len()).find(|at| !is_option(at)).unwrap_or(behind_options);
            let full = words.is(1, "full") || flag(words, 1, "full") == Some(true);
            Sql::Vacuum { full, tables: Name::list(words, start) }
        }
        "analyze" | "analyse" => Sql::Analyze,
        "cluster" => Sql::Cluster { table: name(words.skip(behind_options, &["verbose"])) },
        "repack" => Sql::Repack { concurrently: is_concurrent(words) },
        "reindex" => Sql::Reindex {
            object: match &*words.lower(behind_options) {
                "index" => Some(ReindexObject::Index),
                "table" => Some(ReindexObject::Table),
                "schema" => Some(ReindexObject::Schema),
                "database" | "system" => Some(ReindexObject::Database),
                _ => None,
            },
            name: name(words.skip(behind_options + 1, &["concurrently"])),
            concurrently: is_concurrent(words),
        },
        "refresh" if words.is(1, "materialized") => Sql::Refresh {
            view: name(words.skip(3, &["concurrently"])),
            concurrently: words.is(3, "concurrently"),
            with_data: !words.find("no").is_some_and(|no| words.is(no + 1, "data")),
        },
        _ => Sql::Other,
    }
}

/// `CONCURRENTLY` of `REINDEX` and `REPACK`, as a word or in the parentheses of the options.
fn is_concurrent(words: &Words<'_>) -> bool {
    words.find("concurrently").is_some() || flag(words, 1, "concurrently") == Some(true)
}

/// `LOCK [TABLE] ... [IN x MODE]`; without a mode it is the strongest.
fn mode(words: &Words<'_>) -> LockMode {
    let Some(start) = words.find("in").map(|at| at + 1) else { return LockMode::AccessExclusive };
    let end = (start..words.tokens.len()).find(|&at| words.is(at, "mode")).unwrap_or(start);
    let named: Vec<&str> = (start..end).map(|at| words.at(at)).collect();
    let named = named.join(" ");
    let is_named = |mode: &LockMode| mode.to_string().eq_ignore_ascii_case(&named);
    LockMode::ALL.into_iter().find(is_named).unwrap_or(LockMode::AccessExclusive)
}

/// The `UPDATE` or `DELETE` whose verb is at an index.
fn change_of_rows<'a>(words: &Words<'a>, verb: usize) -> Option<Sql<'a>> {
    if words.is(verb, "update") {
        Some(Sql::Update(Rows::of(words, verb + 1)))
    } else {
        (words.is(verb, "delete") && words.is(verb + 1, "from")).then(|| Sql::Delete(Rows::of(words, verb + 2)))
    }
}

fn with<'a>(words: &Words<'a>) -> Sql<'a> {
    const VERBS: &[&str] = &["update", "delete", "insert", "merge"];
    let is_main = |&at: &usize| words.at(at - 1) == ")" && words.is_any(at, &["update", "delete"]);
    let begins = |at: usize| ["(", ")"].contains(&words.at(at - 1)) && words.is_any(at, VERBS);
    let main = (1..words.tokens.len()).find(is_main).and_then(|at| change_of_rows(words, at));
    Sql::With { main: main.map(Box::new), changes_rows: (1..words.tokens.len()).any(begins) }
}

#[cfg(test)]
mod tests;
