//! What the server takes and the parser does not know: such statements are written for the parser in a way that it knows.
//!
//! Found by holding sentences of the server's grammar against the parser. Nothing here makes a wrong statement right: what
//! is put in place of the unknown part is at the same place of the grammar.

use crate::lexer::Token;
use crate::words::Words;

/// The statement in other words, each of which the parser has to take; `None` where it is written as the parser knows it.
pub(crate) fn other_words(words: &Words<'_>) -> Option<Vec<String>> {
    let mut tokens = Tokens::of(words);
    let several = match tokens.word(0).as_str() {
        "set" => set(&mut tokens),
        "create" => create(&mut tokens),
        "alter" => alter(&mut tokens),
        "drop" => drop_several(&mut tokens),
        "comment" | "security" => typed(&mut tokens, "on", "is"),
        "declare" => declare(&mut tokens),
        "fetch" | "move" => fetch(&mut tokens),
        "explain" => explain(&mut tokens),
        "copy" => copy(&mut tokens),
        _ => None,
    };
    for option in ["compression", "storage"] {
        while let Some(at) = tokens.find(&[option, "default"]) {
            tokens.put(at + 1, 1, &["plain"]);
        }
    }
    // At the end of a query, also in parentheses.
    let ends =
        |tokens: &Tokens<'_>, at| at == tokens.tokens.len() || tokens.is_any(at, &[")", "limit", "offset", "fetch"]);
    while let Some(at) = tokens.find(&["for", "read", "only"]).filter(|at| ends(&tokens, at + 3)) {
        tokens.remove(at, 3);
    }
    match several {
        Some(texts) => Some(texts),
        None => tokens.changed.then(|| vec![tokens.text()]),
    }
}

/// The tokens of a statement, which are taken away and replaced.
struct Tokens<'a> {
    tokens: Vec<&'a str>,
    changed: bool,
}

impl<'a> Tokens<'a> {
    fn of(words: &Words<'a>) -> Tokens<'a> {
        // The line end before a string makes it the continuation of another.
        let text = |(index, token): (usize, &Token)| {
            let end = index.checked_sub(1).map_or(token.start(), |before| words.tokens[before].end());
            let gap = &words.text[end..token.start()];
            let line = gap.rfind('\n').filter(|_| words.at(index).starts_with('\''));
            &words.text[line.map_or(token.start(), |at| end + at)..token.end()]
        };
        Tokens { tokens: words.tokens.iter().enumerate().map(text).collect(), changed: false }
    }

    /// In lower case; empty after the end.
    fn word(&self, index: usize) -> String {
        self.tokens.get(index).map_or(String::new(), |token| token.to_ascii_lowercase())
    }

    fn is(&self, index: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.tokens.get(index + offset).is_some_and(|token| token.eq_ignore_ascii_case(word)))
    }

    fn is_any(&self, index: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(index, &[word]))
    }

    fn find(&self, words: &[&str]) -> Option<usize> {
        (0..self.tokens.len()).find(|&index| self.is(index, words))
    }

    fn remove(&mut self, index: usize, count: usize) {
        self.put(index, count, &[]);
    }

    fn put(&mut self, index: usize, count: usize, instead: &[&'a str]) {
        self.tokens.splice(index..index + count, instead.iter().copied());
        self.changed = true;
    }

    /// Takes words away if they are there.
    fn drop_words(&mut self, index: usize, words: &[&str]) -> bool {
        let there = self.is(index, words);
        if there {
            self.remove(index, words.len());
        }
        there
    }

    /// The index after a qualified name.
    fn behind_name(&self, index: usize) -> usize {
        let mut end = index + 1;
        while self.is(end, &["."]) {
            end += 2;
        }
        end.min(self.tokens.len())
    }

    fn text(&self) -> String {
        self.tokens.join(" ")
    }
}

type Several = Option<Vec<String>>;

