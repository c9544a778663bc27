//! A directory for each migration: Diesel, Prisma.

use std::collections::BTreeSet;

use migrator_model::Direction;

use super::shared;
use crate::author::import::checksum;
use crate::author::import::draft::{Draft, Found, Key, Part};
use crate::author::import::name::Named;
use crate::author::import::tool::{RowOf, Tool};
use crate::author::import::tree::Tree;

pub(crate) fn read(tool: &Tool, up: &str, down: &str, tree: &mut Tree, found: &mut Found) {
    let files = tree.files();
    let folders: BTreeSet<&str> =
        files.iter().filter_map(|file| file.split_once('/')).map(|(folder, _)| folder).collect();
    if tool.name == "prisma" {
        provider(tree, found);
    }
    for folder in folders {
        let path = |file: &str| format!("{folder}/{file}");
        if !tree.has(&path(up)) {
            let sql = files.iter().find(|file| file.starts_with(&path("")) && file.ends_with(".sql"));
            if sql.is_some() || tree.has(&path(down)) {
                found.refuse(&path(""), 0, format!("there is no `{up}` in it, which {} runs", tool.title));
            }
            continue;
        }
        let off =
            tree.has(&path("metadata.toml")) && tool.name == "diesel" && metadata(&path("metadata.toml"), tree, found);
        let Some(content) = tree.read(&path(up), found) else { continue };
        let (version, name) = version_and_name(tool, folder);
        let named = Named { version, name, direction: Direction::Up };
        let mut row = shared::row(tool, &named, folder);
        let mut notes = content.notes;
        if tool.name == "prisma" {
            row.checksums = checksum::sha256(&content.bytes);
        }
        if off {
            notes.push("metadata.toml: transaction:false".to_owned());
        }
        let key = if tool.row == RowOf::Diesel { row.source.clone() } else { folder.to_owned() };
        let digits = version.replace('-', "");
        let mut draft = Draft {
            files: vec![path(up)],
            key: Key::text(&key),
            digits: (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits),
            name: if name.is_empty() { folder.to_owned() } else { name.to_owned() },
            row,
            head: String::new(),
            up: Part { off, ..Part::whole(&path(up), content.text) },
            down: None,
            notes,
        };
        if tree.has(&path(down))
            && let Some(content) = tree.read(&path(down), found)
        {
            draft.down = Some(Part { off, ..Part::whole(&path(down), content.text) });
            draft.notes.extend(content.notes.into_iter().map(|note| format!("{down}: {note}")));
            draft.files.push(path(down));
            if tool.name == "prisma" {
                draft.notes.push(format!("{down}: the down block, although Prisma itself never runs it"));
            }
        }
        found.drafts.push(draft);
    }
}

/// What is before the first underscore, and what is after it. Prisma orders by the whole name, which need not have a version.
fn version_and_name<'a>(tool: &Tool, folder: &'a str) -> (&'a str, &'a str) {
    match folder.split_once('_') {
        Some((version, name)) => (version, name),
        None if tool.row == RowOf::Diesel => (folder, ""),
        None => ("", folder),
    }
}

/// Reads Diesel's `metadata.toml`: true for `run_in_transaction = false`. Anything else in it is named.
fn metadata(file: &str, tree: &mut Tree, found: &mut Found) -> bool {
    let Some(content) = tree.read(file, found) else { return false };
    let mut off = false;
    for (index, line) in content.text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let words: Vec<&str> = line.split('=').map(str::trim).collect();
        match words.as_slice() {
            [""] => {}
            ["run_in_transaction", "false"] => off = true,
            ["run_in_transaction", "true"] => off = false,
            _ => found.refuse(file, index + 1, format!("`{line}` says something that is not known here")),
        }
    }
    off
}

/// Prisma writes down what its migrations are written for.
fn provider(tree: &mut Tree, found: &mut Found) {
    const LOCK: &str = "migration_lock.toml";
    if !tree.has(LOCK) {
        return;
    }
    let Some(content) = tree.read(LOCK, found) else { return };
    let provider = content.text.lines().enumerate().find(|(_, line)| line.trim_start().starts_with("provider"));
    match provider {
        Some((index, line)) if !line.contains("postgres") && !line.contains("cockroach") => {
            found.refuse(LOCK, index + 1, "these migrations are not for PostgreSQL".to_owned());
        }
        _ => found.leave(LOCK, "says that the migrations are for PostgreSQL"),
    }
}
