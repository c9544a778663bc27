//! docs/evidence: the index names each page, and the command that writes it, which the page names too.

use std::collections::BTreeSet;
use std::fs;

use crate::workspace::repository;

#[test]
fn every_page_of_evidence_is_listed_with_the_command_that_writes_it() {
    let folder = repository().join("docs/evidence");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut listed = BTreeSet::new();
    for row in index.lines().filter(|line| line.starts_with("| [")) {
        let page = row.split(['(', ')']).nth(1).unwrap();
        let command = row.rsplit('`').nth(1).unwrap();
        let text = fs::read_to_string(folder.join(page)).unwrap();
        let beginning: String = text.lines().take(4).collect();
        // A page may say with which seed.
        let named = beginning.split('`').nth(1).unwrap();
        assert!(
            command.starts_with(named) || named.starts_with(command),
            "{page} is written by `{named}`, not by `{command}`"
        );
        listed.insert(page.to_owned());
    }
    let pages: BTreeSet<String> =
        super::pages("evidence").iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(listed, pages);
}
