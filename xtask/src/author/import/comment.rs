//! What would be a marker here, or a command that only psql knows and that changes nothing in the database.

use std::borrow::Cow;

use migrator_sql::{Kind, lex};

use super::text::line_of;

/// Commands of psql that say how it prints, and what guards a dump against a hostile server.
const PSQL: [&str; 9] =
    ["\\echo", "\\pset", "\\timing", "\\restrict", "\\unrestrict", "\\qecho", "\\warn", "\\x", "\\encoding"];

/// Makes plain comments of them. Returns the text, and what is to be said of which lines.
pub(crate) fn disarm(text: &str) -> (Cow<'_, str>, Vec<(usize, String)>) {
    // Nearly every file ends here.
    let may_hold = ["migrat", "Migrat", "MIGRAT", "+goose", "+GOOSE", "\\"];
    if !may_hold.iter().any(|word| text.contains(word)) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let lexed = lex(text);
    let markers = lexed.comments.iter().filter(|comment| !comment.block && is_marker(&text[comment.range.clone()]));
    let mut places: Vec<(usize, &str)> = markers.map(|comment| (comment.range.start, "-- imported: ")).collect();
    let backslashes = lexed.tokens.iter().filter(|token| token.kind == Kind::Unknown && token.text(text) == "\\");
    places.extend(backslashes.map(|token| token.start()).filter(|at| is_harmless(text, *at)).map(|at| (at, "-- ")));
    places.sort_unstable();
    let (mut disarmed, mut notes, mut at) = (String::with_capacity(text.len() + 32), Vec::new(), 0);
    for (place, before) in places {
        disarmed.push_str(&text[at..place]);
        disarmed.push_str(before);
        at = place;
        let said = text[place..].lines().next().unwrap_or_default().trim_end();
        let why = if before == "-- " { "a command of psql that changes nothing" } else { "it would be a marker here" };
        notes.push((line_of(text, place), format!("`{said}`: {why}: now a comment")));
    }
    disarmed.push_str(&text[at..]);
    (Cow::Owned(disarmed), notes)
}

/// True for a line that is such a command, and nothing else.
fn is_harmless(text: &str, at: usize) -> bool {
    let begins_line = at == 0 || text[..at].ends_with('\n');
    let line = text[at..].lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    begins_line
        && words
            .first()
            .is_some_and(|first| PSQL.contains(first) || *first == "\\set" && words.get(1) == Some(&"ON_ERROR_STOP"))
}

/// True for a comment that the build takes for a marker, or for a misspelled one.
fn is_marker(comment: &str) -> bool {
    let body = comment.trim_start_matches('-').trim().to_lowercase();
    if body.starts_with("+goose") || body.starts_with("+migrate") {
        return true;
    }
    let Some(rest) = body.strip_prefix("migrate") else { return false };
    let word = rest.trim_start_matches(|c: char| c.is_whitespace() || ":;=_-.".contains(c));
    let separator = &rest[..rest.len() - word.len()];
    let first = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    separator.contains(':') && (separator == ":" || first.len() <= 10)
        || !separator.is_empty() && ["up", "down", "unchecked", "allow"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_a_marker_is_changed() {
        for same in ["-- migrate the rows", "SELECT '\n-- migrate:down\n';", "/* migrate:up */", "-- migrations: none"]
        {
            assert_eq!(disarm(same).0, same);
        }
        let (text, notes) = disarm("a;\n-- migrate:down\nb; -- +goose Up\n--Migrate: up\n");
        assert_eq!(
            text,
            "a;\n-- imported: -- migrate:down\nb; -- imported: -- +goose Up\n-- imported: --Migrate: up\n"
        );
        assert_eq!(notes.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4]);
        let dump = "\\restrict x\n\\set ON_ERROR_STOP on\nSELECT '\n\\echo a\n';\n\\i b.sql\n";
        let disarmed = "-- \\restrict x\n-- \\set ON_ERROR_STOP on\nSELECT '\n\\echo a\n';\n\\i b.sql\n";
        assert_eq!(disarm(dump).0, disarmed);
    }
}
