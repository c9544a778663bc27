//! Whose transaction a text runs in: the tool's, its own, or none; and the same in our terms.

use std::ops::Range;

use migrator_sql::{Kind, Lexed, Words, detaches_slots, lex, no_transaction, split};

use super::cut::{self, statement_with_end};
use super::text::line_of;
use super::tool::Around;

/// A text as a block of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) text: String,
    /// Whether the block is `transaction:false`.
    pub(crate) off: bool,
    /// What was changed, and why.
    pub(crate) note: Option<String>,
}

/// Says how a text runs here as it ran there. `off`: a marker of the tool switches its transaction off. `before`: the lines of the file that
/// are above the text.
///
/// # Errors
/// The line of the file, from 1, and what cannot be said in a block.
pub(crate) fn settle(text: &str, off: bool, around: Around, before: usize) -> Result<Settled, (usize, String)> {
    let lexed = lex(text);
    let statements = split(text, &lexed.tokens);
    let slots = detaches_slots(&statements);
    let script = Script { text, before, lexed: &lexed, statements: &statements, slots };
    let controls: Vec<(usize, Control)> =
        statements.iter().enumerate().filter_map(|(at, words)| Some((at, control(words)?))).collect();
    if controls.is_empty() {
        return Ok(script.without_control(off, around));
    }
    let is_wrapped = around == Around::Transaction && !off;
    let settled = script.lifted(&controls).or_else(|| script.paired(&controls));
    let settled = settled.or_else(|| {
        if is_wrapped { script.committed(&controls).or_else(|| script.broken_out(&controls)) } else { None }
    });
    if let Some(settled) = settled.or_else(|| script.with_savepoints(&controls)) {
        return Ok(settled);
    }
    let (at, control) = controls.iter().find(|(_, control)| *control == Control::Other).unwrap_or(&controls[0]);
    let words = statements[*at].shown(3);
    let why = match control {
        Control::Other => "no block of ours can hold it",
        _ => "it has no counterpart, or leaves statements that need a transaction outside of one",
    };
    Err((script.line(*at), format!("`{words}`: {why}")))
}

/// A statement that controls transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    /// `BEGIN` or `START TRANSACTION`, and whether it says nothing more.
    Begin {
        plain: bool,
    },
    Commit,
    /// Possible inside a transaction that the file controls: savepoints, `SET TRANSACTION`.
    Inside,
    /// `ROLLBACK`, `COMMIT PREPARED`, `COMMIT AND CHAIN`, ...
    Other,
}

fn control(words: &Words<'_>) -> Option<Control> {
    if words.tokens.first().is_none_or(|token| token.kind != Kind::Word) {
        return None;
    }
    let rest = |from: usize| (from..words.tokens.len()).all(|at| words.is_any(at, &["work", "transaction"]));
    let transaction = words.is(1, "transaction");
    Some(match words.at(0).to_ascii_lowercase().as_str() {
        "begin" => Control::Begin { plain: rest(1) },
        "start" if transaction => Control::Begin { plain: rest(1) },
        "commit" | "end" if rest(1) => Control::Commit,
        "commit" | "end" | "abort" => Control::Other,
        "rollback" if words.has("to") => Control::Inside,
        "rollback" => Control::Other,
        "prepare" if transaction => Control::Other,
        "savepoint" | "release" => Control::Inside,
        "set" if transaction || words.is(1, "local") && words.is(2, "transaction") => Control::Inside,
        _ => return None,
    })
}

/// What a statement is among those that control transactions, which are ascending.
fn control_at(controls: &[(usize, Control)], at: usize) -> Option<Control> {
    controls.binary_search_by_key(&at, |(of, _)| *of).ok().map(|found| controls[found].1)
}

struct Script<'a> {
    text: &'a str,
    before: usize,
    lexed: &'a Lexed,
    statements: &'a [Words<'a>],
    slots: bool,
}

