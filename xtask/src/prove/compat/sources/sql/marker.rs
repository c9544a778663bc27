//! The comments that name a query.

use std::ops::Range;

use super::parameters::Style;

/// A comment that names the query after it.
pub(super) struct Marker<'a> {
    /// The byte where the comment starts.
    pub(super) at: usize,
    pub(super) name: &'a str,
    /// How a file with such comments writes parameters.
    pub(super) style: Style,
}

impl<'a> Marker<'a> {
    /// `--! name`, `-- name: Name :many` or `/* name: Name :many */`; `None` for any other comment.
    pub(super) fn of(text: &'a str, range: Range<usize>) -> Option<Marker<'a>> {
        let at = range.start;
        let comment = &text[range];
        if let Some(rest) = comment.strip_prefix("--!") {
            let name = first(rest.trim_start(), |c| c.is_alphanumeric() || c == '_')?;
            return Some(Marker { at, name, style: Style::Cornucopia });
        }
        let inside = comment.strip_prefix("--").or_else(|| comment.strip_prefix("/*")?.strip_suffix("*/"))?;
        let rest = inside.trim_start_matches(['-', ' ', '\t']).strip_prefix("name:")?.trim_start();
        let name = first(rest, |c| !c.is_whitespace() && c != ':')?;
        // Yesql and its like name their queries so too, and write `:name`.
        let is_sqlc = rest[name.len()..].trim_start().starts_with(':');
        Some(Marker { at, name, style: if is_sqlc { Style::Sqlc } else { Style::Plain } })
    }
}

/// The beginning of a text that consists of such characters.
fn first(text: &str, is_inside: impl Fn(char) -> bool) -> Option<&str> {
    let end = text.find(|c| !is_inside(c)).unwrap_or(text.len());
    Some(&text[..end]).filter(|name| !name.is_empty())
}
