//! What has another name, as the developer says it.

use anyhow::{Result, bail};
use migrator_sql::{Kind, lex};

use crate::author::diff::{Alike, Catalog, is_there, renaming};
use crate::output::{self, Usage};

/// `core.users.name=full_name` or `core.users=people`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rename {
    /// Schema, table, column; quoted as it was typed.
    pub(super) old: Vec<String>,
    pub(super) new: String,
    /// The comment that says it, as `file:line`; empty: an option or an answer does.
    pub(super) place: String,
}

impl Rename {
    pub(super) fn parse(text: &str) -> Result<Rename> {
        let (old, new) = text.rsplit_once('=').unwrap_or((text, ""));
        match (names(old), names(new)) {
            (Some(old), Some(new)) if (2..=3).contains(&old.len()) && new.len() == 1 => {
                Ok(Rename { old, new: new.concat(), place: String::new() })
            }
            _ => Err(Usage(format!(
                "`--renamed {text}` does not say what has which new name\n\
                 help: write `schema.table.column=name` or `schema.table=name`; a name that needs quotes has them"
            ))
            .into()),
        }
    }

    /// As it was answered.
    pub(super) fn answered(alike: &Alike) -> Option<Rename> {
        Some(Rename { old: names(&alike.old)?, new: alike.new.clone(), place: String::new() })
    }

    /// Its name afterwards.
    fn now(&self) -> Vec<String> {
        let (_, of) = self.old.split_last().unwrap_or((&self.new, &[]));
        of.iter().chain([&self.new]).cloned().collect()
    }
}

/// The statements that rename, and those that take it back, in order: tables before what is in them.
///
/// # Errors
/// Nothing has the old name, or the schema does not have the new one.
pub(super) fn statements(renames: &[Rename], is: &Catalog, wanted: &Catalog) -> Result<Vec<(String, String)>> {
    let (whole, parts): (Vec<&Rename>, Vec<&Rename>) = renames.iter().partition(|rename| rename.old.len() == 2);
    let mut all = Vec::new();
    for rename in whole.iter().chain(&parts) {
        // Its table may have got another name just now, and be called either.
        let of = &rename.old[..2];
        let table = whole.iter().find(|table| rename.old.len() > 2 && (table.now() == of || table.old == of));
        let (mut before, mut after) = (rename.old.clone(), rename.now());
        if let Some(table) = table {
            before.splice(..2, table.old.iter().cloned());
            after.splice(..2, table.now());
        }
        let now = table.map(|table| table.now().join("."));
        match renaming(is, &before, now.as_deref(), &rename.new) {
            Some(_) if !is_there(wanted, &after) => bail!(Usage(format!(
                "the schema has no `{}`, which `{}` should be called now",
                after.join("."),
                before.join(".")
            ))),
            Some(statements) => all.push(statements),
            None if rename.place.is_empty() => {
                bail!(Usage(format!("the migrations make no `{}`, which could have another name", before.join("."))))
            }
            // A comment may stay where it is when it has been done.
            None if is_there(is, &after) => {}
            None => output::note(format!(
                "warning: {}: the migrations make no `{}`: the comment says nothing",
                rename.place,
                before.join(".")
            )),
        }
    }
    Ok(all)
}

/// The names between the points; `None`: something else is there.
pub(super) fn names(text: &str) -> Option<Vec<String>> {
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
    fn an_option_says_what_has_which_new_name() {
        let check = |text: &str, old: &[&str], new: &str| {
            let rename = Rename::parse(text).unwrap();
            assert_eq!(
                (rename.old.as_slice(), rename.new.as_str()),
                (&*old.iter().map(|one| one.to_string()).collect::<Vec<_>>(), new)
            );
        };
        check("core.users.name=full_name", &["core", "users", "name"], "full_name");
        check("core.\"a.b\"=\"C\"", &["core", "\"a.b\""], "\"C\"");
        for wrong in ["users=people", "core.users", "core.users=a.b", "core.users=x; DROP", "a.b.c.d=e", "="] {
            assert!(Rename::parse(wrong).unwrap_err().is::<Usage>(), "{wrong}");
        }
    }
}
