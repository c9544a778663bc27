//! docs/evidence/faults.md. Pure, but for what it says of the machine.

use std::fmt::Write as _;

/// What a whole sweep has come to.
pub(crate) struct Swept<'a> {
    pub(crate) seed: usize,
    pub(crate) points: usize,
    pub(crate) not_reached: usize,
    pub(crate) violations: usize,
    pub(crate) seconds: u64,
    /// The names of the columns, and the rows: what went wrong, and the numbers.
    pub(crate) heading: &'a [&'a str],
    pub(crate) rows: Vec<(String, Vec<usize>)>,
}

/// The page; `circumstances`: commit, time, server and machine in one sentence.
pub(crate) fn page(swept: &Swept, circumstances: &str) -> String {
    let mut page = format!(
        "# Faults\n\n`cargo xtask chaos --seed {}` has written this page; do not edit it. {circumstances}\n\n\
         A proxy between the migrator and a real server breaks the connection, the process or the server at every message that `up`, `down`, \
         `seed`, `stamp`, `adopt` and `resolve` send, before it or after it, as the seed says. After each fault the database is read past the \
         migrator, and compared with what was said; then the way out is taken, and everything has to be there once.\n\n\
         **{} points in {} s; at {} of them a promise was broken.** {} of the points were not reached, because the run had ended before.\n\n\
         *decisions*: how often a person had to say, with `migrator resolve`, what became of a statement. *killed*: the migrator itself was.\n\n",
        swept.seed, swept.points, swept.seconds, swept.violations, swept.not_reached
    );
    let _ = writeln!(page, "| {} |\n|{}", swept.heading.join(" | "), "---|".repeat(swept.heading.len()));
    for (name, numbers) in &swept.rows {
        let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
        let _ = writeln!(page, "| {name} | {} |", numbers.join(" | "));
    }
    page
}

#[test]
fn the_page_has_what_was_swept() {
    let swept = Swept {
        seed: 7,
        points: 12,
        not_reached: 1,
        violations: 0,
        seconds: 3,
        heading: &["fault", "points", "violations"],
        rows: vec![("up: cut".to_owned(), vec![12, 0])],
    };
    let page = page(&swept, "Commit x.");
    assert!(page.contains("`cargo xtask chaos --seed 7` has written this page; do not edit it. Commit x.\n"), "{page}");
    assert!(page.contains("**12 points in 3 s; at 0 of them a promise was broken.** 1 of the points"), "{page}");
    assert!(page.ends_with("\n| fault | points | violations |\n|---|---|---|\n| up: cut | 12 | 0 |\n"), "{page}");
}
