//! docs/SUMMARY.md: each page of docs/ once, and no other. Pure.

use std::collections::BTreeMap;

use super::files::{Files, resolve};
use super::links::is_elsewhere;
use super::markdown::links;

/// The list of the book's pages.
pub(super) const SUMMARY: &str = "docs/SUMMARY.md";

/// The pages that the summary lists, by path in the repository, with the line of each.
pub(super) fn listed(files: &Files) -> Vec<(usize, String)> {
    let links = links(files.page(SUMMARY).unwrap_or_default()).into_iter();
    let own = links.filter(|link| !is_elsewhere(&link.target));
    own.filter_map(|link| Some((link.line, resolve(SUMMARY, &link.target)?))).collect()
}

/// What the summary has too much, twice, or not at all. A page that is not there is a broken link already.
pub(super) fn problems(files: &Files) -> Vec<String> {
    if files.page(SUMMARY).is_none() {
        return vec![format!("{SUMMARY}: there is none: it lists the pages of the book")];
    }
    let mut problems = Vec::new();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (line, path) in listed(files) {
        if !path.starts_with("docs/") || !path.ends_with(".md") {
            problems.push(format!("{SUMMARY}:{line}: `{path}` is no page of docs/"));
        } else if let Some(before) = first.insert(path.clone(), line) {
            problems.push(format!("{SUMMARY}:{line}: `{path}` is in line {before} already"));
        }
    }
    let pages = files.pages().map(|(path, _)| path).filter(|path| path.starts_with("docs/") && *path != SUMMARY);
    let missing = pages.filter(|path| !first.contains_key(*path));
    problems.extend(missing.map(|path| format!("{SUMMARY}: `{path}` is missing")));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_is_there_once() {
        let mut files = Files::default();
        assert_eq!(problems(&files).len(), 1);
        for page in ["README.md", "docs/README.md", "docs/a.md", "docs/b.md"] {
            files.add(page, Some("# x".to_owned()));
        }
        files.add(SUMMARY, Some("[x](README.md)\n- [a](a.md)\n- [a](a.md)\n- [r](../README.md)\n".to_owned()));
        assert_eq!(
            problems(&files),
            [
                "docs/SUMMARY.md:3: `docs/a.md` is in line 2 already",
                "docs/SUMMARY.md:4: `README.md` is no page of docs/",
                "docs/SUMMARY.md: `docs/b.md` is missing",
            ]
        );
    }
}
