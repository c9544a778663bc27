//! Graphile Migrate: `committed/`, each file with a header that chains it to the one before.

use crate::author::import::draft::{Draft, Found, Key, Part, Row};
use crate::author::import::name;
use crate::author::import::tree::Tree;

pub(crate) fn read(tree: &mut Tree, found: &mut Found) {
    let files = tree.files();
    // The directory itself may be `committed`.
    let below = if files.iter().any(|file| file.starts_with("committed/")) { "committed/" } else { "" };
    for path in files {
        let Some(file) = path.strip_prefix(below).filter(|file| !file.contains('/')) else {
            rest(&path, tree, found);
            continue;
        };
        let digits = file.len() - file.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits < 6 || !file.ends_with(".sql") {
            rest(&path, tree, found);
            continue;
        }
        let Some(content) = tree.read(&path, found) else { continue };
        let header: Vec<&str> = content.text.lines().take_while(|line| line.starts_with("--! ")).collect();
        let value =
            |key: &str| header.iter().find_map(|line| line.strip_prefix("--! ")?.strip_prefix(key)?.strip_prefix(": "));
        let Some(hash) = value("Hash").filter(|_| value("Previous").is_some()) else {
            found.refuse(&path, 1, "a committed migration begins with `--! Previous:` and `--! Hash:`");
            continue;
        };
        let slug = file[digits..].trim_end_matches(".sql").trim_start_matches(['-', '_']);
        let what = if slug.is_empty() { value("Message").unwrap_or("committed") } else { slug };
        // The line counts where the text begins: after the header and the empty line.
        let first = content.text.lines().skip(header.len()).find(|line| !line.trim().is_empty());
        let off = first.is_some_and(|line| {
            line.strip_prefix("--!").is_some_and(|rest| rest.trim_start().starts_with("no-transaction"))
        });
        let mut notes = content.notes;
        if off {
            notes.push("`--! no-transaction`: transaction:false".to_owned());
        }
        found.drafts.push(Draft {
            files: vec![path.clone()],
            key: Key::text(file),
            digits: Some(file[..digits].to_owned()),
            name: what.to_owned(),
            row: Row { source: file.to_owned(), name: String::new(), checksums: vec![hash.trim().to_owned()] },
            head: String::new(),
            up: Part { off, ..Part::whole(&path, content.text) },
            down: None,
            notes,
        });
    }
}

/// What is not committed is in no database but the developer's own.
fn rest(path: &str, tree: &mut Tree, found: &mut Found) {
    let (folder, file) = name::parent_and_name(path);
    if file == "current.sql" || folder == "current" || folder.starts_with("current/") {
        let Some(content) = tree.read(path, found) else { return };
        let empty = Part::whole(path, content.text).is_empty();
        let reason = if empty {
            "nothing in it is pending"
        } else {
            "not committed: make a migration of it with `cargo xtask new`"
        };
        found.leave(path, reason);
    } else if folder.starts_with("fixtures") {
        tree.take(path);
        found.leave(path, "a fixture: committed migrations hold what they include");
    }
}
