//! The statements from one schema to another: a diff of two databases, each read once.
//!
//! Pure but for [`Catalog::read`]. What is new or gone as a whole is known from pg_dump's table of contents, so that every kind of object
//! is; what changes in place has a rule each, in `rules`. The way back is the same question asked the other way round.

mod accept;
mod catalog;
mod column;
mod entry;
mod hint;
mod join;
mod key;
mod named;
mod order;
mod prove;
mod relation;
mod rules;
mod spell;
mod twins;
mod work;
mod write;

#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::thread;

pub use catalog::Catalog;
pub use hint::hint;
use key::Key;
use migrator_engine::facts::diff;
use migrator_sql::parse::with_deep_stack;
pub use named::{Alike, alike};
pub(crate) use named::{is_there, renaming};
pub use prove::{Proof, Reached, Set};
pub(crate) use twins::twins;
use work::{Statement, Work};
pub use write::File;
pub(crate) use write::presence;
use write::{Ways, Written};

/// The files that lead from one schema to another, up and down, and what they cost.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// In the order in which they are applied; none: the schemas are the same.
    pub files: Vec<File>,
    /// What holds data and is dropped on the way up: `core.users.name`.
    pub losses: Vec<String>,
    /// What is left to the reader to decide, a sentence each.
    pub notes: Vec<String>,
}

impl Draft {
    /// Finds the way from one schema to the other, and back. Nothing says yet that it leads there: that is for a server to show.
    ///
    /// `online`: what would read a whole table, or have its writers wait, has a file of its own.
    pub fn between(from: &Catalog, to: &Catalog, online: bool) -> Draft {
        Draft::of(from, to, online, both_ways(from, to))
    }

    fn of(from: &Catalog, to: &Catalog, online: bool, (up, down): (Way, Way)) -> Draft {
        if up.statements.is_empty() {
            return Draft::default();
        }
        let name = |key: &Key| match (key.part.is_empty(), key.kind.as_str()) {
            (true, _) => key.object.clone(),
            (false, "label") => format!("{}.\"{}\"", key.object, key.part.replace('"', "\"\"")),
            _ => format!("{}.{}", key.object, key.part),
        };
        let required = up.statements.iter().filter(|statement| required(from, to, statement));
        let required = required.map(|statement| name(&statement.key)).collect::<Vec<_>>();
        let ways = Ways::new(from, to, up.statements, down.statements);
        let Written { mut files, mut notes } = if online { ways.online() } else { ways.one() };
        notes.extend(
            required.iter().filter(|_| !online).map(|column| {
                format!("`{column}` is required and has no default: `up` fails where the table has rows")
            }),
        );
        let losing = files.iter_mut().find(|file| file.does.is_empty());
        if let Some(file) = losing {
            // A line break would end the comment, and what follows it would be run.
            let names = down.loses.iter().map(name).filter(|name| !name.contains(['\n', '\r']));
            file.down.comments.extend(names.map(|name| format!("migrate:loses {name}")));
        }
        Draft { files, losses: up.loses.iter().map(name).collect(), notes }
    }

    /// The statements that add labels which another statement uses: that is only possible once they are committed.
    pub(crate) fn used_labels(&self) -> Vec<String> {
        let statements = || self.files.iter().flat_map(|file| &file.up.statements);
        let label = |statement: &str| {
            let (_, rest) = statement.strip_prefix("ALTER TYPE ")?.split_once(" ADD VALUE ")?;
            let end = [" AFTER ", " BEFORE "].iter().find_map(|word| rest.rfind(word)).unwrap_or(rest.len());
            rest.get(..end).map(str::to_owned)
        };
        let is_used = |label: &str| statements().any(|other| !other.contains(" ADD VALUE ") && other.contains(label));
        statements().filter(|one| label(one).is_some_and(|label| is_used(&label))).cloned().collect()
    }

    /// This one, in a file that is called so, and another one after it.
    pub(crate) fn then(mut self, does: &str, next: Draft) -> Draft {
        for file in self.files.iter_mut().filter(|file| file.does.is_empty()) {
            file.does = does.to_owned();
        }
        self.files.extend(next.files);
        self.losses.extend(next.losses);
        self.notes.extend(next.notes);
        self
    }

    /// Puts statements before everything else, each with the one that takes it back.
    pub(crate) fn rename(&mut self, renames: &[(String, String)]) {
        if renames.is_empty() {
            return;
        }
        if self.files.first().is_none_or(|first| !first.does.is_empty()) {
            let does = if self.files.is_empty() { "" } else { "rename" };
            self.files.insert(0, File { does: does.to_owned(), ..File::default() });
        }
        if let Some(first) = self.files.first_mut() {
            first.up.statements.splice(0..0, renames.iter().map(|(up, _)| up.clone()));
            first.down.statements.extend(renames.iter().rev().map(|(_, down)| down.clone()));
        }
    }
}

/// Whether the statement adds a column for which the rows that are there have no value.
fn required(from: &Catalog, to: &Catalog, statement: &Statement) -> bool {
    let key = &statement.key;
    key.kind == "column"
        && from.column(&key.object, &key.part).is_none()
        && to.column(&key.object, &key.part).is_some_and(column::Column::lacks_value)
}

/// The way from one schema to another.
struct Way {
    statements: Vec<Statement>,
    loses: Vec<Key>,
}

/// Up and down, which do not depend on each other, at the same time; on deep stacks, as a chain of views can have any length.
fn both_ways(from: &Catalog, to: &Catalog) -> (Way, Way) {
    thread::scope(|scope| {
        let down = scope.spawn(|| with_deep_stack(|| Way::between(to, from, true)));
        let up = with_deep_stack(|| Way::between(from, to, false));
        (up, down.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

impl Way {
    fn between(from: &Catalog, to: &Catalog, is_rollback: bool) -> Way {
        let mut work = Work::new(from, to, is_rollback);
        for difference in diff(&from.facts, &to.facts) {
            rules::apply(&mut work, &difference);
        }
        let loses = work.loses.iter().cloned().collect();
        Way { statements: order::order(work), loses }
    }
}

impl Catalog {
    /// The facts, without owners.
    pub fn facts(&self) -> &migrator_engine::facts::Facts {
        &self.facts
    }
}
