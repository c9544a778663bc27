//! A step for people and for programs. Pure.

use serde_json::json;

use super::step::Step;

impl Step {
    /// The step for programs, with its SQL if that is wanted.
    pub fn json(&self, sql: bool) -> serde_json::Value {
        let mut value = match self {
            Step::Migration { migration, direction, resume, .. } => json!({
                "kind": "migration",
                "direction": direction.word(),
                "version": migration.version,
                "name": migration.name,
                "file": migration.file,
                "checksum": migration.checksum,
                "transaction": migration.block(*direction).is_some_and(|block| block.options.transaction),
                "statements_done": resume.as_ref().map_or(0, |progress| progress.done.len()),
            }),
            Step::Repeatable(script) => {
                json!({ "kind": "repeatable", "name": script.name, "file": script.file, "checksum": script.checksum })
            }
        };
        if sql {
            value["sql"] = self.sql().into();
        }
        value
    }

    /// The SQL that it runs.
    pub fn sql(&self) -> &'static str {
        match self {
            Step::Migration { migration, direction, .. } => {
                migration.block(*direction).map_or("", |block| block.sql(&migration.text))
            }
            Step::Repeatable(script) => &script.text,
        }
    }

    /// `would apply 003_add_x`, and how, where that is not the usual way.
    pub fn sentence(&self) -> String {
        match self {
            Step::Migration { migration, direction, resume, .. } => {
                let alone = migration.block(*direction).is_some_and(|block| !block.options.transaction);
                let resumed = resume.as_ref().map(|progress| format!(", statements done: {}", progress.done.len()));
                let how = match alone {
                    true => format!(" (outside a transaction{})", resumed.unwrap_or_default()),
                    false => String::new(),
                };
                format!("would apply {}{how}", self.label())
            }
            Step::Repeatable(_) => format!("would apply repeatable {}", self.label()),
        }
    }
}
