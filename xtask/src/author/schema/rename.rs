//! What has another name, as the developer says it.

use anyhow::Result;
use migrator_sql::{Kind, lex};

use crate::output::Usage;

/// `core.users.name=full_name` or `core.users=people`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rename {
    /// Schema, table, column; quoted as it was typed.
    old: Vec<String>,
    new: String,
}

impl Rename {
    pub(super) fn parse(text: &str) -> Result<Rename> {
        let (old, new) = text.rsplit_once('=').unwrap_or((text, ""));
        match (names(old), names(new)) {
            (Some(old), Some(new)) if (2..=3).contains(&old.len()) && new.len() == 1 => {
                Ok(Rename { old, new: new.concat() })
            }
            _ => Err(Usage(format!(
                "`--renamed {text}` does not say what has which new name\n\
                 help: write `schema.table.column=name` or `schema.table=name`; a name that needs quotes has them"
            ))
            .into()),
        }
    }

    pub(super) fn up(&self) -> String {
        self.statement(&self.old, &self.new)
    }

    pub(super) fn down(&self) -> String {
        let mut back = self.old.clone();
        let old = back.pop().unwrap_or_default();
        back.push(self.new.clone());
        self.statement(&back, &old)
    }

    fn statement(&self, path: &[String], new: &str) -> String {
        match path {
            [schema, table, column] => format!("ALTER TABLE {schema}.{table} RENAME COLUMN {column} TO {new}"),
            _ => format!("ALTER TABLE {} RENAME TO {new}", path.join(".")),
        }
    }
}

/// The names between the points; `None`: something else is there.
fn names(text: &str) -> Option<Vec<String>> {
    let tokens = lex(text).tokens;
    let name = |token: &migrator_sql::Token| {
        matches!(token.kind, Kind::Word | Kind::Quoted).then(|| token.text(text).to_owned())
    };
    let is_point = |token: &&migrator_sql::Token| token.text(text) == ".";
    let found: Vec<String> = tokens.iter().step_by(2).map(name).collect::<Option<_>>()?;
    (tokens.iter().skip(1).step_by(2).filter(is_point).count() + 1 == found.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_and_a_table_are_renamed_and_back() {
        let check = |text: &str, up: &str, down: &str| {
            let rename = Rename::parse(text).unwrap();
            assert_eq!((rename.up().as_str(), rename.down().as_str()), (up, down), "{text}");
        };
        check(
            "core.users.name=full_name",
            "ALTER TABLE core.users RENAME COLUMN name TO full_name",
            "ALTER TABLE core.users RENAME COLUMN full_name TO name",
        );
        check(
            "core.\"a.b\"=\"C\"",
            "ALTER TABLE core.\"a.b\" RENAME TO \"C\"",
            "ALTER TABLE core.\"C\" RENAME TO \"a.b\"",
        );
        for wrong in ["users=people", "core.users", "core.users=a.b", "core.users=x; DROP", "a.b.c.d=e", "="] {
            assert!(Rename::parse(wrong).unwrap_err().is::<Usage>(), "{wrong}");
        }
    }
}
