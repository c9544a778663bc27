//! What a tool replaces in a text before it runs it: put there by `--value`, or refused.

use anyhow::Result;
use migrator_sql::{Kind, lex};

use crate::author::import::checksum;
use crate::author::import::draft::{Found, Part};
use crate::author::import::text::line_of;
use crate::author::import::tool::{Replaced, Tool};
use crate::output::Usage;
use migrator_engine::words::count;

/// Puts the values that are given in their places. A value may be the placeholder itself, which stays then.
///
/// # Errors
/// A value is not `name=text`, or nothing is replaced by it.
pub(crate) fn put(tool: &Tool, values: &[String], found: &mut Found) -> Result<()> {
    for value in values {
        let Some((name, text)) = value.split_once('=') else {
            return Err(Usage(format!("`--value {value}` is not `NAME=TEXT`")).into());
        };
        let mut number = 0;
        let mut replace = |part: &mut Part, notes: &mut Vec<String>| {
            for place in forms(tool.replaced, name) {
                let here = part.text.matches(&place).count();
                if here > 0 {
                    part.text = part.text.replace(&place, text);
                    notes.push(format!("{}: `{place}` is `{text}`, {}", part.file, count(here, "time")));
                    number += here;
                }
            }
        };
        for draft in &mut found.drafts {
            replace(&mut draft.up, &mut draft.notes);
            if let Some(down) = &mut draft.down {
                replace(down, &mut draft.notes);
            }
        }
        for repeatable in &mut found.repeatables {
            replace(&mut repeatable.part, &mut repeatable.notes);
            // Flyway computes the checksum of a repeatable after the replacement.
            let sums = checksum::crc32_of_lines(&repeatable.part.text);
            let new = sums.into_iter().filter(|sum| !repeatable.row.checksums.contains(sum)).collect::<Vec<_>>();
            repeatable.row.checksums.extend(new);
        }
        if number == 0 {
            let message = match tool.replaced {
                Replaced::Nothing => format!("`--value` is not for {}: it replaces nothing", tool.title),
                _ => format!("`--value {name}=...`: no file has a placeholder `{name}`"),
            };
            return Err(Usage(message).into());
        }
    }
    Ok(())
}

/// How a placeholder may be written.
fn forms(by: Replaced, name: &str) -> Vec<String> {
    match by {
        Replaced::Nothing => Vec::new(),
        Replaced::Braces => vec![format!("${{{name}}}")],
        Replaced::Colon => vec![format!(":{name}")],
        Replaced::Template => vec![format!("{{{{.{name}}}}}"), format!("{{{{ .{name} }}}}")],
    }
}

/// The name of a placeholder that `--value` can take.
fn name_of(by: Replaced, shown: &str) -> Option<&str> {
    match by {
        Replaced::Nothing => None,
        Replaced::Braces => shown.strip_prefix("${")?.strip_suffix('}'),
        Replaced::Colon => shown.strip_prefix(':'),
        Replaced::Template => {
            let name = shown.strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix('.')?;
            name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
        }
    }
}

/// Refuses what the tool replaces before it runs a text: no one can know what it puts there.
pub(crate) fn refuse(tool: &Tool, values: &[String], found: &mut Found) {
    if tool.replaced == Replaced::Nothing {
        return;
    }
    let drafts = found.drafts.iter().flat_map(|draft| [Some(&draft.up), draft.down.as_ref()]);
    let parts = drafts.flatten().chain(found.repeatables.iter().map(|repeatable| &repeatable.part));
    let mut refused: Vec<Refused> = Vec::new();
    for part in parts {
        for (at, shown) in replaced(tool.replaced, &part.text) {
            let name = name_of(tool.replaced, &shown);
            let is_given =
                |name: &str| values.iter().any(|value| value.split_once('=').is_some_and(|(given, _)| given == name));
            if name.is_some_and(is_given) {
                continue;
            }
            // A value is given once for all files; everything else is changed in each file.
            let is_same = |other: &Refused| other.shown == shown && (name.is_some() || other.file == part.file);
            match refused.iter_mut().rev().find(|other| is_same(other)) {
                Some(known) => {
                    known.more += 1;
                    if known.last != part.file {
                        known.last.clone_from(&part.file);
                        known.files += 1;
                    }
                }
                None => refused.push(Refused {
                    file: part.file.clone(),
                    line: part.line + line_of(&part.text, at) - 1,
                    shown,
                    more: 0,
                    files: 0,
                    last: part.file.clone(),
                }),
            }
        }
    }
    // Of several in one line, each needs its value.
    for same in refused.chunk_by(|a, b| (&a.file, a.line) == (&b.file, b.line)) {
        let said: Vec<String> = same.iter().map(|one| one.said(tool)).collect();
        found.refuse(&same[0].file, same[0].line, said.join("; "));
        found.placeholders.extend(same.iter().map(|one| one.shown.clone()));
    }
}

