//! From what was found to files of ours, in memory.

use std::borrow::Cow;

use migrator_model::Settings;
use migrator_sql::{Kind, Words, lex, split};

use super::comment::disarm;
use super::draft::{Draft, Found, Part, Repeatable, Trouble};
use super::layout::as_comments;
use super::mark::Mark;
use super::name::{self, words};
use super::text::line_of;
use super::tool::{Around, Layout, TOOLS, Tool};
use super::transaction::settle;

/// A file of ours.
#[derive(Debug)]
pub(crate) struct Composed {
    /// Below the db directory.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The line of the file on which each text starts, from 1; 0: there is none.
    pub(crate) up_line: usize,
    pub(crate) down_line: usize,
}

/// Brings every text into the form of a block, and says what that changed.
pub(crate) fn settle_all(tool: &Tool, found: &mut Found) {
    let (mut drafts, mut repeatables) = (std::mem::take(&mut found.drafts), std::mem::take(&mut found.repeatables));
    for draft in &mut drafts {
        if draft.up.is_empty() {
            draft.notes.push("no statement in it".to_owned());
        }
        let mut notes = Vec::new();
        found.troubles.extend(divided(tool, &draft.up));
        found.troubles.extend(settle_part(&mut draft.up, tool.around, &mut notes).err());
        notes.extend(session(&draft.up, tool));
        draft.notes.append(&mut notes);
        if let Some(down) = &mut draft.down {
            let settled = settle_part(down, tool.around, &mut notes);
            draft.notes.extend(notes.into_iter().map(|note| format!("down: {note}")));
            if let Err(trouble) = settled {
                set_aside(draft, trouble.line, &trouble.message);
            } else if draft.down.as_ref().is_some_and(Part::is_empty) {
                draft.notes.push("down: no statement in it: `down` refuses to roll it back".to_owned());
            }
        }
    }
    for Repeatable { part, notes, .. } in &mut repeatables {
        match settle_part(part, tool.around, notes) {
            Ok(()) if part.off => {
                found.refuse(&part.file, 0, "it runs in no transaction: a file in repeatable/ always has one");
            }
            Ok(()) => {}
            Err(trouble) => found.troubles.push(trouble),
        }
    }
    found.drafts = drafts;
    found.repeatables = repeatables;
}

/// SQL after a line by which another tool divides up from down: most likely the wrong tool was named.
fn divided(tool: &Tool, part: &Part) -> Option<Trouble> {
    if !part.text.contains("--") {
        return None;
    }
    let mut at = 0;
    for (index, line) in part.text.split_inclusive('\n').enumerate() {
        at += line.len();
        let others = TOOLS.iter().filter(|other| other.name != tool.name && line.trim_start().starts_with("--"));
        let divides = |other: &&Tool| matches!(&other.layout, Layout::Marked { mark, .. } if matches!(mark(line.trim_end()), Mark::Down { .. }));
        if let Some(other) = others.into_iter().find(divides).filter(|_| !lex(&part.text[at..]).tokens.is_empty()) {
            let (shown, title) = (line.trim(), tool.title);
            let message = format!(
                "`{shown}` divides files of {}, and {title} runs what follows it: import with `{}`, or remove the line if it did run",
                other.title, other.name
            );
            return Some(Trouble { file: part.file.clone(), line: part.line + index, message });
        }
    }
    None
}

fn settle_part(part: &mut Part, around: Around, notes: &mut Vec<String>) -> Result<(), Trouble> {
    let (text, said) = disarm(&part.text);
    let text = text.into_owned();
    let first = part.line - 1;
    notes.extend(said.into_iter().map(|(line, said)| format!("line {}: {said}", first + line)));
    let settled = settle(&text, part.off, around, first).map_err(|(line, message)| Trouble {
        file: part.file.clone(),
        line,
        message,
    })?;
    // What is blank above the text is of no use without the marker that was there.
    let above = settled.text.len() - settled.text.trim_start_matches('\n').len();
    part.line += above;
    part.text = settled.text[above..].trim_end_matches('\n').to_owned();
    if !part.text.is_empty() {
        part.text.push('\n');
    }
    part.off = settled.off;
    notes.extend(settled.note);
    Ok(())
}

/// What a migration leaves to those after it in the tool's session, and not in ours.
fn session(part: &Part, tool: &Tool) -> Option<String> {
    if tool.resets
        || !["search_path", "role", "authorization"].iter().any(|name| part.text.to_ascii_lowercase().contains(name))
    {
        return None;
    }
    let lexed = lex(&part.text);
    let statements = split(&part.text, &lexed.tokens);
    let setting = |words: &Words<'_>| {
        let name = if words.is(1, "session") { 2 } else { 1 };
        if words.is(0, "set") && words.is_any(name, &["search_path", "role", "authorization"]) {
            return Some(words.shown(name + 1));
        }
        let is_path = |at: usize| {
            words.is(at, "set_config") && words.at(at + 2).eq_ignore_ascii_case("'search_path'") && words.has("false")
        };
        (0..words.tokens.len()).any(is_path).then(|| "set_config('search_path', ...)".to_owned())
    };
    let (at, shown) = statements.iter().find_map(|words| Some((words.start(), setting(words)?)))?;
    let line = part.line + line_of(&part.text, at) - 1;
    Some(format!("line {line}: `{shown}` ends with the migration here; in one run of {} it lasts", tool.title))
}

/// Keeps a down text that no block can hold as a comment.
pub(crate) fn set_aside(draft: &mut Draft, line: usize, why: &str) {
    let Some(down) = &mut draft.down else { return };
    draft
        .notes
        .push(format!("down: kept as a comment, `down` refuses to roll it back: {}: line {line}: {why}", down.file));
    down.text = as_comments(&down.text);
    down.off = false;
    down.unchecked = None;
}

