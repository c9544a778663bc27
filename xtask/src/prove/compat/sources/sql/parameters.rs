//! Parameters by name, which the server knows by number only.

use std::ops::Range;

use migrator_sql::{Kind, Token, Words};

/// How a file writes parameters by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `:name`, and within brackets a colon is a slice
    Plain,
    /// `:name`
    Cornucopia,
    /// `@name`, `sqlc.arg(name)`, `sqlc.narg(name)`, `sqlc.slice(name)`; and `sqlc.embed(table)`, all columns of a table
    Sqlc,
}

/// The statement with a number for each name, in the order in which they are first written, above the numbers that it has.
pub(super) fn numbered(words: &Words<'_>, style: Style) -> String {
    let range = words.range();
    let mut numbers = Numbers::above(words);
    let mut text = String::with_capacity(range.len());
    let (mut copied, mut index, mut brackets) = (range.start, 0, 0usize);
    while let Some(token) = words.tokens.get(index) {
        match words.at(index) {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        let found = match style {
            Style::Sqlc => call(words, index).or_else(|| after_at(words, index)),
            Style::Cornucopia => after_colon(words, index),
            Style::Plain => after_colon(words, index).filter(|_| brackets == 0),
        };
        let Some(Written { bytes, tokens, what }) = found else {
            index += 1;
            continue;
        };
        text.push_str(&words.text[copied..bytes.start]);
        match what {
            What::Parameter(name) => text.push_str(&format!("${}", numbers.of(name))),
            What::Columns(table) => text.push_str(&format!("{table}.*")),
        }
        copied = bytes.end;
        index += tokens;
        debug_assert!(token.start() < copied);
    }
    text.push_str(&words.text[copied..range.end]);
    text
}

/// Something that is written otherwise for the server.
struct Written<'a> {
    bytes: Range<usize>,
    tokens: usize,
    what: What<'a>,
}

enum What<'a> {
    Parameter(&'a str),
    /// All columns of this table.
    Columns(&'a str),
}

/// The numbers that names have got.
struct Numbers<'a> {
    /// The highest one that the statement has itself.
    highest: usize,
    names: Vec<&'a str>,
}

impl<'a> Numbers<'a> {
    fn above(words: &Words<'a>) -> Numbers<'a> {
        let number = |token: &Token| token.text(words.text).strip_prefix('$')?.parse::<u16>().ok();
        let own = words.tokens.iter().filter(|token| token.kind == Kind::Parameter).filter_map(number);
        Numbers { highest: own.max().map_or(0, usize::from), names: Vec::new() }
    }

    fn of(&mut self, name: &'a str) -> usize {
        let known = self.names.iter().position(|known| *known == name);
        let index = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.highest + index + 1
    }
}

/// `:name`, but not the type of a cast.
fn after_colon<'a>(words: &Words<'a>, index: usize) -> Option<Written<'a>> {
    let is_cast = index > 0 && words.at(index - 1) == ":" && touches(words, index - 1);
    (words.at(index) == ":" && !is_cast).then(|| named(words, index, 1)).flatten()
}

/// `@name`, also right after an operator that no operator with `@` begins with.
fn after_at<'a>(words: &Words<'a>, index: usize) -> Option<Written<'a>> {
    let is_operator = words.tokens[index].kind == Kind::Operator;
    let before = words.at(index).strip_suffix('@').filter(|_| is_operator)?;
    ["", "=", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "||"]
        .contains(&before)
        .then(|| named(words, index, 1))
        .flatten()
}

/// A word that follows a sign of this many bytes at the end of a token, without a space.
fn named<'a>(words: &Words<'a>, index: usize, sign: usize) -> Option<Written<'a>> {
    let name = words.tokens.get(index + 1).filter(|name| name.kind == Kind::Word && touches(words, index))?;
    let bytes = words.tokens[index].end() - sign..name.end();
    Some(Written { bytes, tokens: 2, what: What::Parameter(name.text(words.text)) })
}

/// Whether nothing is between a token and the next one.
fn touches(words: &Words<'_>, index: usize) -> bool {
    words.tokens.get(index + 1).is_some_and(|next| words.tokens[index].end() == next.start())
}

/// `sqlc.arg(name)` and its like.
fn call<'a>(words: &Words<'a>, index: usize) -> Option<Written<'a>> {
    let is_call = words.is(index, "sqlc")
        && words.at(index + 1) == "."
        && words.at(index + 3) == "("
        && words.at(index + 5) == ")";
    let argument = words.tokens.get(index + 4).filter(|_| is_call)?;
    let name = words.at(index + 4);
    let what = match words.at(index + 2) {
        "embed" if argument.kind != Kind::Text => What::Columns(name),
        "arg" | "narg" | "slice" => What::Parameter(name.trim_matches('\'')),
        _ => return None,
    };
    Some(Written { bytes: words.tokens[index].start()..words.tokens[index + 5].end(), tokens: 6, what })
}
