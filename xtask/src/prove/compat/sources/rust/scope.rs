//! What names mean at a place in a source.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::text::Text;
use super::tokens::{Delimiter, Lines, Token, after_types, elements, is_at, is_path_at, name_at};
use super::value::{self, Context, Value};

/// The names of each level of braces around a place.
pub(super) struct Scopes<'a> {
    file: Rc<str>,
    source: &'a str,
    /// Counted when one is asked for: most sources ask nothing.
    lines: OnceCell<Lines>,
    /// Reads a file for `include_str!`.
    include: &'a dyn Fn(&str, bool) -> Option<Text>,
    levels: Vec<HashMap<String, Value>>,
}

impl Context for Scopes<'_> {
    fn literal(&self, token: &Token<'_>) -> Option<Text> {
        let Token::Literal(written, start) = token else { return None };
        Text::literal(&self.file, written, self.line(*start))
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        self.levels.iter().rev().find_map(|level| level.get(name)).cloned()
    }

    fn include(&self, path: &str, of_package: bool) -> Option<Text> {
        (self.include)(path, of_package)
    }
}

/// `let name = ..;`
pub(super) struct Let {
    name: String,
    value: Value,
    /// The index of its semicolon.
    pub(super) end: usize,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(file: &str, source: &'a str, include: &'a dyn Fn(&str, bool) -> Option<Text>) -> Scopes<'a> {
        Scopes { file: file.into(), source, lines: OnceCell::new(), include, levels: Vec::new() }
    }

    /// The line of a byte.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.lines.get_or_init(|| Lines::of(self.source)).at(byte)
    }

    /// Begins a level with its constants, which may be used before they are written, and with the parameters of the function around it.
    pub(super) fn enter(&mut self, tokens: &[Token<'_>], parameters: HashMap<String, Value>) {
        self.levels.push(parameters);
        for (name, value) in self.constants(tokens) {
            self.bind(name, value);
        }
    }

    /// Ends it.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// The constants of one level.
    pub(super) fn constants(&self, tokens: &[Token<'_>]) -> Vec<(String, Value)> {
        let is_constant = |index: &usize| matches!(tokens[*index], Token::Name("const" | "static", _));
        let constant = |index: usize| {
            let name = name_at(tokens, index + 1);
            let is_named = !name.is_empty() && is_at(tokens, index + 2, b':');
            let (start, end) = expression(tokens, index + 2).filter(|_| is_named)?;
            Some((name.to_owned(), value::of(&tokens[start..end], self)))
        };
        (0..tokens.len()).filter(is_constant).filter_map(constant).collect()
    }

    /// The variable that a `let` at an index binds; `None`: a pattern, or there is no value.
    pub(super) fn variable(&self, tokens: &[Token<'_>], index: usize) -> Option<Let> {
        let is_mutable = name_at(tokens, index + 1) == "mut";
        let at = index + 1 + usize::from(is_mutable);
        let name = Some(name_at(tokens, at)).filter(|name| !name.is_empty())?;
        if !(is_at(tokens, at + 1, b':') || is_at(tokens, at + 1, b'=')) || is_path_at(tokens, at + 1) {
            return None;
        }
        let (start, end) = expression(tokens, at + 1)?;
        let value = match value::of(&tokens[start..end], self) {
            // It will be added to.
            value @ Value::Texts(_) if is_mutable => value.built(),
            Value::Unknown => value::of_type(&tokens[at + 1..start]),
            value => value,
        };
        Some(Let { name: name.to_owned(), value, end })
    }

    /// From here on the variable has its value.
    pub(super) fn declare(&mut self, variable: Let) {
        self.bind(variable.name, variable.value);
    }

    fn bind(&mut self, name: String, value: Value) {
        if let Some(level) = self.levels.last_mut() {
            level.insert(name, value);
        }
    }
}

/// Where the expression after the next `=` starts, and the semicolon after it.
fn expression(tokens: &[Token<'_>], index: usize) -> Option<(usize, usize)> {
    let end = tokens[index..].iter().position(|token| token.is(b';')).map_or(tokens.len(), |end| index + end);
    let equals = tokens[index..end].iter().position(|token| token.is(b'='))?;
    Some((index + equals + 1, end))
}

/// The parameters of the function whose name is at an index, by what their types say.
pub(super) fn parameters(tokens: &[Token<'_>], index: usize) -> HashMap<String, Value> {
    // Those of its type parameters are no parameters.
    let after_name = after_types(tokens, index + 1);
    let group = tokens[after_name..].iter().find_map(|token| token.group(Delimiter::Parenthesis));
    let parameter = |element: &[Token<'_>]| {
        let colon = element.iter().position(|token| token.is(b':'))?;
        let name = name_at(element, colon.checked_sub(1)?);
        (!name.is_empty()).then(|| (name.to_owned(), value::of_type(&element[colon + 1..])))
    };
    group.map(|group| elements(&group.tokens).into_iter().filter_map(parameter).collect()).unwrap_or_default()
}
