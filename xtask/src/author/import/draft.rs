//! What a reader makes of another tool's files, before it is numbered and written.

use std::cmp::Ordering;

/// One migration of the other tool.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// The source files, relative to the imported directory; the first one has the up text.
    pub(crate) files: Vec<String>,
    /// Its place among the others.
    pub(crate) key: Key,
    /// The version in digits, if the tool has it so.
    pub(crate) digits: Option<String>,
    /// What it does, as its file says it.
    pub(crate) name: String,
    /// How the tool's history names it.
    pub(crate) row: Row,
    /// Comment lines above the up text.
    pub(crate) head: String,
    pub(crate) up: Part,
    pub(crate) down: Option<Part>,
    /// What was changed, and what else there is to know.
    pub(crate) notes: Vec<String>,
}

/// A row of the other tool's history.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    pub(crate) source: String,
    pub(crate) name: String,
    pub(crate) checksums: Vec<String>,
}

/// The SQL of one direction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    /// The source file that it comes from.
    pub(crate) file: String,
    /// The line of that file on which the text starts, from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
    /// True if a marker of the tool switches the transaction off; once settled: whether ours is off.
    pub(crate) off: bool,
    /// Why our parser must not judge it.
    pub(crate) unchecked: Option<String>,
}

/// A file that runs again whenever it changes.
#[derive(Debug, Clone)]
pub(crate) struct Repeatable {
    pub(crate) file: String,
    /// The name of our file, without its ending.
    pub(crate) name: String,
    pub(crate) row: Row,
    pub(crate) part: Part,
    pub(crate) notes: Vec<String>,
}

/// Why something cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) file: String,
    /// The line, from 1; 0: the file as a whole.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Everything in a directory.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In the tool's order, once it is sorted.
    pub(crate) drafts: Vec<Draft>,
    pub(crate) repeatables: Vec<Repeatable>,
    /// What is not imported, and why that is right.
    pub(crate) left: Vec<(String, String)>,
    pub(crate) troubles: Vec<Trouble>,
    /// What the tool replaces before it runs a text, where no value is given: one of the troubles for each.
    pub(crate) placeholders: Vec<String>,
    /// What concerns all of them.
    pub(crate) notes: Vec<String>,
}

impl Found {
    pub(crate) fn refuse(&mut self, file: &str, line: usize, message: impl Into<String>) {
        self.troubles.push(Trouble { file: file.to_owned(), line, message: message.into() });
    }

    pub(crate) fn leave(&mut self, file: &str, reason: impl Into<String>) {
        self.left.push((file.to_owned(), reason.into()));
    }
}

impl Part {
    /// A whole file.
    pub(crate) fn whole(file: &str, text: impl Into<String>) -> Part {
        Part { file: file.to_owned(), line: 1, text: text.into(), off: false, unchecked: None }
    }

    /// True if there is no statement in it.
    pub(crate) fn is_empty(&self) -> bool {
        let tokens = migrator_sql::lex(&self.text).tokens;
        tokens.iter().all(|token| token.text(&self.text) == ";")
    }
}

/// The place of a migration: numbers first, then text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    numbers: Vec<Digits>,
    text: String,
}

impl Key {
    /// Ordered by these numbers, each in decimal digits of any length; zeros at the end do not count.
    pub(crate) fn numbers<'a>(numbers: impl IntoIterator<Item = &'a str>, text: &str) -> Key {
        let mut numbers: Vec<Digits> = numbers.into_iter().map(Digits::new).collect();
        while numbers.len() > 1 && numbers.last().is_some_and(|last| last.0.is_empty()) {
            numbers.pop();
        }
        Key { numbers, text: text.to_owned() }
    }

    /// Ordered by bytes.
    pub(crate) fn text(text: &str) -> Key {
        Key { numbers: Vec::new(), text: text.to_owned() }
    }
}

/// A number without leading zeros; 0 is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Digits(String);

impl Digits {
    fn new(digits: &str) -> Digits {
        Digits(digits.trim_start_matches('0').to_owned())
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Digits) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Digits) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn versions_are_compared_as_numbers() {
        let dotted = |version: &str| Key::numbers(version.split('.'), "");
        let ascending = ["0.9", "1", "1.2", "1.9", "1.10", "2", "10", "20230101000000", "99999999999999999999999"];
        assert!(ascending.windows(2).all(|pair| dotted(pair[0]) < dotted(pair[1])));
        assert_eq!(dotted("1.0"), dotted("1"));
        assert_eq!(dotted("001"), dotted("1"));
        assert!(Key::text("10_b") < Key::text("9_a"));
    }
}
