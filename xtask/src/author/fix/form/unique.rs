//! UNIQUE and PRIMARY KEY: the index is built `CONCURRENTLY`, and the constraint takes it over.

use migrator_engine::client::{plain_identifier, unquoted};
use migrator_sql::{AlterTable, Clause, ConstraintKind, Element, Name, Words};

use super::constraint::validated;
use super::name;
use crate::author::diff::presence;
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Remedy, Stage, Undo};

pub(super) fn using_index(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let mut remedy = Remedy { in_order: case.is_relied_on(), ..Remedy::default() };
    for at in places {
        let element = altered.actions[at].added().ok_or("no constraint is added here")?;
        remedy.actions.push(at);
        remedy.parts.extend(one(&case, altered, element)?);
    }
    Ok(remedy)
}

/// What the words of the constraint say, each for the statement that takes it.
struct Said {
    columns: Vec<String>,
    /// Behind the table of `CREATE INDEX`.
    index: String,
    /// Behind `USING INDEX`.
    constraint: String,
}

fn one(case: &Case<'_, '_>, altered: &AlterTable<'_>, element: &Element<'_>) -> Result<Vec<Part>, String> {
    let (clause, word, ending) = match element.constraint() {
        Some(ConstraintKind::Unique) => (Clause::Unique, "UNIQUE", "key"),
        Some(ConstraintKind::PrimaryKey) => (Clause::PrimaryKey, "PRIMARY KEY", "pkey"),
        _ => return Err("it is part of a new column: add it as a constraint of its own".to_owned()),
    };
    let at = element.find(clause).ok_or("it is not said what is unique")?;
    let said = said(&element.words, at + word.split(' ').count())?;
    let table = &altered.table;
    let parts = if ending == "key" { said.columns.clone() } else { Vec::new() };
    let called = match element.constraint_name() {
        Some(called) => called.as_written(),
        None => name::of_parts(table, &parts, ending)?,
    };
    let alter = case.alter_table();
    let mut up = vec![
        format!("CREATE UNIQUE INDEX CONCURRENTLY {called} ON {} {}", table.as_written(), said.index),
        format!("{alter} ADD CONSTRAINT {called} {word} USING INDEX {called}{}", said.constraint),
    ];
    let name = element.constraint_name().map(|name| name.object().name);
    let name = name.unwrap_or_else(|| unquoted(&called));
    let undo = Undo::DropConstraint(table.object(), name);
    let mut down = vec![Back::Take(undo, Some(format!("{alter} DROP CONSTRAINT {called}")))];
    let mut all = Vec::new();
    if word == "PRIMARY KEY" {
        for column in open_columns(case, table, &said.columns) {
            let check = presence(&table.as_written(), &column);
            let constraint = format!("CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID");
            let (add, drop) = (format!("{alter} ADD {constraint}"), format!("{alter} DROP CONSTRAINT {check}"));
            all.push(Part {
                stage: Stage::Check,
                does: "check".to_owned(),
                up: vec![add.clone()],
                down: vec![Back::Write(drop.clone())],
            });
            // The rollback of the key leaves NOT NULL behind, as it does without these steps.
            all.push(Part { down: Vec::new(), ..validated(&alter, &check, &constraint) });
            up.push(drop);
            down.insert(0, Back::Write(add));
        }
    }
    let does = format!("index_{}", name::in_file_name(&called));
    all.push(Part { stage: Stage::Alone, does, up, down });
    Ok(all)
}

/// Those of which a key would first have to find out that they are never NULL.
fn open_columns(case: &Case<'_, '_>, table: &Name<'_>, columns: &[String]) -> Vec<String> {
    let Some(known) = case.tables.get(&table.object()) else { return Vec::new() };
    columns.iter().filter(|column| !known.required.contains(column)).map(|column| plain_identifier(column)).collect()
}

fn said(words: &Words<'_>, after: usize) -> Result<Said, String> {
    let text = |from: usize, to: usize| {
        let inside = words.tokens.get(from..to).unwrap_or_default();
        words.text[Words::new(words.text, inside).range()].to_owned()
    };
    let open = (after..words.tokens.len()).find(|&at| words.at(at) == "(").ok_or("it names no columns")?;
    let nulls = text(after, open);
    let mut at = words.behind_parentheses(open);
    let columns = name::columns(words, open).ok_or("it names something else than columns")?;
    let mut index = text(open, at);
    if words.is(at, "include") {
        let end = words.behind_parentheses(at + 1);
        index.push_str(&format!(" {}", text(at, end)));
        at = end;
    }
    if !nulls.is_empty() {
        index.push_str(&format!(" {nulls}"));
    }
    if words.is(at, "with") {
        let end = words.behind_parentheses(at + 1);
        index.push_str(&format!(" {}", text(at, end)));
        at = end;
    }
    if words.is(at, "using") && words.is(at + 2, "tablespace") {
        index.push_str(&format!(" TABLESPACE {}", words.at(at + 3)));
        at += 4;
    }
    let constraint = text(at, words.tokens.len());
    let constraint = if constraint.is_empty() { constraint } else { format!(" {constraint}") };
    Ok(Said { columns, index, constraint })
}
