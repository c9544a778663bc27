//! What an object is called in every database that has it.

use std::cmp::Ordering;
use std::fmt;

/// The name of an object, as the facts give it.
#[derive(Debug, Clone, Eq)]
pub(crate) struct Key {
    /// The object that it belongs to, qualified and quoted.
    pub(crate) object: String,
    /// `table`, `column`, `index`, ...; beside those of the facts `default`, the default of a column.
    pub(crate) kind: String,
    /// The part of the object; empty for the object itself.
    pub(crate) part: String,
}

impl Key {
    pub(crate) fn new(object: &str, kind: &str, part: &str) -> Key {
        Key { object: object.to_owned(), kind: kind.to_owned(), part: part.to_owned() }
    }

    pub(crate) fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other).is_eq()
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        #[cfg(test)]
        COMPARED.with(|compared| compared.set(compared.get() + 1));
        self.object.cmp(&other.object).then_with(|| self.kind.cmp(&other.kind)).then_with(|| self.part.cmp(&other.part))
    }
}

#[cfg(test)]
thread_local! {
    /// How often two names were compared: what work costs does not depend on the machine.
    pub(crate) static COMPARED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part.is_empty() {
            true => write!(f, "{} {}", self.kind, self.object),
            false => write!(f, "{} {} of {}", self.kind, self.part, self.object),
        }
    }
}

/// The pieces between the separators that are not within quotes.
pub(crate) fn pieces<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut found, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, _) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with('"') {
            quoted = !quoted;
        } else if !quoted && at >= start && rest.starts_with(separator) {
            found.push(text.get(start..at).unwrap_or_default());
            start = at + separator.len();
        }
    }
    found.push(text.get(start..).unwrap_or_default());
    found
}

/// A qualified name without its last part, and that part.
pub(crate) fn last(path: &str) -> Option<(&str, &str)> {
    let name = pieces(path, ".").pop()?;
    Some((path.strip_suffix(name)?.strip_suffix('.')?, name))
}

/// The schema of a qualified name; a function's arguments are no part of its name.
pub(crate) fn schema(object: &str) -> &str {
    pieces(object, ".").first().copied().unwrap_or_default()
}

/// Kinds of relations that hold rows.
pub(crate) const TABLES: &[&str] = &["table", "foreign-table"];
/// Kinds of relations that are made of a query.
pub(crate) const VIEWS: &[&str] = &["view", "materialized-view"];
/// Kinds of routines that the server can write as a statement.
pub(crate) const ROUTINES: &[&str] = &["function", "procedure"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_divided_outside_its_quotes() {
        let check = |path: &str, expected: Option<(&str, &str)>| assert_eq!(last(path), expected, "{path}");
        check("core.users", Some(("core", "users")));
        check("\"a.b\".\"c.\"\".d\"", Some(("\"a.b\"", "\"c.\"\".d\"")));
        check("core.users.\"é.x\"", Some(("core.users", "\"é.x\"")));
        check("alone", None);
        assert_eq!(schema("\"a.b\".f(numeric, core.t)"), "\"a.b\"");
        assert_eq!(pieces("core.\"a, b\", core.c", ", "), ["core.\"a, b\"", "core.c"]);
    }
}
