//! What `cargo xtask check` finds in the new files and no other form avoids: a line above the statement says so, for the reader to decide.

use std::ops::Range;

use migrator_engine::Embedded;
use migrator_engine::embedded::Migration;
use migrator_lint::Hazard;

use super::write::File;

/// Writes the lines into the files, which are the migrations of the set after `before`. True if there were any.
pub(super) fn accept(set: &Embedded, before: i64, files: &mut [File]) -> bool {
    let hazards = migrator_lint::search_in(set, |migration| migration.number > before);
    let new = set.migrations.iter().filter(|migration| migration.number > before);
    let mut is_any = false;
    for (migration, file) in new.zip(files) {
        for hazard in hazards.iter().filter(|hazard| hazard.file == *migration.file) {
            if let Some(place) = place(migration, hazard) {
                let reason = file.harmless.map_or_else(|| reason(hazard), str::to_owned);
                let line = format!("migrate:allow {} {reason}", hazard.rule);
                file.up.accepted.entry(place).or_default().push(line);
                is_any = true;
            }
        }
    }
    is_any
}

/// The statement of the up block in which it was found.
fn place(migration: &Migration, hazard: &Hazard) -> Option<usize> {
    let line = migration.text.split_inclusive('\n').take(hazard.line.saturating_sub(1)).map(str::len).sum::<usize>();
    let rest = migration.text.get(line..)?;
    let at = line + rest.chars().take(hazard.column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let ranges: Vec<&Range<usize>> = migration.up.statements.iter().map(|statement| &statement.range).collect();
    ranges.iter().rposition(|range| range.start <= at).filter(|place| at < ranges[*place].end)
}

/// What there is to decide: what is dangerous about it, and what the other way is.
fn reason(hazard: &Hazard) -> String {
    let help = hazard.help.split_once("`-- migrate:allow").map_or(&*hazard.help, |(help, _)| help);
    let help = help.trim_end_matches([' ', ':']).trim_end_matches("; or");
    let help = help.strip_suffix(", and allow it").unwrap_or(help);
    format!("to be decided: {}; otherwise {help}", hazard.reason)
}
