//! What is to become of one statement, as a form says it: the layout makes files of it.

use migrator_lint::Hazard;
use migrator_sql::{AlterTable, AlterTableAction, Object, Sql, Words};

use super::edit::Edit;
use super::source::{Source, Statement};
use super::tables::Tables;

/// When a further file is applied: those of one stage that may share a file do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Rows get their values, in batches.
    Fill,
    /// Constraints that hold for new rows from now on.
    Check,
    /// Rows are checked, and no one waits.
    Validate,
    /// What has been validated is relied on, in the same file: the lock comes after the work.
    Require,
    /// Outside of a transaction: indexes.
    Alone,
}

impl Stage {
    /// Whether the file has `transaction:false`. dbmate sends such a file as one message: each statement has its own.
    pub(super) fn is_alone(self) -> bool {
        matches!(self, Stage::Fill | Stage::Alone)
    }
}

/// What the down block may do about something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undo {
    /// `DROP INDEX`
    DropIndex(Object),
    /// `CREATE INDEX`
    MakeIndex(Object),
    /// `ALTER TABLE ... DROP CONSTRAINT`
    DropConstraint(Object, String),
    /// `ALTER TABLE ... ATTACH PARTITION`
    Attach(Object),
}

/// A statement of a further file's down block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Back {
    /// This one.
    Write(String),
    /// The one that the down block has for it, as fit for live traffic as it can be; else this one.
    Take(Undo, Option<String>),
}

/// Statements that go into a further file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) stage: Stage,
    /// What the file is called after the migration: `validate`.
    pub(super) does: String,
    /// Each without its semicolon.
    pub(super) up: Vec<String>,
    pub(super) down: Vec<Back>,
}

/// A constraint that says that a column is not NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Presence {
    pub(super) table: Object,
    pub(super) column: String,
    /// What drops it, as an action of `ALTER TABLE`.
    pub(super) drop: String,
    /// The same as a statement.
    pub(super) statement: String,
}

/// What is to be done about one hazard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remedy {
    /// Edits of the statement.
    pub(super) edits: Vec<Edit>,
    /// Statements right after it.
    pub(super) after: Vec<String>,
    /// The statement, with its edits, goes into a file without a transaction: the name of that, and what takes it back.
    pub(super) alone: Option<(String, Vec<Back>)>,
    /// The actions of `ALTER TABLE` that are taken out.
    pub(super) actions: Vec<usize>,
    /// The statement, and what follows it, each go into a file of their own.
    pub(super) cut: bool,
    /// What follows the statement may rely on all that is done about it.
    pub(super) in_order: bool,
    /// What further files do.
    pub(super) parts: Vec<Part>,
    /// Columns whose `DROP NOT NULL` becomes the rollback of a constraint.
    pub(super) presences: Vec<Presence>,
    /// The hazard is not about locks: the files may take the same ones.
    pub(super) is_style: bool,
}

impl Remedy {
    /// Edits where the statement stands.
    pub(super) fn edits(edits: Vec<Edit>) -> Remedy {
        Remedy { edits, ..Remedy::default() }
    }
}

/// What a form finds, or why there is no mechanical way.
pub(super) type Outcome = Result<Remedy, String>;

/// A hazard where it is.
#[derive(Clone, Copy)]
pub(super) struct Case<'c, 't> {
    pub(super) source: &'c Source<'t>,
    pub(super) statement: &'c Statement<'t>,
    /// The place of the statement in the up block.
    pub(super) index: usize,
    pub(super) hazard: &'c Hazard,
    pub(super) tables: &'c Tables,
}

impl<'c, 't> Case<'c, 't> {
    pub(super) fn words(&self) -> &'c Words<'t> {
        &self.statement.words
    }

    /// The byte of the text at which a token of the statement starts.
    pub(super) fn start_of(&self, token: usize) -> usize {
        self.words().tokens.get(token).map_or(self.words().range().end, |token| token.start())
    }

    /// The byte after a token of the statement.
    pub(super) fn end_of(&self, token: usize) -> usize {
        self.words().tokens.get(token).map_or(self.words().range().end, |token| token.end())
    }

    /// The statement and its actions that have the hazard.
    ///
    /// # Errors
    /// It is in another statement.
    pub(super) fn actions(&self) -> Result<(&'c AlterTable<'t>, Vec<usize>), String> {
        let Sql::AlterTable(altered) = &self.statement.sql else {
            return Err("only `ALTER TABLE` has a mechanical safe form for it".to_owned());
        };
        let is_meant = |action: &AlterTableAction<'_>| {
            let range = action.words.range();
            self.hazard.places.iter().any(|at| range.contains(at))
        };
        let meant: Vec<usize> = (0..altered.actions.len()).filter(|&at| is_meant(&altered.actions[at])).collect();
        match (meant.is_empty(), altered.actions.len()) {
            (false, _) => Ok((altered, meant)),
            // What is found is the statement as a whole.
            (true, 1) => Ok((altered, vec![0])),
            _ => Err("it is not said which action of the statement is meant".to_owned()),
        }
    }

    /// Everything before the first action, on one line: `ALTER TABLE IF EXISTS ONLY core.t`.
    pub(super) fn alter_table(&self) -> String {
        let Sql::AlterTable(altered) = &self.statement.sql else { return String::new() };
        let exists = if self.words().skip(2, &["if", "exists"]) > 2 { "IF EXISTS " } else { "" };
        let only = if altered.only { "ONLY " } else { "" };
        format!("ALTER TABLE {exists}{only}{}", altered.table.as_written())
    }

    /// The statements after it in the block.
    pub(super) fn later(&self) -> impl Iterator<Item = &'c Sql<'t>> + use<'c, 't> {
        self.source.up.statements[self.index + 1..].iter().map(|statement| &statement.sql)
    }

    /// Whether later statements are about rows, and may rely on what this one does.
    pub(super) fn is_relied_on(&self) -> bool {
        self.source.up.transaction && self.later().any(is_about_rows)
    }
}

/// What reads or changes rows, or may.
pub(super) fn is_about_rows(sql: &Sql<'_>) -> bool {
    matches!(
        sql,
        Sql::Insert(_)
            | Sql::Update(_)
            | Sql::Delete(_)
            | Sql::Merge { .. }
            | Sql::With { .. }
            | Sql::Copy
            | Sql::Do
            | Sql::Call
            | Sql::Select
            | Sql::Truncate { .. }
            | Sql::Other
    )
}
