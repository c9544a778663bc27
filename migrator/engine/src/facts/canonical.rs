//! One form of a definition that a dump and its restoration leave as it is.
//!
//! The server keeps an expression as a tree and writes it anew for each reader. Reading that text back does not always give the
//! same tree, so a restored copy answers with other words for the same schema. Four things change:
//!
//! - **AND and OR.** `i BETWEEN 1 AND 9 AND j > 2` is kept as `((i >= 1) AND (i <= 9)) AND (j > 2)`; the parser makes one AND of
//!   three operands of that text. Both are associative, so nesting of the same kind is taken away everywhere.
//! - **Casts of array constructors.** `status IN ('a', 'b')` over a varchar casts the array, `(ARRAY['a'::character varying, ..])::text[]`;
//!   the parser hands such a cast down to the elements, `ARRAY[('a'::character varying)::text, ..]`. That is where it is put here.
//!
//! - **A join without a condition**, which a natural one is where the columns share no name: `ON TRUE` is kept as a condition
//!   when it is read, and then written `ON (true)`.
//! - **Names of columns that no one sees.** In a second SELECT of a UNION or in a subquery a constant has none; when its text is read,
//!   the cast in it, `'a'::text`, gives it one, and it is written `'a'::text AS text`. A name that the parser would give is left out.
//!
//! Everything else stays byte for byte: a text without one of the four comes out as it went in, and so does one that is not
//! understood.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::sql::unquoted;
use tokens::{Edit, Tokens};

mod tokens;

/// The kinds of facts whose definitions hold expressions.
const WITH_EXPRESSIONS: &[&str] = &[
    "column",
    "constraint",
    "domain",
    "function",
    "index",
    "materialized-view",
    "policy",
    "procedure",
    "publication",
    "rule",
    "statistics",
    "table",
    "trigger",
    "view",
];

/// What options of a column begin with: their values are raw text, not expressions.
const OPTIONS: &str = " OPTIONS (";

/// What domains are made of, as the facts of the same schema say: a cast to a domain over an array reaches the elements too.
#[derive(Debug, Default)]
pub(super) struct Domains(BTreeMap<String, String>);

impl Domains {
    /// Takes one in from the definition of its fact: `AS text[] NOT NULL`.
    pub(super) fn insert(&mut self, name: &str, definition: &str) {
        let Some(definition) = definition.strip_prefix("AS ") else { return };
        let Some(tokens) = Tokens::read(definition) else { return };
        if let Some(end) = tokens.type_end(0) {
            self.0.insert(name.to_owned(), tokens.slice(0, end).to_owned());
        }
    }

    /// The type of the elements, if the type is an array or a domain over one.
    fn element<'a>(&'a self, mut type_name: &'a str) -> Option<&'a str> {
        for _ in 0..=self.0.len() {
            if let Some(element) = type_name.strip_suffix("[]") {
                return Some(element);
            }
            type_name = self.0.get(type_name)?;
        }
        None
    }
}

/// The form that survives.
pub(super) fn canonical<'t>(kind: &str, definition: &'t str, domains: &Domains) -> Cow<'t, str> {
    let changes = [" AND ", " OR ", "(ARRAY[", " ON TRUE", " AS "].iter().any(|sign| definition.contains(sign));
    if !changes || !WITH_EXPRESSIONS.contains(&kind) {
        return Cow::Borrowed(definition);
    }
    let raw = if kind == "column" { definition.rfind(OPTIONS) } else { None };
    let (expression, rest) = definition.split_at(raw.unwrap_or(definition.len()));
    let Some(tokens) = Tokens::read(expression) else { return Cow::Borrowed(definition) };
    let edit = Canonicalizer { tokens: &tokens, domains, edit: tokens.edit() }.run();
    Cow::Owned(edit.render(&tokens) + rest)
}

/// What the operands of a group are joined with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    And,
    Or,
}

struct Canonicalizer<'a, 't> {
    tokens: &'a Tokens<'t>,
    domains: &'a Domains,
    edit: Edit,
}

impl Canonicalizer<'_, '_> {
    /// Innermost groups first: what encloses them sees what has become of them.
    fn run(mut self) -> Edit {
        let unconditional = |at: &usize| self.tokens.text(*at) == "TRUE" && self.tokens.text(at - 1) == "ON";
        (1..self.tokens.len()).filter(unconditional).for_each(|at| self.edit.replace(at, "(true)"));
        (1..self.tokens.len()).filter(|at| self.tokens.text(*at) == "::").for_each(|at| self.unname(at));
        let mut joined = vec![None; self.tokens.len()];
        for &(open, close) in self.tokens.groups() {
            if self.tokens.text(open) == "(" {
                joined[open] = self.joined(open, close);
                if let Some(kind) = joined[open] {
                    self.flatten(open, close, kind, &joined);
                }
                self.hand_down(open, close);
            }
        }
        self.edit
    }

