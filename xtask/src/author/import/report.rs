//! What is said of an import: for every source file what became of it.

use migrator_diagnostic::printable;

use super::compose::Composed;
use super::draft::{Found, Trouble};
use super::tool::Tool;
use migrator_engine::words::count;

/// The lines about files, in the order in which they run, then what was left out.
pub(crate) fn lines(files: &[Composed], found: &Found) -> Vec<String> {
    let sources = found.drafts.iter().map(|draft| (draft.files.join(", "), &draft.notes));
    let sources =
        sources.chain(found.repeatables.iter().map(|repeatable| (repeatable.file.clone(), &repeatable.notes)));
    let mut lines = Vec::new();
    for (file, (source, notes)) in files.iter().zip(sources) {
        lines.push(format!("{} <- {}", file.path, printable::line(&source)));
        lines.extend(notes.iter().map(|note| format!("    {note}")));
    }
    let mut left: Vec<&(String, String)> = found.left.iter().collect();
    left.sort();
    lines.extend(left.iter().map(|(file, reason)| format!("left out: {}: {reason}", printable::line(file))));
    lines
}

/// Why nothing is written.
pub(crate) fn troubles(troubles: &[Trouble]) -> Vec<String> {
    let said = |trouble: &Trouble| match (&*printable::line(&trouble.file), trouble.line) {
        ("", _) => format!("error: {}", trouble.message),
        (file, 0) => format!("error: {file}: {}", trouble.message),
        (file, line) => format!("error: {file}:{line}: {}", trouble.message),
    };
    // One mistake in a line is enough: others may follow from it.
    let mut first: Vec<&Trouble> = Vec::new();
    for trouble in troubles {
        let known = |other: &&Trouble| other.line > 0 && (&other.file, other.line) == (&trouble.file, trouble.line);
        if !first.iter().any(known) {
            first.push(trouble);
        }
    }
    first.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    first.into_iter().map(said).collect()
}

/// The last line.
pub(crate) fn end(tool: &Tool, found: &Found, numbering: &str, dry_run: bool) -> String {
    let verb = if dry_run { "would import" } else { "imported" };
    let repeatables = match found.repeatables.len() {
        0 => String::new(),
        number => format!(" and {}", count(number, "repeatable")),
    };
    let title = tool.title;
    let migrations = count(found.drafts.len(), "migration");
    format!("{verb} {migrations}{repeatables} of {title}; versions {numbering}")
}
