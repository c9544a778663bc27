//! CHECK, foreign keys and NOT NULL of tables that stay: added NOT VALID, and validated in the next file.

use std::collections::BTreeSet;

use super::file::File;
use super::present::present;
use super::ways::Ways;
use crate::author::diff::key::Key;
use crate::author::diff::work::{Act, Statement};

/// Takes what reads a whole table out of the way, and puts it into a file that holds no lock which anyone waits for.
pub(super) fn take_out(ways: &mut Ways<'_>, notes: &mut Vec<String>) -> Option<File> {
    let mut file = File { does: "validate".to_owned(), ..File::default() };
    let set = required(ways, &mut file, notes);
    constraints(ways, &mut file);
    // What no one can read past comes when everything is read.
    file.up.statements.extend(set);
    (!file.up.statements.is_empty()).then_some(file)
}

fn constraints(ways: &mut Ways<'_>, file: &mut File) {
    let is_read = |statement: &Statement| {
        let Statement { key, act, sql } = statement;
        let note = ways.to.note(key);
        let is_check = note.starts_with("CHECK ") || note.starts_with("NOT NULL ");
        key.kind == "constraint"
            && *act == Act::Make
            && sql.contains(" ADD CONSTRAINT ")
            && !sql.ends_with(" NOT VALID")
            && (is_check && ways.stays_whole(&key.object)
                || note.starts_with("FOREIGN KEY ") && ways.stays(&key.object))
    };
    let read: BTreeSet<usize> = (0..ways.up.len()).filter(|place| is_read(&ways.up[*place])).collect();
    for (_, statement) in ways.up.iter_mut().enumerate().filter(|(place, _)| read.contains(place)) {
        let Key { object, part, .. } = &statement.key;
        statement.sql.push_str(" NOT VALID");
        file.up.statements.push(format!("ALTER TABLE {object} VALIDATE CONSTRAINT {part}"));
        // There is no statement that takes a validation back.
        let again = [format!("ALTER TABLE {object} DROP CONSTRAINT {part}"), statement.sql.clone()];
        file.down.statements.extend(again);
    }
}

/// Columns that were there and are required from now on; returns the statements that require them.
fn required(ways: &mut Ways<'_>, file: &mut File, notes: &mut Vec<String>) -> Vec<String> {
    let set = |key: &Key| format!("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", key.object, key.part);
    // The server holds on to the columns of a primary key.
    let with_key: BTreeSet<&str> = ways
        .up
        .iter()
        .filter(|statement| statement.act == Act::Make && ways.to.note(&statement.key).starts_with("PRIMARY KEY "))
        .map(|statement| statement.key.object.as_str())
        .collect();
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
        let Key { object, part, .. } = &key;
        notes.push(format!(
            "`{object}.{part}` is required from now on: `up` fails where a row has no value; give it one in a migration before these"
        ));
        file.up.statements.push(format!(
            "-- This fails where a row has no value for {}: give it one in a migration before this one (`cargo xtask new --template backfill`).\n{}",
            part.replace(['\n', '\r'], " "),
            present.validate
        ));
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
