//! CHECK, foreign keys and NOT NULL of tables that stay: added NOT VALID, and validated in the next file.

use std::collections::BTreeSet;

use super::file::File;
use super::present::present;
use super::ways::{Ways, is_checked};
use crate::author::diff::key::Key;
use crate::author::diff::work::{Act, Statement};

/// Takes what reads a whole table out of the way, and puts it into a file that holds no lock which anyone waits for.
pub(super) fn take_out(ways: &mut Ways<'_>, notes: &mut Vec<String>) -> Option<File> {
    let mut file = File { does: "validate".to_owned(), ..File::default() };
    let with_key = with_key(ways);
    let set = required(ways, &mut file, &with_key, notes);
    constraints(ways, &mut file, &with_key, notes);
    // What no one can read past comes when everything is read.
    file.up.statements.extend(set);
    (!file.up.statements.is_empty()).then_some(file)
}

/// Tables that get a primary key at once: the server holds on to its columns.
fn with_key(ways: &Ways<'_>) -> BTreeSet<String> {
    let is_key =
        |statement: &&Statement| statement.act == Act::Make && ways.to.note(&statement.key).starts_with("PRIMARY KEY ");
    ways.up.iter().filter(is_key).map(|statement| statement.key.object.clone()).collect()
}

/// Says that rows have to have a value, in a note and above the statement that fails otherwise.
fn fails_without(table: &str, column: &str, validate: &str, notes: &mut Vec<String>) -> String {
    notes.push(format!(
        "`{table}.{column}` is required from now on: `up` fails where a row has no value; give it one in a migration before these"
    ));
    format!(
        "-- This fails where a row has no value for {}: give it one in a migration before this one (`cargo xtask new --template backfill`).\n{validate}",
        column.replace(['\n', '\r'], " ")
    )
}

fn constraints(ways: &mut Ways<'_>, file: &mut File, with_key: &BTreeSet<String>, notes: &mut Vec<String>) {
    let is_read = |statement: &Statement| {
        let Statement { key, act, sql } = statement;
        let note = ways.to.note(key);
        let is_check = note.starts_with("CHECK ") || note.starts_with("NOT NULL ");
        key.kind == "constraint"
            && *act == Act::Make
            && sql.contains(" ADD CONSTRAINT ")
            && is_checked(sql)
            && !(note.starts_with("NOT NULL ") && with_key.contains(key.object.as_str()))
            && (is_check && ways.stays_whole(&key.object)
                || note.starts_with("FOREIGN KEY ") && ways.stays(&key.object))
    };
    let read: BTreeSet<usize> = (0..ways.up.len()).filter(|place| is_read(&ways.up[*place])).collect();
    for (_, statement) in ways.up.iter_mut().enumerate().filter(|(place, _)| read.contains(place)) {
        let Key { object, part, .. } = &statement.key;
        statement.sql.push_str(" NOT VALID");
        let validate = format!("ALTER TABLE {object} VALIDATE CONSTRAINT {part}");
        let column = ways.to.note(&statement.key).strip_prefix("NOT NULL ");
        let column = column.map(|rest| rest.trim_end_matches(" NO INHERIT"));
        file.up.statements.push(match column {
            Some(column) => fails_without(object, column, &validate, notes),
            None => validate,
        });
        // There is no statement that takes a validation back.
        let again = [format!("ALTER TABLE {object} DROP CONSTRAINT {part}"), statement.sql.clone()];
        file.down.statements.extend(again);
    }
}

/// Columns that were there and are required from now on; returns the statements that require them.
fn required(ways: &mut Ways<'_>, file: &mut File, with_key: &BTreeSet<String>, notes: &mut Vec<String>) -> Vec<String> {
    let set = |key: &Key| format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", key.object, key.part);
    let is_set = |statement: &&Statement| {
        let table = &statement.key.object;
        statement.key.kind == "column"
            && statement.sql == set(&statement.key)
            && ways.stays_whole(table)
            && !with_key.contains(table.as_str())
    };
    let found: Vec<Key> = ways.up.iter().filter(is_set).map(|statement| statement.key.clone()).collect();
    let mut sets = Vec::new();
    for key in found {
        let present = present(ways, &key.object, &key.part);
        let sql = set(&key);
        if let Some(statement) = ways.up.iter_mut().find(|statement| statement.sql == sql) {
            statement.sql.clone_from(&present.add);
        }
        file.up.statements.push(fails_without(&key.object, &key.part, &present.validate, notes));
        sets.extend(present.set);
        file.down.statements.extend([present.add, present.unset.clone()]);
        match ways.down.iter_mut().find(|statement| statement.sql == present.unset) {
            Some(statement) => statement.sql = present.drop,
            // The column goes along with something; what was added goes before.
            None => {
                let statement = Statement { key: key.clone(), act: Act::Drop, sql: present.drop };
                ways.down.insert(0, statement);
            }
        }
    }
    sets
}