/// `SET NAMES`, also with a scope, and `SET LOCAL SESSION CHARACTERISTICS`.
fn set(tokens: &mut Tokens<'_>) -> Several {
    if tokens.is_any(1, &["local", "session"])
        && (tokens.is_any(2, &["names", "transaction"]) || tokens.is(2, &["session", "characteristics"]))
    {
        tokens.remove(1, 1);
    }
    names(tokens, 1);
    None
}

/// `NAMES [value]` at an index, after which nothing else can follow.
fn names(tokens: &mut Tokens<'_>, index: usize) {
    if !tokens.is(index, &["names"]) {
        return;
    }
    match tokens.tokens.len() - index {
        1 => tokens.put(index, 1, &["client_encoding", "to", "default"]),
        2 => tokens.put(index, 1, &["client_encoding", "to"]),
        _ => {}
    }
}

fn create(tokens: &mut Tokens<'_>) -> Several {
    let kind = if tokens.is(1, &["or", "replace"]) { 3 } else { 1 };
    if tokens.is_any(kind, &["local", "global"]) && tokens.is_any(kind + 1, &["temp", "temporary"]) {
        tokens.remove(kind, 1);
    }
    let language = (kind..kind + 3).find(|&at| !tokens.is_any(at, &["trusted", "procedural"]));
    if let Some(language) = language.filter(|&at| tokens.is(at, &["language"])) {
        if language > kind {
            tokens.remove(kind, language - kind);
        }
        if tokens.is(tokens.tokens.len() - 2, &["no", "validator"]) {
            tokens.remove(tokens.tokens.len() - 2, 2);
        }
    } else if tokens.is(1, &["extension"]) {
        extension(tokens);
    } else if tokens.is(kind, &["procedure"]) {
        // What follows a VARIADIC parameter there is OUT.
        while let Some(at) = tokens.find(&["variadic"]) {
            tokens.remove(at, 1);
        }
    } else if tokens.is(kind, &["rule"]) {
        // Empty commands between semicolons.
        while let Some(at) = (0..tokens.tokens.len())
            .find(|&at| tokens.is(at, &[";"]) && (tokens.is_any(at - 1, &["(", ";"]) || tokens.is(at + 1, &[")"])))
        {
            tokens.remove(at, 1);
        }
    } else if tokens.is(1, &["user", "mapping"]) {
        mapping(tokens);
    }
    None
}

/// The options of `CREATE EXTENSION` in any order.
fn extension(tokens: &mut Tokens<'_>) {
    let name = if tokens.is(2, &["if", "not", "exists"]) { 5 } else { 2 };
    let mut at = if tokens.is(name + 1, &["with"]) { name + 2 } else { name + 1 };
    let mut seen = Vec::new();
    while at < tokens.tokens.len() {
        let option = tokens.word(at);
        let length = match option.as_str() {
            "schema" | "version" if at + 1 < tokens.tokens.len() => 2,
            "cascade" => 1,
            _ => return,
        };
        if seen.contains(&option) {
            return;
        }
        seen.push(option);
        at += length;
    }
    if !seen.is_empty() {
        tokens.remove(name + 1, tokens.tokens.len() - name - 1);
    }
}

/// `FOR user`, which is the key word.
fn mapping(tokens: &mut Tokens<'_>) {
    if let Some(at) = tokens.find(&["for", "user", "server"]) {
        tokens.put(at + 1, 1, &["current_user"]);
    }
}