/// Writes a migration.
pub(crate) fn migration(tool: &Tool, version: &str, draft: &Draft, settings: &Settings) -> Composed {
    let mut text = String::with_capacity(draft.up.text.len() + 200);
    if !draft.head.is_empty() {
        line(&mut text, &disarm(&draft.head).0);
    }
    for header in settings.required_headers.iter().filter(|header| !has_header(&draft.head, header)) {
        line(&mut text, &format!("-- {header}: {}", words(&draft.name)));
    }
    line(&mut text, &format!("-- Imported from {}: {}", tool.title, draft.files.join(", ")));
    let up_line = block(&mut text, "-- migrate:up", &draft.up);
    if !text.ends_with("\n\n") {
        text.push('\n');
    }
    let down_line = match &draft.down {
        Some(down) => block(&mut text, "-- migrate:down", down),
        None => {
            line(&mut text, "-- migrate:down");
            line(&mut text, "-- There is no down migration.");
            0
        }
    };
    Composed { path: format!("migrations/{version}_{}.sql", name::clean(&draft.name)), text, up_line, down_line }
}

/// Writes a repeatable.
pub(crate) fn repeatable(tool: &Tool, repeatable: &Repeatable) -> Composed {
    let mut text = format!("-- Imported from {}: {}\n", tool.title, repeatable.file);
    if let Some(reason) = &repeatable.part.unchecked {
        line(&mut text, &format!("-- migrate:unchecked {reason}"));
    }
    let up_line = text.lines().count() + 1;
    line(&mut text, &repeatable.part.text);
    Composed { path: format!("repeatable/{}.sql", repeatable.name), text, up_line, down_line: 0 }
}

/// Adds a marker and its text; returns the line on which the text starts.
fn block(text: &mut String, marker: &str, part: &Part) -> usize {
    let option = if part.off { " transaction:false" } else { "" };
    line(text, &format!("{marker}{option}"));
    if let Some(reason) = &part.unchecked {
        line(text, &format!("-- migrate:unchecked {reason}"));
    }
    let start = text.lines().count() + 1;
    line(text, &part.text);
    start
}

fn line(text: &mut String, added: &str) {
    text.push_str(added);
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// As the build looks for it: `-- Purpose: why`.
fn has_header(head: &str, name: &str) -> bool {
    let is_it = |line: &str| {
        let header = line.trim().strip_prefix("--").and_then(|comment| comment.trim_start_matches('-').split_once(':'));
        header.is_some_and(|(key, value)| key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty())
    };
    head.lines().any(is_it)
}

/// What the files rely on that is not theirs: the tool's own table, and ours.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tables {
    /// True if our history has to be elsewhere.
    pub(crate) moves_ours: bool,
    pub(crate) notes: Vec<String>,
}

/// Looks for statements on the history's tables: the tool's is made as the tool itself would have made it, ours gets out of the way.
pub(crate) fn tables(tool: &Tool, settings: &Settings, found: &mut Found) -> Tables {
    let mut tables = Tables::default();
    let ours: &str = &settings.history_table;
    let is_default = ours == Settings::default().history_table;
    let own = tool.table.as_ref().filter(|table| !table.columns.is_empty());
    let shares = own.is_some_and(|table| table.name == ours);
    // dbmate's table is the very one that is ours.
    if !(shares && tool.name == "dbmate") {
        let named = |part: &Part| mentions(&part.text, ours);
        let by = found.drafts.iter().find(|draft| named(&draft.up) || draft.down.as_ref().is_some_and(named));
        let why = match by {
            _ if shares => Some(format!("`{ours}` is {}'s own table", tool.title)),
            Some(draft) => Some(format!("`{}` names `{ours}`", draft.files[0])),
            None => None,
        };
        if let Some(why) = why.filter(|_| is_default) {
            tables.moves_ours = true;
            tables.notes.push(format!("db/migrator.toml: `[history] table = \"{MOVED}\"`, for {why}"));
        }
    }
    let Some(own) = own.filter(|table| tool.name != "dbmate" || table.name != ours) else { return tables };
    let Some(by) = found.drafts.iter().find(|draft| mentions(&draft.up.text, own.name)) else { return tables };
    let by = by.files[0].clone();
    if let Some(first) = found.drafts.first_mut() {
        let made = format!(
            "-- {} itself makes this table, before its first migration; `{by}` relies on it.\nCREATE TABLE IF NOT EXISTS {} ({});\n",
            tool.title, own.name, own.columns
        );
        first.up.text.insert_str(0, &made);
        first.up.line = first.up.line.saturating_sub(2);
        first.notes.push(format!(
            "`CREATE TABLE IF NOT EXISTS {}` added, for `{by}` relies on {}'s own table",
            own.name, tool.title
        ));
    }
    tables
}

/// The name of our history where the usual one is taken.
pub(crate) const MOVED: &str = "migrator_migrations";

/// True if a statement names a table, also in a text that it runs.
fn mentions(text: &str, table: &str) -> bool {
    let lower: Cow<'_, str> =
        if text.contains(table) { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
    if !lower.contains(table) {
        return false;
    }
    let lexed = lex(text);
    lexed.tokens.iter().any(|token| {
        let said = token.text(text);
        match token.kind {
            Kind::Word => said.eq_ignore_ascii_case(table),
            Kind::Quoted => said.trim_matches('"') == table,
            Kind::Text | Kind::Escape | Kind::Dollar => said.to_ascii_lowercase().contains(table),
            _ => false,
        }
    })
}
