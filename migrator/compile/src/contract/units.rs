//! The statements of a `transaction:false` block, each with its transaction. Shared by the rules about transactions.

use migrator_model::StatementKind;
use migrator_sql::{Kind, Words};

/// One statement of a block.
pub(crate) struct Step<'a> {
    pub(crate) words: &'a Words<'a>,
    pub(crate) kind: StatementKind,
    /// The `BEGIN` of the transaction that is open before this statement.
    pub(crate) opened: Option<usize>,
}

impl Step<'_> {
    /// The `BEGIN` of the transaction that is open after this statement.
    pub(crate) fn open_after(&self) -> Option<usize> {
        match self.kind {
            StatementKind::Begin => Some(self.words.start()),
            StatementKind::Commit => None,
            _ => self.opened,
        }
    }

    /// False for the `BEGIN` and `COMMIT` of the block.
    pub(crate) fn is_inner(&self) -> bool {
        !matches!(self.kind, StatementKind::Begin | StatementKind::Commit)
    }
}

pub(crate) fn steps<'a>(statements: &'a [Words<'a>]) -> Vec<Step<'a>> {
    let mut opened = None;
    let step = |words| {
        let step = Step { words, kind: migrator_sql::kind(words), opened };
        opened = step.open_after();
        step
    };
    statements.iter().map(step).collect()
}

/// The name of a statement that controls transactions.
pub(crate) fn control(words: &Words<'_>) -> Option<&'static str> {
    let first = words.at(0).to_ascii_lowercase();
    if words.tokens.first().is_none_or(|token| token.kind != Kind::Word) {
        return None;
    }
    let prepared = words.is(1, "prepared");
    let transaction = words.is(1, "transaction");
    Some(match first.as_str() {
        "begin" => "BEGIN",
        "start" if transaction => "START TRANSACTION",
        "commit" if prepared => "COMMIT PREPARED",
        "commit" => "COMMIT",
        "end" => "END",
        "rollback" if prepared => "ROLLBACK PREPARED",
        "rollback" if words.has("to") => "ROLLBACK TO",
        "rollback" => "ROLLBACK",
        "abort" => "ABORT",
        "savepoint" => "SAVEPOINT",
        "release" => "RELEASE",
        "prepare" if transaction => "PREPARE TRANSACTION",
        "set" if transaction || words.is(1, "local") && words.is(2, "transaction") => "SET TRANSACTION",
        _ => return None,
    })
}
