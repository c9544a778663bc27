//! What is traced.

use migrator_engine::embedded::{Block, Migration, Script, Statement};

/// What is run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    /// A migration, upwards; its row is written.
    Migration(&'static Migration),
    /// A repeatable; nothing is written about it.
    Repeatable(&'static Script),
}

impl Subject {
    /// `003_add_x`, or a repeatable's name.
    pub(super) fn label(&self) -> String {
        match self {
            Subject::Migration(migration) => migration.label(),
            Subject::Repeatable(script) => script.name.to_string(),
        }
    }

    pub(super) fn block(&self) -> Option<&'static Block> {
        match self {
            Subject::Migration(migration) => Some(&migration.up),
            Subject::Repeatable(_) => None,
        }
    }

    pub(super) fn statements(&self) -> &'static [Statement] {
        match self {
            Subject::Migration(migration) => &migration.up.statements,
            Subject::Repeatable(script) => &script.statements,
        }
    }

    pub(super) fn source(&self) -> (&'static str, &'static str) {
        match self {
            Subject::Migration(migration) => (&*migration.file, &*migration.text),
            Subject::Repeatable(script) => (&*script.file, &*script.text),
        }
    }

    pub(super) fn sql(&self, index: usize) -> &'static str {
        &self.source().1[self.statements()[index].range.clone()]
    }

    pub(super) fn is_transactional(&self) -> bool {
        self.block().is_none_or(|block| block.options.transaction)
    }
}
