//! A file for each direction: sqlx, golang-migrate, Supabase, plain numbered files.

use std::collections::BTreeMap;

use migrator_model::Direction;

use super::shared;
use crate::author::import::checksum;
use crate::author::import::draft::{Draft, Found, Part, Row};
use crate::author::import::name::{self, Named};
use crate::author::import::tool::{Names, RowOf, Tool};
use crate::author::import::tree::{Content, Tree};

pub(crate) fn read(tool: &Tool, names: &Names, tree: &mut Tree, found: &mut Found) {
    // The down files by what they share with their up file.
    let mut downs: BTreeMap<String, String> = BTreeMap::new();
    let mut ups: Vec<String> = Vec::new();
    for file in tree.top() {
        match name::split(&file, names) {
            Some(Named { direction: Direction::Up, .. }) => ups.push(file),
            Some(named) => match downs.get(&pair(&named)) {
                Some(other) => found.refuse(&file, 0, format!("a second down file beside `{other}`")),
                None => drop(downs.insert(pair(&named), file.clone())),
            },
            None => {}
        }
    }
    for file in ups {
        let Some(named) = name::split(&file, names) else { continue };
        let down = downs.remove(&pair(&named));
        let Some(content) = tree.read(&file, found) else { continue };
        let draft = with_down(draft(tool, &named, &file, content), down, tree, found);
        found.drafts.push(draft);
    }
    for (_, file) in downs {
        let reason = format!("a down file without an up file, which {} never runs", tool.title);
        tree.take(&file);
        found.leave(&file, reason);
    }
}

/// What the two files of a pair share. Tools pair them by the version alone.
fn pair(named: &Named<'_>) -> String {
    named.version.trim_start_matches('0').to_owned()
}

fn draft(tool: &Tool, named: &Named<'_>, file: &str, content: Content) -> Draft {
    let mut row: Row = shared::row(tool, named, file);
    let mut part = Part::whole(file, content.text);
    let mut notes = content.notes;
    if tool.row == RowOf::Sqlx {
        row.checksums = checksum::sha384(&content.bytes);
        part.off = is_sqlx_off(&part.text);
        if part.off {
            notes.push("`-- no-transaction` on line 1: transaction:false".to_owned());
        }
    }
    let name = if named.name.is_empty() { "imported" } else { named.name };
    Draft {
        files: vec![file.to_owned()],
        key: shared::key(tool, named, file),
        digits: Some(named.version.to_owned()),
        name: name.to_owned(),
        row,
        head: String::new(),
        up: part,
        down: None,
        notes,
    }
}

/// sqlx looks at the first bytes of the file only.
fn is_sqlx_off(text: &str) -> bool {
    text.starts_with("-- no-transaction")
}

fn with_down(mut draft: Draft, down: Option<String>, tree: &mut Tree, found: &mut Found) -> Draft {
    let Some(file) = down else { return draft };
    if let Some(content) = tree.read(&file, found) {
        let mut part = Part::whole(&file, content.text);
        part.off = is_sqlx_off(&part.text);
        draft.notes.extend(content.notes.into_iter().map(|note| format!("{file}: {note}")));
        draft.down = Some(part);
        draft.files.push(file);
    }
    draft
}
