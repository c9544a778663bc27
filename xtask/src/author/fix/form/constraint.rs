//! CHECK and foreign keys: `NOT VALID`, and validated in a further file, where no one waits.

use migrator_sql::{AlterTable, AlterTableAction, Clause, ConstraintKind, Element, Kind, Sql, TableChange};

use super::name;
use crate::author::fix::edit::Edit;
use crate::author::fix::remedy::{Back, Case, Outcome, Part, Remedy, Stage};

pub(super) fn not_valid(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let mut remedy = Remedy::default();
    for at in places {
        let added = altered.actions[at].added().ok_or("no constraint is added here")?;
        let (edits, part) = one(&case, altered, added)?;
        remedy.edits.extend(edits);
        remedy.parts.push(part);
    }
    Ok(remedy)
}

fn one(case: &Case<'_, '_>, altered: &AlterTable<'_>, element: &Element<'_>) -> Result<(Vec<Edit>, Part), String> {
    let kind =
        element.constraint().ok_or("it is part of a new column that has a value: add it as a constraint of its own")?;
    if !matches!(kind, ConstraintKind::Check | ConstraintKind::ForeignKey) {
        return Err("only CHECK and foreign keys can be `NOT VALID`".to_owned());
    }
    let end = element.words.range().end;
    let mut edits = vec![Edit::insert(end, " NOT VALID")];
    let mut text = case.source.text[element.words.range()].to_owned();
    let called = match element.constraint_name() {
        Some(called) => called.as_written(),
        None => {
            let called = of_server(case, altered, element)?;
            let named = format!("CONSTRAINT {called} ");
            text.insert_str(0, &named);
            edits.push(Edit::insert(element.words.start(), named));
            called
        }
    };
    Ok((edits, validated(&case.alter_table(), &called, &format!("{text} NOT VALID"))))
}

/// Validates a constraint that is there. There is no statement that takes that back.
pub(super) fn validated(alter: &str, called: &str, constraint: &str) -> Part {
    let down = vec![format!("{alter} DROP CONSTRAINT {called}"), format!("{alter} ADD {constraint}")];
    Part {
        stage: Stage::Validate,
        does: "validate".to_owned(),
        up: vec![format!("{alter} VALIDATE CONSTRAINT {called}")],
        down: down.into_iter().map(Back::Write).collect(),
    }
}

/// The name that the server would give it.
fn of_server(case: &Case<'_, '_>, altered: &AlterTable<'_>, element: &Element<'_>) -> Result<String, String> {
    let words = &element.words;
    if element.constraint() == Some(ConstraintKind::ForeignKey) {
        let open = (0..words.tokens.len()).find(|&at| words.at(at) == "(").unwrap_or(0);
        let columns = name::columns(words, open).ok_or("its columns are not plain")?;
        return name::of_parts(&altered.table, &columns, "fkey");
    }
    let known = case.tables.get(&altered.table.object()).ok_or("it has no name: name it")?;
    let start = element.find(Clause::Check).map_or(0, |check| check + 1);
    let mut columns: Vec<String> = Vec::new();
    for token in words.tokens.get(start..).unwrap_or_default() {
        let said = match token.kind {
            Kind::Word => token.text(words.text).to_lowercase(),
            Kind::Quoted => token.text(words.text).trim_matches('"').replace("\"\"", "\""),
            _ => continue,
        };
        if known.columns.contains(&said) && !columns.contains(&said) {
            columns.push(said);
        }
    }
    // One column gives its name.
    if columns.len() != 1 {
        columns.clear();
    }
    name::of_parts(&altered.table, &columns, "check")
}

/// `VALIDATE CONSTRAINT` beside `ADD CONSTRAINT`: in a further file.
pub(super) fn later(case: Case<'_, '_>) -> Outcome {
    let (altered, places) = case.actions()?;
    let (alter, table) = (case.alter_table(), altered.table.object());
    let mut remedy = Remedy::default();
    for at in places {
        let TableChange::ValidateConstraint(called) = altered.actions[at].change else {
            return Err("no constraint is validated here".to_owned());
        };
        let name = called.object().name;
        let adds = |action: &&AlterTableAction<'_>| action.adds_constraint(&name);
        let added = case.source.up.statements[..case.index].iter().find_map(|statement| match &statement.sql {
            Sql::AlterTable(other) if other.table.object().is(&table) => other.actions.iter().find(adds)?.added(),
            _ => None,
        });
        let added = added.ok_or("it is not said here what the constraint demands")?;
        let part = validated(&alter, &called.as_written(), &case.source.text[added.words.range()]);
        remedy.actions.push(at);
        remedy.parts.push(part);
    }
    Ok(remedy)
}
