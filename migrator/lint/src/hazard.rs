//! What is said about a hazard.

use std::ops::Range;

use migrator_diagnostic::{Diagnostic, Level, Place, Source, printable};

use crate::rule::Rule;
use crate::site::Finding;
use crate::taken::Taken;

/// The rule under which a wrong `-- migrate:allow` is reported. Nothing can silence it.
const ALLOW: &str = "allow";

/// One hazard, or one `-- migrate:allow` that does not do what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// The name of the rule; `allow` for a comment that silences nothing.
    pub rule: &'static str,
    /// The path shown in messages: `db/migrations/001_init.sql`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The bytes of the file's text at which the statement has it: the first is that of line and column.
    pub places: Vec<usize>,
    /// What is wrong: lowercase, one line, objects in backticks.
    pub message: String,
    /// The lock that this statement takes; empty for a comment.
    pub lock: String,
    /// Why that is dangerous; empty for a comment.
    pub reason: &'static str,
    /// The safe way to write it, one line.
    pub help: String,
    /// What the running release may ask for and does not get any more, where that makes it a hazard.
    pub taken: Option<Taken>,
    /// A comment or a setting allows it.
    pub allowed: bool,
    /// What the linter would put in place of bytes of the file's text, where it knows that.
    pub edits: Vec<(Range<usize>, String)>,
    source_line: Option<String>,
}

impl Hazard {
    pub(crate) fn new(source: &Source, rule: &'static Rule, finding: Finding) -> Hazard {
        let subject = match &finding.subject {
            None => "the object".to_owned(),
            Some(subject) => format!("`{subject}`"),
        };
        let help = finding.help.unwrap_or(rule.help);
        let or = if help.ends_with("allow it") { ":" } else { "; or" };
        let help = format!("{help}{or} `-- migrate:allow {} <reason>` above the statement", rule.name);
        let message = rule.message.replace("{}", &subject);
        Hazard {
            rule: rule.name,
            lock: finding.lock,
            reason: rule.reason,
            taken: finding.taken,
            ..Hazard::of_allow(source, finding.at, message, help)
        }
    }

    pub(crate) fn of_allow(source: &Source, at: usize, message: String, help: String) -> Hazard {
        let (line, column) = source.position(at);
        let source_line = source.shown_line(at);
        let file = source.file.clone();
        let (message, help) = (printable::line(&message).into_owned(), printable::line(&help).into_owned());
        Hazard {
            rule: ALLOW,
            file,
            line,
            column,
            places: vec![at],
            message,
            lock: String::new(),
            reason: "",
            help,
            taken: None,
            allowed: false,
            edits: Vec::new(),
            source_line,
        }
    }

    /// A block in the manner of rustc: title, place, source line with a caret, lock, reason, help. `color` adds ANSI styles.
    pub fn render(&self, color: bool) -> String {
        self.render_as(Level::Error, "", color)
    }

    /// The same, and what is known of the running release beside it.
    pub fn render_as(&self, level: Level, release: &str, color: bool) -> String {
        let notes = [("lock", self.lock.as_str()), ("reason", self.reason), ("release", release)];
        let notes: Vec<String> =
            notes.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name}: {text}")).collect();
        let (file, line, column) = (self.file.as_str(), self.line, self.column);
        let place = match &self.source_line {
            Some(text) => {
                let byte = text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(byte, _)| byte);
                Place::Line { file, line, text, byte }
            }
            None => Place::Position { file, line, column },
        };
        let diagnostic = Diagnostic {
            level,
            code: Some(self.rule),
            title: &self.message,
            place,
            label: "",
            notes: &notes,
            help: std::slice::from_ref(&self.help),
        };
        diagnostic.render(color)
    }
}
