//! Calls that hand a statement to a server.

use super::tokens::{Delimiter, Token, after_types, elements, is_at, is_path_at, name_at, takes_statement};

/// How something is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `client.query(..)`
    Method,
    /// `query(..)`, `sqlx::query(..)`
    Function,
    /// `query!(..)`
    Macro,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) name: &'a str,
    /// What is before `::`; empty for nothing.
    path: &'a str,
    pub(super) kind: Kind,
    /// The byte where its name starts.
    pub(super) start: usize,
    pub(super) arguments: Vec<&'a [Token<'a>]>,
}

/// Methods of PostgreSQL's clients alone: what they are given is a statement.
const CERTAIN: &[&str] = &[
    "batch_execute",
    "prepare_cached",
    "prepare_typed",
    "prepare_typed_cached",
    "query_typed",
    "query_typed_raw",
    "simple_query",
    "simple_query_raw",
];

/// Functions that are given a statement.
const FUNCTIONS: &[&str] =
    &["query", "query_as", "query_as_with", "query_scalar", "query_scalar_with", "query_with", "raw_sql", "sql_query"];

impl<'a> Call<'a> {
    /// The call whose name is at an index, if it may be given a statement.
    pub(super) fn at(tokens: &'a [Token<'a>], index: usize) -> Option<Call<'a>> {
        let Token::Name(name, start) = tokens.get(index)? else { return None };
        if !takes_statement(name) {
            return None;
        }
        let is_builder = *name == "QueryBuilder";
        let is_macro = is_at(tokens, index + 1, b'!');
        let types = index + 1 + 2 * usize::from(is_path_at(tokens, index + 1) && is_at(tokens, index + 3, b'<'));
        let mut at = if is_macro { index + 2 } else { after_types(tokens, types) };
        if is_builder {
            if !is_path_at(tokens, at) || !["new", "with_arguments"].contains(&name_at(tokens, at + 2)) {
                return None;
            }
            if tokens[index..at].iter().any(|token| ["Sqlite", "MySql"].contains(&token.name())) {
                return None;
            }
            at += 3;
        }
        let Some(Token::Group(group)) = tokens.get(at) else { return None };
        if group.delimiter != Delimiter::Parenthesis && !is_macro {
            return None;
        }
        let is_after = |sign| index > 0 && tokens[index - 1].is(sign);
        let arguments = elements(&group.tokens);
        // `Statement::from_string(backend, text)`, not `String::from_string(text)`.
        if name.starts_with("from_") && arguments.len() < 2 {
            return None;
        }
        let kind = if is_macro {
            Kind::Macro
        } else if is_after(b'.') {
            Kind::Method
        } else {
            Kind::Function
        };
        let is_path = kind == Kind::Function && is_after(b':') && index > 2;
        let path = if is_path { name_at(tokens, index - 3) } else { "" };
        Some(Call { name, path, kind, start: *start, arguments })
    }

    /// Whether it begins a statement of sqlx that is made piece by piece.
    pub(super) fn is_builder(&self, source: &str) -> bool {
        self.name == "QueryBuilder" && source.contains("sqlx")
    }

    /// Whether it names a file: `query_file!("x.sql")`.
    pub(super) fn is_of_file(&self) -> bool {
        self.kind == Kind::Macro && self.name.starts_with("query_file")
    }

    /// Its arguments, from the one on that is the statement if any is.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &'a [Token<'a>]> {
        let is_second = match self.kind {
            Kind::Macro => self.name.starts_with("query_as") || self.name.starts_with("query_file_as"),
            Kind::Function => self.name.starts_with("from_s"),
            Kind::Method => false,
        };
        let first = usize::from(is_second && self.arguments.len() > 1);
        self.arguments[first.min(self.arguments.len())..].iter().copied().take(2)
    }

    /// Whether it is given a statement, as far as the call says, in a source: many programs have something that is called `query`
    /// or `execute`. `is_text`: the argument is one; otherwise it may be a prepared statement.
    pub(super) fn is_certain(&self, is_text: bool, source: &str) -> bool {
        let name = |starts: &[&str]| starts.iter().any(|start| self.name.starts_with(start));
        match self.kind {
            Kind::Macro => false,
            Kind::Function if FUNCTIONS.contains(&self.name) => {
                let of = ["sqlx", "diesel"];
                of.contains(&self.path)
                    || self.path.is_empty() && of.iter().any(|name| source.contains(&format!("{name}::")))
            }
            Kind::Function => is_text && self.path == "Statement" && name(&["from_s"]),
            Kind::Method if CERTAIN.contains(&self.name) => true,
            Kind::Method
                if name(&["query", "execute"]) && self.arguments.get(1).is_some_and(|second| is_parameters(second)) =>
            {
                is_text || !source.contains("prepare")
            }
            Kind::Method if name(&["prepare", "copy_"]) => is_text,
            Kind::Method => is_text && name(&["execute", "fetch"]) && source.contains("sqlx::"),
        }
    }
}

/// `&[..]`, or a slice that is called after what it holds.
fn is_parameters(argument: &[Token<'_>]) -> bool {
    let [sign, rest @ ..] = argument else { return false };
    let is_named = |name: &str| ["param", "args", "values", "binds"].iter().any(|part| name.contains(part));
    let is_slice = |token: &Token<'_>| token.group(Delimiter::Bracket).is_some() || is_named(token.name());
    sign.is(b'&') && rest.iter().any(is_slice)
}
