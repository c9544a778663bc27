//! A foreign key in `CREATE TABLE`: added in a file of its own, so that the other table is locked for nothing else.

use migrator_sql::{Clause, ConstraintKind, Element, Sql};

use super::constraint::validated;
use super::name;
use crate::author::fix::edit::{Edit, without};
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Remedy, Stage};

/// Words that begin what can follow `REFERENCES ...` in a column.
const CONSTRAINTS: &[&str] = &["constraint", "check", "unique", "primary", "default", "generated", "collate"];

pub(super) fn without_key(case: Case<'_, '_>) -> Outcome {
    let Sql::CreateTable(created) = &case.statement.sql else {
        return Err("the table is created by an earlier statement: add the key in the next migration".to_owned());
    };
    if created.partitioned || created.partition_of.is_some() || created.if_not_exists {
        return Err("only a plain new table can get the key later".to_owned());
    }
    let is_meant = |element: &Element<'_>| {
        let range = element.words.range();
        case.hazard.places.iter().any(|at| range.contains(at))
    };
    let alter = format!("ALTER TABLE {}", created.name.as_written());
    let mut remedy = Remedy::default();
    let mut gone = Vec::new();
    for (at, element) in created.elements.iter().enumerate().filter(|(_, element)| is_meant(element)) {
        let words = &element.words;
        let (called, key) = if element.constraint() == Some(ConstraintKind::ForeignKey) {
            gone.push(at);
            let open = (0..words.tokens.len()).find(|&at| words.at(at) == "(").unwrap_or(0);
            let columns = name::columns(words, open).ok_or("its columns are not plain")?;
            let called = match element.constraint_name() {
                Some(called) => called.as_written(),
                None => name::of_parts(&created.name, &columns, "fkey")?,
            };
            let from = element.constraint_name().map_or(0, |_| 2);
            (called, case.source.text[words.tokens[from].start()..words.range().end].to_owned())
        } else {
            let (edit, called, key) = of_column(&case, element)?;
            remedy.edits.push(edit);
            let column = element.column().ok_or("it is no column")?;
            let called = match called {
                Some(called) => called,
                None => name::of_parts(&created.name, &[column.object().name], "fkey")?,
            };
            (called, format!("FOREIGN KEY ({}) {key}", column.as_written()))
        };
        let constraint = format!("CONSTRAINT {called} {key} NOT VALID");
        remedy.parts.push(Part {
            stage: Stage::Check,
            does: "keys".to_owned(),
            up: vec![format!("{alter} ADD {constraint}")],
            down: vec![Back::Write(format!("{alter} DROP CONSTRAINT {called}"))],
        });
        remedy.parts.push(validated(&alter, &called, &constraint));
    }
    if gone.len() == created.elements.len() {
        return Err("the table has nothing but keys".to_owned());
    }
    let ranges: Vec<_> = created.elements.iter().map(|element| element.words.range()).collect();
    remedy.edits.extend(without(&ranges, |at| gone.contains(&at)));
    Ok(remedy)
}

/// What takes the key out of a column, its name, and what it says.
fn of_column(case: &Case<'_, '_>, element: &Element<'_>) -> Result<(Edit, Option<String>, String), String> {
    let words = &element.words;
    let at = element.find(Clause::References).ok_or("it refers to no table")?;
    let end = (at + 1..words.tokens.len()).find(|&at| ends_key(element, at)).unwrap_or(words.tokens.len());
    let named = at >= 2 && words.is(at - 2, "constraint");
    let start = if named { at - 2 } else { at };
    let edit = Edit::remove(words.tokens[start - 1].end()..words.tokens[end - 1].end());
    let text = &case.source.text[words.tokens[at].start()..words.tokens[end - 1].end()];
    Ok((edit, named.then(|| words.at(at - 1).to_owned()), text.to_owned()))
}

/// `NOT DEFERRABLE` belongs to the key, `NOT NULL` does not; `ON DELETE SET NULL` and `SET DEFAULT` do.
fn ends_key(element: &Element<'_>, at: usize) -> bool {
    let words = &element.words;
    let of_action = at > 0 && words.is(at - 1, "set");
    let is_not_null = words.is(at, "not") && words.is(at + 1, "null");
    let is_null = words.is(at, "null") && !of_action;
    is_not_null || is_null || words.is_any(at, CONSTRAINTS) && !of_action
}
