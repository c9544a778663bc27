//! A file of a migration, up and down, and its text.

use std::collections::BTreeMap;

/// A block of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// What is said above the statements.
    pub(crate) comments: Vec<String>,
    pub(crate) statements: Vec<String>,
    /// Outside a transaction.
    pub(crate) alone: bool,
    /// What is accepted of a statement, by its place among them.
    pub(crate) accepted: BTreeMap<usize, Vec<String>>,
}

/// A file, up and down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct File {
    /// What it does beside the others; empty for the one that does the most.
    pub(crate) does: String,
    pub(crate) up: Block,
    pub(crate) down: Block,
    /// Why what `check` finds in it is no hazard here; `None`: that is for the reader to decide.
    pub(crate) harmless: Option<&'static str>,
}

impl Block {
    /// Statements of one transaction.
    pub(crate) fn together(statements: Vec<String>) -> Block {
        Block { statements, ..Block::default() }
    }

    /// Statements of which each has a transaction of its own, or none.
    pub(crate) fn alone(statements: Vec<String>) -> Block {
        Block { statements, alone: true, ..Block::default() }
    }

    fn text(&self, name: &str, unchecked: bool) -> String {
        let option = if self.alone { " transaction:false" } else { "" };
        let mut text = format!("-- migrate:{name}{option}\n");
        if unchecked {
            text.push_str("-- migrate:unchecked the server has written it\n");
        }
        self.comments.iter().for_each(|comment| text.push_str(&format!("-- {comment}\n")));
        let statement = |(place, statement): (usize, &String)| {
            let accepted = self.accepted.get(&place).into_iter().flatten();
            let accepted: String = accepted.map(|comment| format!("-- {comment}\n")).collect();
            format!("{accepted}{statement};\n")
        };
        let statements: Vec<String> = self.statements.iter().enumerate().map(statement).collect();
        text.push_str(&match statements.is_empty() {
            true => "DO $nothing$\nBEGIN\n    RAISE NOTICE 'nothing to do';\nEND;\n$nothing$;\n".to_owned(),
            false => statements.join("\n"),
        });
        text
    }
}

impl File {
    /// What a file is called that does something to an object: `index_users_name_idx`.
    pub(crate) fn called(does: &str, name: &str) -> String {
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        format!("{does}_{}", name.to_lowercase())
    }

    /// The file. `unchecked`: our parser does not know all of it.
    pub(crate) fn text(&self, purpose: &str, unchecked: bool) -> String {
        let more = if self.does.is_empty() { String::new() } else { format!(" ({})", self.does.replacen('_', " ", 1)) };
        let (up, down) = (self.up.text("up", unchecked), self.down.text("down", unchecked));
        format!("-- Purpose: {purpose}{more}\n\n{up}\n{down}")
    }
}