impl Script<'_> {
    fn needs_none(&self, at: usize) -> Option<&'static str> {
        no_transaction(&self.statements[at], self.slots)
    }

    fn range(&self, at: usize) -> Range<usize> {
        statement_with_end(&self.statements[at], self.lexed)
    }

    fn line(&self, at: usize) -> usize {
        self.before + line_of(self.text, self.statements[at].start())
    }

    fn without_control(&self, off: bool, around: Around) -> Settled {
        let found = (0..self.statements.len()).find_map(|at| Some((at, self.needs_none(at)?)));
        let note = match found.filter(|_| !off) {
            Some((at, name)) => {
                Some(format!("line {}: `{name}` runs in no transaction: transaction:false", self.line(at)))
            }
            None if around == Around::Statements && !off => self.new_value(),
            None => None,
        };
        Settled { text: self.text.to_owned(), off: off || note.is_some(), note }
    }

    /// A value that is added to an enum can be used only once it is committed, as psql does after every statement.
    fn new_value(&self) -> Option<String> {
        let adds = |words: &Words<'_>| {
            words.start_with(&["alter", "type"]) && words.find("add").is_some_and(|at| words.is(at + 1, "value"))
        };
        let at = self.statements.iter().position(adds).filter(|at| at + 1 < self.statements.len())?;
        Some(format!("line {}: what follows may use the new value: transaction:false", self.line(at)))
    }

    /// One transaction around everything but settings before it: it becomes ours.
    fn lifted(&self, controls: &[(usize, Control)]) -> Option<Settled> {
        let [(begin, Control::Begin { plain: true }), (commit, Control::Commit)] = controls else { return None };
        let is_setting = |at: usize| self.statements[at].is(0, "set") && !self.statements[at].is(1, "local");
        let spans = (0..*begin).all(is_setting) && *commit + 1 == self.statements.len();
        if !spans || (0..self.statements.len()).any(|at| self.needs_none(at).is_some()) {
            return None;
        }
        let text = cut::without(self.text, &[self.range(*begin), self.range(*commit)]);
        let note = format!(
            "`BEGIN` on line {} and `COMMIT` on line {} lifted: the block is one transaction",
            self.line(*begin),
            self.line(*commit)
        );
        Some(Settled { text, off: false, note: Some(note) })
    }

    /// Transactions of the file's own, each complete: a block without ours runs them as they are.
    fn paired(&self, controls: &[(usize, Control)]) -> Option<Settled> {
        let mut open = false;
        for at in 0..self.statements.len() {
            match control_at(controls, at) {
                Some(Control::Begin { .. }) if !open => open = true,
                Some(Control::Commit) if open => open = false,
                Some(Control::Inside) if open => {}
                Some(_) => return None,
                None => {
                    let refused =
                        if open { self.needs_none(at).is_some() } else { needs_transaction(&self.statements[at]) };
                    if refused {
                        return None;
                    }
                }
            }
        }
        let begins = controls.iter().any(|(_, control)| matches!(control, Control::Begin { .. }));
        (!open && begins).then(|| Settled {
            text: self.text.to_owned(),
            off: true,
            note: Some("its own `BEGIN` and `COMMIT` kept: transaction:false".to_owned()),
        })
    }

    /// A `COMMIT` at the end, of the tool's transaction: nothing is outside of it.
    fn committed(&self, controls: &[(usize, Control)]) -> Option<Settled> {
        let [(commit @ 1.., Control::Commit)] = controls else { return None };
        if commit + 1 != self.statements.len() || (0..*commit).any(|at| self.needs_none(at).is_some()) {
            return None;
        }
        let text = cut::without(self.text, &[self.range(*commit)]);
        let note = format!("`COMMIT` on line {} lifted: the block is one transaction", self.line(*commit));
        Some(Settled { text, off: false, note: Some(note) })
    }

    /// A file that ends the tool's transaction, to run something outside of it: `COMMIT; ...; BEGIN;`.
    fn broken_out(&self, controls: &[(usize, Control)]) -> Option<Settled> {
        controls.iter().find(|(_, control)| *control == Control::Commit)?;
        let mut open = true;
        for at in 0..self.statements.len() {
            match control_at(controls, at) {
                Some(Control::Begin { .. }) if !open => open = true,
                Some(Control::Commit) if open => open = false,
                Some(Control::Inside) if open => {}
                Some(_) => return None,
                None if open && self.needs_none(at).is_some() => return None,
                None if !open && needs_transaction(&self.statements[at]) => return None,
                None => {}
            }
        }
        let last = self.statements.len() - 1;
        let (first_is, last_is) = (controls.first()?, controls.last()?);
        let starts_outside = *first_is == (0, Control::Commit);
        let ends_outside = last_is.0 == last && matches!(last_is.1, Control::Begin { plain: true });
        let mut gone = Vec::new();
        gone.extend(starts_outside.then(|| self.range(0)));
        gone.extend((ends_outside && last > 0).then(|| self.range(last)));
        let mut text = cut::without(self.text, &gone);
        if !starts_outside {
            text = format!("BEGIN;\n{text}");
        }
        if open && !ends_outside {
            text = terminated(&text) + "COMMIT;\n";
        }
        let note = "it ends the tool's transaction to run statements outside of one: transaction:false, with `BEGIN` and `COMMIT` where the tool has them";
        Some(Settled { text, off: true, note: Some(note.to_owned()) })
    }

    /// Savepoints, or `SET TRANSACTION` after other statements, in the tool's transaction: it is written out.
    fn with_savepoints(&self, controls: &[(usize, Control)]) -> Option<Settled> {
        let are_inside = controls.iter().all(|(_, control)| *control == Control::Inside);
        if !are_inside || (0..self.statements.len()).any(|at| self.needs_none(at).is_some()) {
            return None;
        }
        // The migrator takes what comes before every other statement.
        let leading = self.statements.iter().take_while(|words| words.is(0, "set")).count();
        if controls.iter().all(|(at, _)| *at < leading) {
            return Some(Settled { text: self.text.to_owned(), off: false, note: None });
        }
        let text = format!("BEGIN;\n{}COMMIT;\n", terminated(self.text));
        let note = "savepoints, or `SET TRANSACTION`: transaction:false, with `BEGIN` and `COMMIT` written out";
        Some(Settled { text, off: true, note: Some(note.to_owned()) })
    }
}

