//! `list`: the files that are inside this binary.

use serde_json::json;

use super::context::Context;
use crate::embedded::Script;
use crate::error::Exit;
use crate::output::{self, is_json, result};
use crate::words::count;

/// The arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: migrator list --json")]
pub(crate) struct Args {}

/// Prints them.
pub(crate) fn run(context: &Context, _: &Args) -> Exit {
    let embedded = context.migrator.embedded;
    let scripts = [("repeatable", &*embedded.repeatables), ("seed", &*embedded.seeds), ("check", &*embedded.checks)];
    if is_json() {
        let migrations: Vec<_> = embedded
            .migrations
            .iter()
            .map(|m| json!({ "version": m.version, "name": m.name, "file": m.file, "checksum": m.checksum, "down": m.down.is_some() }))
            .collect();
        let of = |scripts: &[Script]| -> Vec<_> {
            scripts.iter().map(|s| json!({ "name": s.name, "file": s.file, "checksum": s.checksum })).collect()
        };
        let mut value = json!({ "migrations": migrations });
        for (kind, scripts) in scripts {
            value[format!("{kind}s")] = of(scripts).into();
        }
        output::json(&value);
        result(&count(embedded.migrations.len(), "migration"));
        return Exit::Done;
    }
    for migration in embedded.migrations.iter() {
        let mut marks = Vec::new();
        if !migration.up.options.transaction {
            marks.push("transaction:false");
        }
        if migration.down.is_none() {
            marks.push("no down block");
        }
        let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
        result(&format!("migration  {}{marks}", migration.label()));
    }
    for (kind, scripts) in scripts {
        for script in scripts.iter() {
            result(&format!("{kind:<10} {}", script.name));
        }
    }
    Exit::Done
}
