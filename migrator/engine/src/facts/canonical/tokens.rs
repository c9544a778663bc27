//! A text of the server's as tokens, and what is changed on them.
//!
//! Only what the server itself writes is read here: every string is closed, and nothing is commented.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::sql::unquoted;

/// What belongs to the name of a type after its first word.
const WORDS_OF_TYPES: &[&str] = &[
    "varying",
    "precision",
    "with",
    "without",
    "time",
    "zone",
    "to",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
];

/// The tokens of one text, each with its place, and which brackets belong together.
pub(super) struct Tokens<'t> {
    text: &'t str,
    places: Vec<Range<usize>>,
    /// Of a bracket: the other one.
    partners: Vec<Option<usize>>,
    groups: Vec<(usize, usize)>,
}

impl<'t> Tokens<'t> {
    /// `None`: an open string, or brackets that do not fit.
    pub(super) fn read(text: &'t str) -> Option<Tokens<'t>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while let Some(character) = text[at..].chars().next() {
            if character.is_whitespace() {
                at += character.len_utf8();
                continue;
            }
            let escapes =
                character == '\'' && places.last().is_some_and(|last| last.end == at && &text[last.clone()] == "E");
            let length = length(&text[at..], character, escapes)?;
            places.push(at..at + length);
            at += length;
        }
        let mut tokens = Tokens { text, partners: vec![None; places.len()], places, groups: Vec::new() };
        tokens.pair()?;
        Some(tokens)
    }

    fn pair(&mut self) -> Option<()> {
        let mut open = Vec::new();
        for at in 0..self.len() {
            let expected = match self.text(at) {
                "(" | "[" => {
                    open.push(at);
                    continue;
                }
                ")" => "(",
                "]" => "[",
                _ => continue,
            };
            let start = open.pop().filter(|start| self.text(*start) == expected)?;
            (self.partners[start], self.partners[at]) = (Some(at), Some(start));
            self.groups.push((start, at));
        }
        open.is_empty().then_some(())
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The token; empty after the last one.
    pub(super) fn text(&self, at: usize) -> &'t str {
        self.places.get(at).map_or("", |place| &self.text[place.clone()])
    }

    /// The text from one token up to, and without, another.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'t str {
        if start >= end { "" } else { &self.text[self.places[start].start..self.places[end - 1].end] }
    }

    /// The brackets that belong together, inner ones first.
    pub(super) fn groups(&self) -> &[(usize, usize)] {
        &self.groups
    }

    /// The other bracket.
    pub(super) fn partner(&self, at: usize) -> Option<usize> {
        self.partners.get(at).copied().flatten()
    }

    /// The place after a token, or after the whole group that it opens.
    pub(super) fn after(&self, at: usize) -> usize {
        self.partner(at).map_or(at, |partner| partner.max(at)) + 1
    }

    /// Where the name of a type ends that begins here: `character varying(5)[]`, `app."My type"`.
    pub(super) fn type_end(&self, start: usize) -> Option<usize> {
        let is_name = |at: usize| self.text(at).starts_with(|c: char| c == '"' || c == '_' || c.is_alphabetic());
        let mut at = is_name(start).then_some(start + 1)?;
        while self.text(at) == "." && is_name(at + 1) {
            at += 2;
        }
        loop {
            match self.text(at) {
                word if WORDS_OF_TYPES.contains(&word) => at += 1,
                "(" if self.is_attached(at) => at = self.after(at),
                _ => break,
            }
        }
        while self.text(at) == "[" && self.is_attached(at) && self.partner(at) == Some(at + 1) {
            at += 2;
        }
        Some(at)
    }

    /// The name that the parser gives to a column which is a cast to the type of these tokens: the type's own, without its schema.
    pub(super) fn name_of_type(&self, start: usize, end: usize) -> String {
        let words: Vec<&str> =
            (start + 1..end).map(|at| self.text(at)).filter(|word| WORDS_OF_TYPES.contains(word)).collect();
        let mut last = start;
        while self.text(last + 1) == "." {
            last += 2;
        }
        let name = match (self.text(last), &words[..]) {
            ("bigint", _) => "int8",
            ("bit", ["varying"]) => "varbit",
            ("boolean", _) => "bool",
            ("character", ["varying"]) => "varchar",
            ("character", _) => "bpchar",
            ("double", _) => "float8",
            ("integer", _) => "int4",
            ("real", _) => "float4",
            ("smallint", _) => "int2",
            ("time", ["with", ..]) => "timetz",
            ("timestamp", ["with", ..]) => "timestamptz",
            (name, _) => name,
        };
        unquoted(name)
    }

    /// No space is before it.
    fn is_attached(&self, at: usize) -> bool {
        at > 0 && self.places[at - 1].end == self.places[at].start
    }

    /// Nothing changed yet.
    pub(super) fn edit(&self) -> Edit {
        let count = self.len();
        let (opened, closed) = (vec![0; count], vec![String::new(); count]);
        Edit { removed: vec![false; count], opened, closed, replaced: BTreeMap::new() }
    }
}

