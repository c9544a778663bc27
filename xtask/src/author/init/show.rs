//! What would be written, as a unified diff.

use super::plan::{Change, Plan};
use crate::author::difference::of_file;

/// The edits last, nearest to the question.
pub(super) fn diff(plan: &Plan) -> String {
    let (created, edited): (Vec<&Change>, Vec<&Change>) = plan.changes.iter().partition(|change| change.old.is_none());
    let shown = |change: &Change| of_file(&change.shown, change.old.as_deref(), &change.new);
    created.into_iter().chain(edited).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::author::difference::{LONGEST, SHOWN};

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