fn alter(tokens: &mut Tokens<'_>) -> Several {
    match tokens.word(1).as_str() {
        "default" => default_privileges(tokens),
        "extension" if tokens.is_any(3, &["add", "drop"]) && tokens.is_any(4, &["type", "domain"]) => {
            return Some(vec![column_of(tokens.tokens.get(5..)?)]);
        }
        "statistics" => {
            tokens.drop_words(2, &["if", "exists"]);
            if let Some(at) = tokens.find(&["set", "statistics"])
                && tokens.is_any(at + 2, &["+", "-"])
            {
                tokens.remove(at + 2, 1);
            }
        }
        "policy" if tokens.find(&["rename", "to"]).is_some() => drop(tokens.drop_words(2, &["if", "exists"])),
        "server" => {
            if let Some(at) = tokens.find(&["version", "null"]) {
                tokens.put(at + 1, 1, &["'1'"]);
            }
        }
        "user" if tokens.is(2, &["mapping"]) => mapping(tokens),
        "role" | "user" | "group" | "database" | "function" | "procedure" | "routine" => {
            return settings(tokens);
        }
        // One grammar of actions for all of them.
        "index" | "view" | "sequence" => tokens.put(1, 1, &["table"]),
        "materialized" if tokens.is(2, &["view"]) => tokens.put(1, 2, &["table"]),
        _ => {}
    }
    None
}

/// `SET NAMES`, `RESET TIME ZONE` and its like at the end of what has settings of its own; a role without a change.
fn settings(tokens: &mut Tokens<'_>) -> Several {
    const RESET: [&[&str]; 3] =
        [&["time", "zone"], &["session", "authorization"], &["transaction", "isolation", "level"]];
    if let Some(at) = tokens.find(&["set", "names"]) {
        names(tokens, at + 1);
    } else if let Some(at) = tokens.find(&["set", "role"]).filter(|at| !tokens.is_any(at + 2, &["to", "="])) {
        tokens.put(at + 2, 0, &["to"]);
    } else if let Some(at) = tokens.find(&["set", "xml", "option"]) {
        tokens.put(at + 1, 2, &["xmloption", "to"]);
    } else if let Some(at) = tokens.find(&["set", "session", "characteristics"]) {
        // As a statement it is what the parser knows.
        let statement = tokens.tokens[at..].join(" ");
        tokens.put(at + 1, tokens.tokens.len() - at - 1, &["work_mem", "to", "default"]);
        return Some(vec![tokens.text(), statement]);
    }
    if let Some(at) = tokens.find(&["reset"]) {
        for name in RESET {
            if tokens.is(at + 1, name) && at + 1 + name.len() == tokens.tokens.len() {
                tokens.put(at + 1, name.len(), &["work_mem"]);
            }
        }
    }
    let role = tokens.is_any(1, &["role", "user"]);
    let bare = if tokens.is(3, &["with"]) { 4 } else { 3 };
    if role && tokens.tokens.len() == bare {
        tokens.put(bare, 0, &["login"]);
    }
    None
}

/// `IN SCHEMA` before `FOR ROLE`.
fn default_privileges(tokens: &mut Tokens<'_>) {
    let role = (3..tokens.tokens.len()).find(|&at| tokens.is(at, &["for"]) && tokens.is_any(at + 1, &["role", "user"]));
    if let Some(role) = role
        && tokens.is(3, &["in", "schema"])
        && role > 5
        && tokens.tokens[5..role].iter().skip(1).step_by(2).all(|token| *token == ",")
    {
        tokens.remove(3, role - 3);
    }
}

/// Lists of what the parser takes one by one, and types that are no names.
fn drop_several(tokens: &mut Tokens<'_>) -> Several {
    let kind = match tokens.word(1).as_str() {
        "type" | "domain" | "conversion" => 2,
        "access" if tokens.is(2, &["method"]) => 3,
        _ => return None,
    };
    let start = if tokens.is(kind, &["if", "exists"]) { kind + 2 } else { kind };
    let last = tokens.tokens.len() - 1;
    let end = if tokens.is_any(last, &["cascade", "restrict"]) { last } else { last + 1 };
    let elements = elements(&tokens.tokens[start.min(end)..end]);
    let is_type = tokens.is_any(1, &["type", "domain"]);
    let statement = |element: &&[&str]| match is_type {
        true => column_of(element),
        false => [&tokens.tokens[..start], element, &tokens.tokens[end..]].concat().join(" "),
    };
    Some(elements.iter().map(statement).collect())
}