/// A text after which another statement can follow.
fn terminated(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(last) = lex(&text).tokens.last().copied().filter(|token| token.text(&text) != ";") {
        text.insert(last.end(), ';');
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// True for a statement that does nothing, or fails, where every statement is a transaction.
fn needs_transaction(words: &Words<'_>) -> bool {
    words.is(0, "lock")
        || words.is(0, "set") && (words.is(1, "local") || words.is(1, "constraints"))
        || words.is(0, "declare") && !words.has("hold")
        || words.is(0, "create") && words.is_any(1, &["temp", "temporary"]) && words.has("drop")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, off: bool, around: Around, expected: &str) {
        let said = match settle(text, off, around, 0) {
            Ok(settled) => format!("{} {}", if settled.off { "off" } else { "on" }, settled.text),
            Err((line, message)) => format!("{line}: {message}"),
        };
        assert_eq!(said.replace('\n', "|"), expected, "{text}");
    }

    const CIC: &str = "CREATE INDEX CONCURRENTLY i ON t (a)";

    #[test]
    fn a_text_without_control_is_as_the_tool_says() {
        check("SELECT 1;", false, Around::Transaction, "on SELECT 1;");
        check("SELECT 1;", true, Around::Transaction, "off SELECT 1;");
        check("SELECT 1;", false, Around::Message, "on SELECT 1;");
        check(&format!("{CIC};"), false, Around::Message, &format!("off {CIC};"));
        check("-- BEGIN;\n", false, Around::Message, "on -- BEGIN;|");
        let text = "ALTER TYPE e ADD VALUE 'x'; SELECT 'x'::e;";
        check(text, false, Around::Message, &format!("on {text}"));
        check(text, false, Around::Statements, &format!("off {text}"));
    }

    #[test]
    fn a_transaction_around_everything_is_lifted() {
        for around in [Around::Transaction, Around::Message] {
            check("-- a\nBEGIN;\nSELECT 1;\nCOMMIT;\n", false, around, "on -- a||SELECT 1;||");
            check(
                "SET x = 1;\nSTART TRANSACTION;\nSELECT 1;\nEND TRANSACTION",
                true,
                around,
                "on SET x = 1;||SELECT 1;|",
            );
        }
        check(
            "BEGIN;\nDO $$ BEGIN COMMIT; END $$;\nCOMMIT;",
            false,
            Around::Message,
            "on |DO $$ BEGIN COMMIT; END $$;|",
        );
    }

    #[test]
    fn transactions_of_its_own_are_kept() {
        let text = "BEGIN; a; COMMIT; BEGIN; b; COMMIT;";
        check(text, false, Around::Transaction, &format!("off {text}"));
        let text = "BEGIN ISOLATION LEVEL SERIALIZABLE; a; SAVEPOINT s; RELEASE s; COMMIT;";
        check(text, false, Around::Message, &format!("off {text}"));
        let text = format!("{CIC}; BEGIN; b; COMMIT;");
        check(&text, true, Around::Transaction, &format!("off {text}"));
        check(
            "SET LOCAL x = 1; BEGIN; a; COMMIT; b",
            false,
            Around::Message,
            "1: `BEGIN`: it has no counterpart, or leaves statements that need a transaction outside of one",
        );
    }

    #[test]
    fn what_breaks_out_of_the_tools_transaction_is_written_out() {
        check(&format!("COMMIT;\n{CIC};\nBEGIN;\n"), false, Around::Transaction, &format!("off |{CIC};||"));
        check(
            &format!("a;\nCOMMIT;\n{CIC};\nBEGIN;\nb\n"),
            false,
            Around::Transaction,
            &format!("off BEGIN;|a;|COMMIT;|{CIC};|BEGIN;|b;|COMMIT;|"),
        );
        check("a;\nCOMMIT;\n", false, Around::Transaction, "on a;||");
        check(
            "COMMIT; a;",
            true,
            Around::Transaction,
            "1: `COMMIT`: it has no counterpart, or leaves statements that need a transaction outside of one",
        );
    }

    #[test]
    fn savepoints_need_a_transaction_of_the_files_own() {
        check("SAVEPOINT s;\nRELEASE s", false, Around::Transaction, "off BEGIN;|SAVEPOINT s;|RELEASE s;|COMMIT;|");
        check(
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; a",
            false,
            Around::Transaction,
            "on SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; a",
        );
    }

    #[test]
    fn what_no_block_can_hold_is_refused() {
        check("a;\nROLLBACK;", false, Around::Transaction, "2: `ROLLBACK`: no block of ours can hold it");
        check(
            "BEGIN; a;",
            false,
            Around::Message,
            "1: `BEGIN`: it has no counterpart, or leaves statements that need a transaction outside of one",
        );
    }
}
