//! From a set to its hazards.

use migrator_diagnostic::{Diagnostic, Level, Place, printable};

use super::block::{Block, Finding};
use super::known::Known;
use super::{allow, table};
use migrator_model::{Migration, Script, Set, Text};
use migrator_sql::{lex, parse, split};

use crate::source::Source;

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
    /// What is wrong: lowercase, one line, objects in backticks.
    pub message: String,
    /// The lock that this statement takes; empty for a comment.
    pub lock: String,
    /// Why that is dangerous; empty for a comment.
    pub reason: &'static str,
    /// The safe way to write it, one line.
    pub help: String,
    source_line: Option<String>,
}

impl Hazard {
    fn new(source: &Source, finding: &Finding, rule: &'static table::Rule) -> Hazard {
        let subject = match finding.subject.as_str() {
            "" => "the object".to_owned(),
            subject => format!("`{subject}`"),
        };
        let help = finding.help.unwrap_or(rule.help);
        let or = if help.ends_with("say so") { ":" } else { "; or" };
        let help = format!("{help}{or} `-- migrate:allow {} <reason>` above the statement", rule.name);
        let message = rule.message.replace("{}", &subject);
        Hazard {
            rule: rule.name,
            lock: finding.lock.clone().unwrap_or_else(|| rule.lock.to_owned()),
            reason: rule.reason,
            ..Hazard::of_allow(source, finding.at, message, help)
        }
    }

    pub(super) fn of_allow(source: &Source, at: usize, message: String, help: String) -> Hazard {
        let (line, column) = source.position(at);
        let source_line = source.shown_line(at);
        let file = source.file.clone();
        let (message, help) = (printable::line(&message).into_owned(), printable::line(&help).into_owned());
        Hazard { rule: ALLOW, file, line, column, message, lock: String::new(), reason: "", help, source_line }
    }

    /// A block in the manner of rustc: title, place, source line with a caret, lock, reason, help. `color` adds ANSI styles.
    pub fn render(&self, color: bool) -> String {
        let notes = [("lock", self.lock.as_str()), ("reason", self.reason)];
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
            level: Level::Error,
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

/// The hazards in the up blocks of all migrations above `[check] start_after`, by file, line and column.
pub fn search(set: &Set) -> Vec<Hazard> {
    parse::with_deep_stack(|| {
        let start_after = set.settings.start_after;
        let mut known = Known::default();
        let mut hazards = Vec::new();
        for migration in set.migrations.iter() {
            let old = start_after.is_some_and(|version| migration.number <= version);
            of_migration(migration, old, &set.settings.allow, &mut known, &mut hazards);
        }
        set.scripts().for_each(|script| of_script(script, &mut hazards));
        hazards.sort_by(|a, b| (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule)));
        hazards
    })
}

/// `old`: only what later migrations have to know is taken from it.
fn of_migration(migration: &Migration, old: bool, switched_off: &[Text], known: &mut Known, hazards: &mut Vec<Hazard>) {
    let lexed = lex(&migration.text);
    let statements = split(&migration.text, lexed.within(&migration.up.range));
    if old {
        statements.iter().for_each(|words| known.take(words));
        return;
    }
    let source = Source::new(&*migration.file, &*migration.text);
    let mut allows = allow::read(&source, &lexed.comments, &statements, hazards);
    let found =
        Block::new(&statements, migration.up.options.transaction, known).check(&migration.text, &lexed.comments);
    for finding in found {
        // Both count: what is switched off everywhere may be allowed here as well.
        let silenced = allow::silences(&mut allows, finding.rule, finding.statement);
        if silenced || switched_off.iter().any(|name| name == finding.rule) {
            continue;
        }
        if let Some(rule) = table::find(finding.rule) {
            hazards.push(Hazard::new(&source, &finding, rule));
        }
    }
    allow::unused(&source, &allows, hazards);
}

/// Nobody looks for hazards there, so there is nothing to silence.
fn of_script(script: &Script, hazards: &mut Vec<Hazard>) {
    if !script.text.contains("migrate:allow") {
        return;
    }
    let source = Source::new(&*script.file, &*script.text);
    let allows = allow::read(&source, &lex(&script.text).comments, &[], hazards);
    allow::unused(&source, &allows, hazards);
}
