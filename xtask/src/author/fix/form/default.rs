//! A new column with a value that is computed for each row: added without one, and the rows filled in batches.

use migrator_engine::client::plain_identifier;
use migrator_sql::{AlterTable, Clause, Element, Words};

use super::name;
use super::not_null::{Steps, steps};
use crate::author::backfill::Backfill;
use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Remedy, Stage};

pub(super) fn volatile(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let mut remedy = Remedy { in_order: case.is_relied_on(), ..Remedy::default() };
    for at in places {
        let element = altered.actions[at].added().ok_or("no column is added here")?;
        let has_exists = altered.actions[at].words.has("exists");
        if has_exists || case.alter_table().contains(" IF EXISTS ") {
            return Err("whether the column is new is known only when it runs".to_owned());
        }
        one(&case, altered, element, &mut remedy)?;
    }
    Ok(remedy)
}

fn one(
    case: &Case<'_, '_>,
    altered: &AlterTable<'_>,
    element: &Element<'_>,
    remedy: &mut Remedy,
) -> Result<(), String> {
    if element.is_serial() || element.has(Clause::Identity) || element.has(Clause::Generated) {
        return Err("only you know from where the rows that are there get their values".to_owned());
    }
    let others = [Clause::Check, Clause::Unique, Clause::PrimaryKey, Clause::References];
    let words = &element.words;
    if others.iter().any(|clause| element.has(*clause)) || words.find("constraint").is_some() {
        return Err("the new column has constraints: add them as constraints of their own".to_owned());
    }
    let column = element.column().ok_or("no column is added here")?.as_written();
    let default = element.find(Clause::Default).ok_or("the column has no default")?;
    let end = (default + 1..words.tokens.len()).find(|&at| is_constraint(words, at)).unwrap_or(words.tokens.len());
    let value = &case.source.text[words.tokens[default + 1].start()..words.tokens[end - 1].end()];
    remedy.edits.push(Edit::remove(words.tokens[default - 1].end()..words.tokens[end - 1].end()));
    let required = words.find("not").filter(|at| words.is(at + 1, "null"));
    if let Some(at) = required {
        remedy.edits.push(Edit::remove(words.tokens[at - 1].end()..words.tokens[at + 1].end()));
    }
    let (alter, table) = (case.alter_table(), altered.table.as_written());
    remedy.after.push(format!("{alter} ALTER COLUMN {column} SET DEFAULT {value}"));
    let known = case.tables.get(&altered.table.object());
    let key: Vec<String> = known.into_iter().flat_map(|known| &known.key).map(|name| plain_identifier(name)).collect();
    let fill = Backfill { table: &table, column: &column, value: "DEFAULT", key: &key }.batches();
    let does = format!("fill_{}", name::in_file_name(&column));
    remedy.parts.push(Part { stage: Stage::Fill, does, up: vec![fill], down: Vec::new() });
    if required.is_some() {
        let Steps { constraint, called, parts } = steps(&alter, &table, &column);
        remedy.parts.push(Part {
            stage: Stage::Check,
            does: "check".to_owned(),
            up: vec![format!("{alter} ADD {constraint}")],
            down: vec![Back::Write(format!("{alter} DROP CONSTRAINT {called}"))],
        });
        remedy.parts.extend(parts);
    }
    Ok(())
}

/// What can follow an expression, outside parentheses.
fn is_constraint(words: &Words<'_>, at: usize) -> bool {
    let mut depth = 0usize;
    for index in 0..at {
        match words.at(index) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let is_null = words.is(at, "null") && at + 1 == words.tokens.len() && !words.is(at - 1, "default");
    depth == 0 && (words.is(at, "not") || words.is(at, "collate") || is_null)
}
