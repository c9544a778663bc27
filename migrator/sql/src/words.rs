//! Looks at the tokens of one statement as words.

use std::ops::{Deref, Range};

use crate::lexer::{Kind, Token};

/// `current_timestamp` is as long.
const LONGEST_KEY_WORD: usize = 17;

/// A key word in lower case, without an allocation.
pub(crate) struct Lower {
    bytes: [u8; LONGEST_KEY_WORD],
    length: usize,
}

impl Deref for Lower {
    type Target = str;

    fn deref(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

/// The tokens of one statement together with the text they are in.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// The text of the whole file or block.
    pub text: &'a str,
    /// The tokens of this statement.
    pub tokens: &'a [Token],
}

impl<'a> Words<'a> {
    /// These tokens of a text.
    pub fn new(text: &'a str, tokens: &'a [Token]) -> Words<'a> {
        Words { text, tokens }
    }

    /// The text of a token; empty after the end.
    pub fn at(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    /// The text of a token in lower case; empty for one that is longer than any key word.
    pub(crate) fn lower(&self, index: usize) -> Lower {
        let text = self.at(index).as_bytes();
        let mut lower = Lower { bytes: [0; LONGEST_KEY_WORD], length: 0 };
        if text.len() <= LONGEST_KEY_WORD {
            lower.length = text.len();
            lower.bytes[..text.len()].copy_from_slice(text);
            lower.bytes.make_ascii_lowercase();
        }
        lower
    }

    /// True if the token is this unquoted word, in any case.
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.tokens
            .get(index)
            .is_some_and(|token| token.kind == Kind::Word && token.text(self.text).eq_ignore_ascii_case(word))
    }

    /// True if the token is one of these unquoted words.
    pub fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, word))
    }

    /// True if the statement starts with these words.
    pub fn start_with(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(index, word)| self.is(index, word))
    }

    /// The index of the first such word outside parentheses.
    pub fn find(&self, word: &str) -> Option<usize> {
        let mut depth = 0usize;
        for index in 0..self.tokens.len() {
            match self.at(index) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if depth == 0 && self.is(index, word) => return Some(index),
                _ => {}
            }
        }
        None
    }

    /// True if the word is anywhere, also in parentheses.
    pub fn has(&self, word: &str) -> bool {
        (0..self.tokens.len()).any(|index| self.is(index, word))
    }

    /// The index after optional words: `skip(2, &["if", "not", "exists"])`.
    pub fn skip(&self, index: usize, words: &[&str]) -> usize {
        let all = words.iter().enumerate().all(|(offset, word)| self.is(index + offset, word));
        if all { index + words.len() } else { index }
    }

    /// Tokens without the white space and comments between them: `core . users` as `core.users`.
    pub fn joined(&self, indices: Range<usize>) -> String {
        indices.map(|index| self.at(index)).collect()
    }

    /// The index after a possibly qualified name that starts at `index`.
    pub fn behind_name(&self, index: usize) -> usize {
        let mut end = index + 1;
        while self.at(end) == "." {
            end += 2;
        }
        end.min(self.tokens.len())
    }

    /// The index after parentheses that start at `index`, or `index` where none do.
    pub fn behind_parentheses(&self, index: usize) -> usize {
        if self.at(index) != "(" {
            return index;
        }
        let mut depth = 0usize;
        for at in index..self.tokens.len() {
            match self.at(at) {
                "(" => depth += 1,
                ")" if depth == 1 => return at + 1,
                ")" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// What is between the commas outside parentheses, from an index to the end.
    pub fn elements(&self, index: usize) -> Vec<Words<'a>> {
        let mut found = Vec::new();
        let first = index.min(self.tokens.len());
        let (mut start, mut depth) = (first, 0usize);
        for at in first..self.tokens.len() {
            match self.at(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    found.push(Words::new(self.text, &self.tokens[start..at]));
                    start = at + 1;
                }
                _ => {}
            }
        }
        found.push(Words::new(self.text, &self.tokens[start..]));
        found
    }

    /// The byte at which the statement starts.
    pub fn start(&self) -> usize {
        self.range().start
    }

    /// The bytes from the first token to the last.
    pub fn range(&self) -> Range<usize> {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => first.start()..last.end(),
            _ => 0..0,
        }
    }

    /// The first tokens as they are written, for messages.
    pub fn shown(&self, tokens: usize) -> String {
        let texts: Vec<&str> = self.tokens.iter().take(tokens).map(|token| token.text(self.text)).collect();
        texts.join(" ").chars().take(60).map(|c| if c == '\n' { ' ' } else { c }).collect()
    }
}
