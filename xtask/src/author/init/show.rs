//! What would be written, as a unified diff.

use migrator_diagnostic::printable;
use similar::TextDiff;

use super::plan::{Change, Plan};

/// A new file of more lines than this is cut.
const LONGEST: usize = 40;

/// So many lines of it are shown then.
const SHOWN: usize = 8;

/// The edits last, nearest to the question.
pub(super) fn diff(plan: &Plan) -> String {
    let (created, edited): (Vec<&Change>, Vec<&Change>) = plan.changes.iter().partition(|change| change.old.is_none());
    created.into_iter().map(new_file).chain(edited.into_iter().map(edit)).collect()
}

fn new_file(change: &Change) -> String {
    let count = change.new.lines().count();
    let shown = if count > LONGEST { SHOWN } else { count };
    let lines: String = change.new.lines().take(shown).map(|line| format!("+{line}\n")).collect();
    let rest = if count > shown { format!("... {} more lines\n", count - shown) } else { String::new() };
    let hunk = if count == 0 { String::new() } else { format!("@@ -0,0 +1,{count} @@\n") };
    format!("--- /dev/null\n+++ {}\n{hunk}{}{rest}", printable::line(&change.shown), printable::text(&lines))
}

fn edit(change: &Change) -> String {
    let old = change.old.as_deref().unwrap_or_default();
    let name = printable::line(&change.shown).into_owned();
    let diff = TextDiff::from_lines(old, &change.new);
    let diff = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
    // A carriage return is what many files have at the ends of their lines.
    let lines: String = diff.lines().map(|line| format!("{}\n", line.trim_end_matches('\r'))).collect();
    printable::text(&lines).into_owned()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn new_files_are_cut_and_edits_come_last() {
        let mut plan = Plan::new("/w".into());
        let change = |name: &str, old: Option<&str>, new: String| Change {
            path: name.into(),
            shown: name.to_owned(),
            old: old.map(str::to_owned),
            new,
        };
        plan.changes.push(change("Cargo.toml", Some("a\r\nb\r\n"), "a\r\nb\r\nc\u{1b}\r\n".to_owned()));
        plan.changes.push(change("new", None, "x\n".repeat(LONGEST + 2)));
        let shown = diff(&plan).replace(&"+x\n".repeat(SHOWN), "+x ...\n");
        expect![[r#"
            --- /dev/null
            +++ new
            @@ -0,0 +1,42 @@
            +x ...
            ... 34 more lines
            --- Cargo.toml
            +++ Cargo.toml
            @@ -1,2 +1,3 @@
             a
             b
            +c\u{1b}
        "#]]
        .assert_eq(&shown);
    }
}