/// A placeholder without a value: where it is first, and how often it is found after that.
struct Refused {
    file: String,
    line: usize,
    shown: String,
    more: usize,
    /// How many other files have it, and the last of them.
    files: usize,
    last: String,
}

impl Refused {
    fn said(&self, tool: &Tool) -> String {
        let Refused { shown, more, files, .. } = self;
        let way = match name_of(tool.replaced, shown) {
            Some(name) => format!("say what it stands for with `--value {name}=...`"),
            None => "put there what it stands for".to_owned(),
        };
        let more = match (more, files) {
            (0, _) => String::new(),
            (_, 0) => format!(" (and {more} times more)"),
            (_, 1) => format!(" (and {more} times more, also in another file)"),
            (_, _) => format!(" (and {more} times more, also in {files} other files)"),
        };
        format!("{} replaces `{shown}` before it runs the file{more}: {way}", tool.title)
    }
}

/// Where something is replaced outside comments, and what it looks like.
fn replaced(by: Replaced, text: &str) -> Vec<(usize, String)> {
    let opening = match by {
        Replaced::Nothing => return Vec::new(),
        Replaced::Braces => "${",
        Replaced::Template => "{{",
        Replaced::Colon => ":",
    };
    if !text.contains(opening) {
        return Vec::new();
    }
    let lexed = lex(text);
    let in_comment = |at: usize| {
        let after = lexed.comments.partition_point(|comment| comment.range.start <= at);
        after > 0 && lexed.comments[after - 1].range.contains(&at)
    };
    let in_text = |at: usize| {
        let after = lexed.tokens.partition_point(|token| token.start() <= at);
        after > 0
            && lexed.tokens[after - 1].range().contains(&at)
            && matches!(lexed.tokens[after - 1].kind, Kind::Text | Kind::Escape | Kind::Dollar)
    };
    let mut all = Vec::new();
    for (at, _) in text.match_indices(opening) {
        let rest = &text[at + opening.len()..];
        let close = match by {
            Replaced::Braces => rest.find('}').map(|end| end + 1),
            Replaced::Template => rest.find("}}").map(|end| end + 2),
            _ => constant(&text[..at], rest, in_text(at)),
        };
        if let Some(close) = close.filter(|_| by == Replaced::Template || !in_comment(at)) {
            let end = at + opening.len() + close;
            all.push((at, text[at..end].chars().take(60).collect()));
        }
    }
    all
}

/// The length of the name in `:NAME`: in capitals, and inside a text only one that the tool itself defines.
fn constant(before: &str, rest: &str, in_text: bool) -> Option<usize> {
    let length =
        rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_').len();
    let begins = rest.starts_with(|c: char| c.is_ascii_uppercase()) && length > 1;
    let ends = !rest[length..].starts_with(|c: char| c.is_ascii_alphanumeric());
    let known = !in_text || rest.starts_with("DATABASE_");
    (begins && ends && known && !before.ends_with(':')).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_replaced() {
        let said =
            |by, text: &str| replaced(by, text).into_iter().map(|(_, shown)| shown).collect::<Vec<_>>().join(" ");
        assert_eq!(said(Replaced::Braces, "GRANT x TO ${role}; -- ${a}\nSELECT '${b}', $${c$$, '$ {'"), "${role} ${b}");
        assert_eq!(
            said(Replaced::Template, "{{ template \"a.sql\" . }}\nSELECT '{{1,2},{3,4}}'"),
            "{{ template \"a.sql\" . }} {{1,2},{3,4}}"
        );
        assert_eq!(
            said(Replaced::Colon, "x::TEXT; TO :DATABASE_OWNER; ':AB', ':DATABASE_NAME' a[1:N] b:=C"),
            ":DATABASE_OWNER :DATABASE_NAME"
        );
    }
}