/// How long the token is that begins the text.
fn length(text: &str, first: char, escapes: bool) -> Option<usize> {
    let is_part = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
    let word = || text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    match first {
        '\'' | '"' => quoted(text, first, escapes),
        '$' => match text[1..].find('$') {
            // A parameter is not a quotation: `$1`.
            Some(end)
                if text[1..=end].chars().all(|c| c == '_' || c.is_alphanumeric())
                    && !text[1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let tag = &text[..end + 2];
                text[tag.len()..].find(tag).map(|body| body + 2 * tag.len())
            }
            _ => Some(1),
        },
        c if c.is_ascii_digit() => Some(text.find(|c: char| !is_part(c) && c != '.').unwrap_or(text.len())),
        c if is_part(c) => Some(word()),
        ':' if text.starts_with("::") => Some(2),
        c => Some(c.len_utf8()),
    }
}

/// A string or a quoted name; the quotation mark inside is doubled.
fn quoted(text: &str, mark: char, escapes: bool) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && escapes {
            characters.next();
        } else if character == mark && characters.next_if(|(_, next)| *next == mark).is_none() {
            return Some(at + 1);
        }
    }
    None
}

/// What is taken from the tokens and put around them.
pub(super) struct Edit {
    removed: Vec<bool>,
    /// How many parentheses open before a token.
    opened: Vec<usize>,
    /// What is written after it.
    closed: Vec<String>,
    /// What is written instead of it.
    replaced: BTreeMap<usize, &'static str>,
}

impl Edit {
    pub(super) fn remove(&mut self, at: usize) {
        self.removed[at] = true;
    }

    pub(super) fn is_removed(&self, at: usize) -> bool {
        self.removed[at]
    }

    pub(super) fn replace(&mut self, at: usize, text: &'static str) {
        self.replaced.insert(at, text);
    }

    pub(super) fn open(&mut self, at: usize) {
        self.opened[at] += 1;
    }

    pub(super) fn close(&mut self, at: usize, text: &str) {
        self.closed[at].push_str(text);
    }

    /// Whether this cast has already been put after the token.
    pub(super) fn ends_with_cast(&self, at: usize, type_name: &str) -> bool {
        self.closed[at].strip_suffix(type_name).is_some_and(|rest| rest.ends_with("::"))
    }

    /// The text with all changes.
    pub(super) fn render(&self, tokens: &Tokens<'_>) -> String {
        let mut text = String::with_capacity(tokens.text.len() + 64);
        let mut before = 0;
        for (at, place) in tokens.places.iter().enumerate() {
            let space = &tokens.text[before..place.start];
            before = place.end;
            let written = &tokens.text[place.clone()];
            if self.removed[at] && written != "(" {
                text.push_str(&self.closed[at]);
                continue;
            }
            // What follows a comma stays there; a line end that belongs to the operand goes with it.
            let kept =
                if self.opened[at] > 0 { space.len().min(usize::from(space.starts_with(' '))) } else { space.len() };
            text.push_str(&space[..kept]);
            (0..self.opened[at]).for_each(|_| text.push('('));
            text.push_str(&space[kept..]);
            if !self.removed[at] {
                text.push_str(self.replaced.get(&at).map_or(written, |other| other));
            }
            text.push_str(&self.closed[at]);
        }
        text.push_str(&tokens.text[before..]);
        text
    }
}
