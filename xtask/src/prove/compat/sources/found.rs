//! What the readers of the sources find.

use std::collections::{HashMap, HashSet};

use crate::prove::compat::query::{Declared, Place, Queries, Query};

/// A text at one place.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) name: Option<String>,
    pub(super) place: Place,
    /// What the metadata of sqlx says of it. Its file is a place only where no other is known.
    pub(super) declared: Option<Declared>,
}

/// All that was found, in any order.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    found: Vec<Found>,
    not_literal: Vec<Place>,
    unreadable: Vec<(String, String)>,
    /// Texts in code that is not shipped, by their keys.
    in_tests: HashSet<String>,
}

impl Harvest {
    /// A query, unless it has a character that no message to the server can hold.
    pub(super) fn query(&mut self, found: Found) {
        if found.text.contains('\0') {
            let line = found.place.line;
            self.unreadable(&found.place.file, format!("line {line}: a query has a NUL character"));
        } else {
            self.found.push(found);
        }
    }

    /// A call whose text is made at run time.
    pub(super) fn not_literal(&mut self, place: Place) {
        self.not_literal.push(place);
    }

    /// A file that is left out, and why.
    pub(super) fn unreadable(&mut self, file: &str, why: impl Into<String>) {
        self.unreadable.push((file.to_owned(), why.into()));
    }

    /// A text in code that is not shipped. Where the metadata of sqlx has it too, it is from there.
    pub(super) fn in_tests(&mut self, text: &str) {
        self.in_tests.insert(key(text).to_owned());
    }

    /// Whether the metadata of sqlx has a text that is found nowhere else so far.
    pub(super) fn has_unplaced(&self) -> bool {
        let placed: HashSet<&str> =
            self.found.iter().filter(|found| found.declared.is_none()).map(|found| key(&found.text)).collect();
        let is_placed = |text: &str| placed.contains(text) || self.in_tests.contains(text);
        self.found.iter().any(|found| found.declared.is_some() && !is_placed(key(&found.text)))
    }

    /// Each text once.
    pub(super) fn merged(mut self) -> Queries {
        // The metadata last: it says more of a text, but not where the text is written.
        self.found.sort_by(|a, b| a.declared.is_some().cmp(&b.declared.is_some()).then(a.place.cmp(&b.place)));
        let mut queries: Vec<Query> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::with_capacity(self.found.len());
        for Found { text, name, place, declared } in self.found {
            let is_known = known.contains_key(key(&text));
            if declared.is_some() && !is_known && self.in_tests.contains(key(&text)) {
                continue;
            }
            let index = *known.entry(key(&text).to_owned()).or_insert(queries.len());
            let Some(query) = queries.get_mut(index) else {
                queries.push(Query { text, name, places: vec![place], declared });
                continue;
            };
            if declared.is_none() {
                query.places.push(place);
            }
            query.name = query.name.take().or(name);
            query.declared = query.declared.take().or(declared);
        }
        for query in &mut queries {
            query.places.sort_unstable();
            query.places.dedup();
        }
        queries.sort_by(|a, b| a.places.cmp(&b.places));
        self.not_literal.sort_unstable();
        self.not_literal.dedup();
        self.unreadable.sort_unstable();
        self.unreadable.dedup();
        Queries { queries, not_literal: self.not_literal, unreadable: self.unreadable }
    }
}

/// What makes two texts the same query: all but the comments and the space before it, and the semicolon after it.
fn key(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some((_, after)) = rest.strip_prefix("--").and_then(|comment| comment.split_once('\n')) {
        rest = after.trim_start();
    }
    rest.trim_end_matches(|c: char| c == ';' || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_query_with_all_its_places() {
        let place = |file: &str, line| Place { file: file.to_owned(), line };
        let found = |text: &str, file: &str, line, declared: bool| Found {
            text: text.to_owned(),
            name: None,
            place: place(file, line),
            declared: declared.then(Declared::default),
        };
        let mut harvest = Harvest::default();
        harvest.query(found("SELECT 1", ".sqlx/a.json", 1, true));
        harvest.query(found("SELECT 2", ".sqlx/b.json", 1, true));
        harvest.query(found("SELECT 2", "x/.sqlx/b.json", 1, true));
        harvest.query(found("-- x\n\n SELECT 1;\n", "q.sql", 3, false));
        harvest.query(found("SELECT 1", "a.rs", 9, false));
        harvest.query(found("SELECT 1", "a.rs", 9, false));
        harvest.query(found("SELECT '\0'", "a.rs", 10, false));
        let merged = harvest.merged();
        let queries: Vec<_> = merged.queries.iter().map(|query| (&*query.text, query.places.clone())).collect();
        assert_eq!(
            queries,
            [("SELECT 2", vec![place(".sqlx/b.json", 1)]), ("SELECT 1", vec![place("a.rs", 9), place("q.sql", 3)]),]
        );
        assert!(merged.queries.iter().all(|query| query.declared.is_some()));
        assert_eq!(merged.unreadable, [("a.rs".to_owned(), "line 10: a query has a NUL character".to_owned())]);
    }
}