    /// Takes the name from a constant, whose cast this is, if the parser would give it the same.
    fn unname(&mut self, cast: usize) {
        let constant = self.tokens.text(cast - 1);
        let Some(end) = self.tokens.type_end(cast + 1).filter(|end| self.tokens.text(*end) == "AS") else { return };
        let name = unquoted(self.tokens.text(end + 1));
        if (constant == "NULL" || constant.starts_with('\'')) && name == self.tokens.name_of_type(cast + 1, end) {
            self.edit.remove(end);
            self.edit.remove(end + 1);
        }
    }

    /// AND or OR, where nothing but one of them divides the group.
    fn joined(&self, open: usize, close: usize) -> Option<Joined> {
        let mut found = None;
        let mut at = open + 1;
        while at < close {
            let this = match self.tokens.text(at) {
                "AND" => Some(Joined::And),
                "OR" => Some(Joined::Or),
                // A list of arguments, a frame of a window.
                "," | ";" | "BETWEEN" => return None,
                _ => None,
            };
            if this.is_some() {
                if found.is_some() && found != this {
                    return None;
                }
                found = this;
            }
            at = self.tokens.after(at);
        }
        found
    }

    /// Takes the parentheses from every operand that is joined in the same way.
    fn flatten(&mut self, open: usize, close: usize, kind: Joined, joined: &[Option<Joined>]) {
        let mut start = open + 1;
        while start < close {
            let operand = start;
            let mut end = start;
            while end < close && !matches!(self.tokens.text(end), "AND" | "OR") {
                end = self.tokens.after(end);
            }
            if joined[operand] == Some(kind) && self.tokens.after(operand) == end {
                self.edit.remove(operand);
                self.edit.remove(end - 1);
            }
            start = end + 1;
        }
    }

    /// `(ARRAY[a, b])::t[]` becomes `ARRAY[(a)::t, (b)::t]`; a cast to a domain stays, as one of the whole.
    fn hand_down(&mut self, open: usize, close: usize) {
        // Checked first: this runs for every group, and most are not cast.
        if self.tokens.text(close + 1) != "::" {
            return;
        }
        let Some(array) = self.array(open + 1, close) else { return };
        let Some(end) = self.tokens.type_end(close + 2) else { return };
        let type_name = self.tokens.slice(close + 2, end);
        let Some(element) = self.domains.element(type_name) else { return };
        self.cast_elements(array, element);
        if type_name.ends_with("[]") {
            self.edit.remove(open);
            (close..end).for_each(|at| self.edit.remove(at));
        }
    }

    /// The bracket after ARRAY, where nothing else is between the two places.
    fn array(&self, start: usize, end: usize) -> Option<usize> {
        let mut there = (start..end).filter(|at| !self.edit.is_removed(*at));
        let bracket = there.next().filter(|at| self.tokens.text(*at) == "ARRAY").and_then(|_| there.next())?;
        let close = self.tokens.partner(bracket).filter(|_| self.tokens.text(bracket) == "[")?;
        there.all(|at| at <= close).then_some(bracket)
    }

    fn cast_elements(&mut self, bracket: usize, element: &str) {
        // A list and no recursion: how deep arrays are nested is for others to say.
        let mut brackets = vec![bracket];
        while let Some(bracket) = brackets.pop() {
            let Some(close) = self.tokens.partner(bracket) else { continue };
            let mut start = bracket + 1;
            while start < close {
                let mut end = start;
                while end < close && self.tokens.text(end) != "," {
                    end = self.tokens.after(end);
                }
                match self.array(start, end) {
                    Some(nested) => brackets.push(nested),
                    None => self.cast(start, end, element),
                }
                start = end + 1;
            }
        }
    }

    /// One element, as the server writes a cast.
    fn cast(&mut self, start: usize, end: usize, element: &str) {
        let inner = self.tokens.after(start);
        let own = (inner + 1 < end && self.tokens.text(inner) == "::" && self.tokens.type_end(inner + 1) == Some(end))
            .then(|| self.tokens.slice(inner + 1, end));
        if own == Some(element) || self.edit.ends_with_cast(end - 1, element) {
            return;
        }
        // The length of a constant's own type takes the place of that type.
        let is_longer = |own: &str| element.strip_prefix(own).is_some_and(|rest| rest.starts_with('('));
        if own.is_some_and(is_longer) && self.tokens.text(start).starts_with('\'') {
            (inner..end).for_each(|at| self.edit.remove(at));
            self.edit.close(start, &format!("::{element}"));
            return;
        }
        self.edit.open(start);
        self.edit.close(end - 1, &format!(")::{element}"));
    }
}

#[cfg(test)]
mod tests;
