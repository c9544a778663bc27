//! docs/from-schema.md: what becomes of each kind of fact, from the tables that decide it.

use migrator_build::FACT_KINDS;

use super::{BESIDE, RULES};
use crate::author::diff::catalog::Catalog;
use crate::author::diff::hint::HINTS;
use crate::author::diff::key::Key;
use crate::author::diff::spell;

const HEAD: &str = "# What `new --from-schema` does about each kind of object

A test writes this page from the tables of the code (`UPDATE_EXPECT=1 cargo test --lib -- author::diff::rules::tests`); do not edit it.

New objects are created as pg_dump writes them, and removed objects are dropped. Recreating an object first drops what depends on it, and
restores that afterwards. A recreated table or column is empty: this is reported, and needs `--allow-drop`.
Every result is proved: any remaining difference is reported, with the way out where one is known, and only a `.partial` file is written.

| kind | changes in place | otherwise |
|---|---|---|
";

/// What becomes of a kind where it does not change in place.
fn otherwise(kind: &str) -> String {
    if kind == "owner" {
        return "left out: owners are not compared".to_owned();
    }
    let refused = HINTS.iter().find(|hint| hint.is_whole && hint.kinds.contains(&kind));
    if let Some(hint) = refused {
        return format!("refused: {}", hint.way_out);
    }
    // Some names are read from their end.
    let objects = ["s.o", "s.o FOR l"];
    let is_dropped =
        objects.iter().any(|object| spell::drop(&Catalog::default(), &Key::new(object, kind, "p")).is_some());
    if is_dropped { "recreated".to_owned() } else { "".to_owned() }
}

fn in_place(kind: &str) -> &'static str {
    let known = RULES.iter().chain(BESIDE).find(|(of, ..)| *of == kind);
    known.map_or("", |(_, _, what)| what)
}

#[test]
fn the_page_says_what_becomes_of_each_kind() {
    let mut page = HEAD.to_owned();
    for kind in FACT_KINDS {
        let (in_place, otherwise) = (in_place(kind), otherwise(kind));
        assert!(!in_place.is_empty() || !otherwise.is_empty(), "nothing is said of the kind `{kind}`");
        page.push_str(&format!("| `{kind}` | {in_place} | {otherwise} |\n"));
    }
    page.push_str("\nOf kinds that are written otherwise, this is refused:\n\n");
    for hint in HINTS.iter().filter(|hint| !hint.is_whole) {
        page.push_str(&format!("- {}: {}\n", hint.what, hint.way_out));
    }
    expect_test::expect_file!["../../../../../docs/from-schema.md"].assert_eq(&page);
}

#[test]
fn every_rule_is_of_a_kind_that_there_is() {
    for (kind, ..) in RULES.iter().chain(BESIDE) {
        assert!(FACT_KINDS.contains(kind), "{kind}");
    }
    for kind in HINTS.iter().flat_map(|hint| hint.kinds) {
        assert!(FACT_KINDS.contains(kind), "{kind}");
    }
}
