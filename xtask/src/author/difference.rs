//! What would be written, as a unified diff.

use migrator_diagnostic::printable;
use similar::TextDiff;

/// A new file of more lines than this is cut.
pub(super) const LONGEST: usize = 40;

/// So many lines of it are shown then.
pub(super) const SHOWN: usize = 8;

/// One file; `old`: what is there, if anything.
pub(super) fn of_file(shown: &str, old: Option<&str>, new: &str) -> String {
    match old {
        Some(old) => edit(shown, old, new),
        None => new_file(shown, new),
    }
}

fn new_file(shown: &str, new: &str) -> String {
    let count = new.lines().count();
    let first = if count > LONGEST { SHOWN } else { count };
    let lines: String = new.lines().take(first).map(|line| format!("+{line}\n")).collect();
    let rest = if count > first { format!("... {} more lines\n", count - first) } else { String::new() };
    let hunk = if count == 0 { String::new() } else { format!("@@ -0,0 +1,{count} @@\n") };
    format!("--- /dev/null\n+++ {}\n{hunk}{}{rest}", printable::line(shown), printable::text(&lines))
}

fn edit(shown: &str, old: &str, new: &str) -> String {
    let name = printable::line(shown).into_owned();
    let diff = TextDiff::from_lines(old, new);
    let diff = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    // A carriage return is what many files have at the ends of their lines.
    let lines: String = diff.lines().map(|line| format!("{}\n", line.trim_end_matches('\r'))).collect();
    printable::text(&lines).into_owned()
}