/// What is between the commas outside of parentheses.
fn elements<'t, 'a>(tokens: &'t [&'a str]) -> Vec<&'t [&'a str]> {
    let mut depth = 0usize;
    tokens
        .split(|token| {
            match *token {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *token == ","
        })
        .collect()
}

/// A statement that is right if these tokens are a type, and only then.
fn column_of(tokens: &[&str]) -> String {
    let of_type = ["[", "]", "(", ")", ".", ","];
    let is_name = |token: &&str| {
        of_type.contains(token) || token.starts_with(|c: char| c.is_alphanumeric() || "_\"uU".contains(c))
    };
    // Behind the type of a column there could be a constraint.
    let constraint =
        ["not", "null", "default", "check", "unique", "primary", "references", "constraint", "generated", "collate"];
    let plain = tokens.iter().all(is_name)
        && !tokens.iter().any(|token| constraint.contains(&token.to_ascii_lowercase().as_str()));
    let tokens =
        if tokens.first().is_some_and(|token| token.eq_ignore_ascii_case("setof")) { &tokens[1..] } else { tokens };
    match plain && !tokens.is_empty() {
        true => format!("CREATE TABLE t (c {})", tokens.join(" ")),
        false => "?".to_owned(),
    }
}

/// `COMMENT ON TYPE t[] IS`, `SECURITY LABEL ON DOMAIN ... IS`.
fn typed(tokens: &mut Tokens<'_>, before: &str, behind: &str) -> Several {
    let kind = tokens.find(&[before])? + 1;
    let end = tokens.find(&[behind])?;
    if !tokens.is_any(kind, &["type", "domain"]) || end < kind + 2 {
        return None;
    }
    let of_type = column_of(&tokens.tokens[kind + 1..end]);
    tokens.put(kind + 1, end - kind - 1, &["t"]);
    Some(vec![tokens.text(), of_type])
}

/// The options of a cursor in any order.
fn declare(tokens: &mut Tokens<'_>) -> Several {
    let cursor = tokens.find(&["cursor"])?;
    let option = |token: &&str| {
        ["no", "scroll", "binary", "asensitive", "insensitive"].contains(&token.to_ascii_lowercase().as_str())
    };
    if cursor > 3 && tokens.tokens[2..cursor].iter().all(option) {
        tokens.remove(2, cursor - 2);
    }
    None
}

/// `FETCH FORWARD c`, without `FROM`.
fn fetch(tokens: &mut Tokens<'_>) -> Several {
    if tokens.is_any(1, &["forward", "backward"]) && tokens.tokens.len() == 3 {
        tokens.put(2, 0, &["from"]);
    }
    None
}

/// What is explained.
fn explain(tokens: &mut Tokens<'_>) -> Several {
    let behind = if tokens.is(1, &["("]) {
        let mut depth = 0usize;
        let mut ends = |token: &&str| {
            depth = match *token {
                "(" => depth + 1,
                ")" => depth.saturating_sub(1),
                _ => depth,
            };
            depth == 0
        };
        tokens.tokens.iter().skip(1).position(&mut ends)? + 2
    } else {
        let options = tokens.tokens.iter().skip(1);
        1 + options
            .take_while(|token| ["analyze", "analyse", "verbose"].contains(&token.to_ascii_lowercase().as_str()))
            .count()
    };
    if tokens.is(behind, &["refresh"]) || tokens.is(behind, &["declare"]) {
        tokens.remove(0, behind);
        if tokens.is(0, &["declare"]) {
            return declare(tokens);
        }
    }
    None
}

/// `[USING] DELIMITERS 'x'`, as it was written long ago.
fn copy(tokens: &mut Tokens<'_>) -> Several {
    let at = tokens.find(&["delimiters"])?;
    if tokens.tokens.get(at + 1).is_some_and(|token| token.starts_with('\'')) && tokens.behind_name(1) <= at {
        let start = if tokens.is(at - 1, &["using"]) { at - 1 } else { at };
        tokens.remove(start, at + 2 - start);
    }
    None
}

#[cfg(test)]
mod tests;
