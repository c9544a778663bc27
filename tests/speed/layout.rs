//! The same migrations in the form of every tool.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// A migration before it has a form.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) number: usize,
    /// Statements without their semicolons.
    pub(crate) up: Vec<String>,
    pub(crate) down: String,
    pub(crate) transaction: bool,
}

impl Draft {
    fn up_text(&self) -> String {
        self.up.iter().map(|statement| format!("{statement};\n")).collect()
    }

    /// Our form, which is dbmate's.
    fn ours(&self) -> String {
        let option = if self.transaction { "" } else { " transaction:false" };
        format!("-- migrate:up{option}\n{}\n-- migrate:down{option}\n{};\n", self.up_text(), self.down)
    }
}

/// Changes when what is written changes.
const FORM: &str = "1";

/// Writes all forms below a folder, unless they are there.
///
/// `db/migrations` is ours and dbmate's; `sqlx`, `refinery` and `diesel` are directories; `all.sql` is for psql, `floor` for the floor.
pub(crate) fn write(folder: &Path, migrations: &[Draft]) -> Result<()> {
    let written = folder.join("written");
    if fs::read_to_string(&written).is_ok_and(|form| form == FORM) {
        return Ok(());
    }
    let _ = fs::remove_dir_all(folder);
    for name in ["db/migrations", "sqlx", "refinery", "diesel"] {
        fs::create_dir_all(folder.join(name)).with_context(|| folder.display().to_string())?;
    }
    let (mut all, mut floor) = (String::new(), String::new());
    for draft in migrations {
        let (number, up, down) = (draft.number, draft.up_text(), format!("{};\n", draft.down));
        fs::write(folder.join(format!("db/migrations/{number:06}_m{number}.sql")), draft.ours())?;
        fs::write(folder.join(format!("refinery/V{number}__m{number}.sql")), &up)?;
        // Both tools see here that a file must not run in a transaction.
        let marker = if draft.transaction { "" } else { "-- no-transaction\n" };
        fs::write(folder.join(format!("sqlx/{number}_m{number}.sql")), format!("{marker}{up}"))?;
        let diesel = folder.join(format!("diesel/{number:06}_m{number}"));
        fs::create_dir(&diesel)?;
        fs::write(diesel.join("up.sql"), &up)?;
        fs::write(diesel.join("down.sql"), &down)?;
        if !draft.transaction {
            fs::write(diesel.join("metadata.toml"), "run_in_transaction = false\n")?;
        }
        all.push_str(&up);
        floor.push_str(&format!("{number:06}\x01{}\0", draft.up.join("\x02")));
    }
    fs::write(folder.join("all.sql"), all)?;
    fs::write(folder.join("floor"), floor)?;
    Ok(fs::write(written, FORM)?)
}
