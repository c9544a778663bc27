//! A Rust source as a tree of tokens.
//!
//! Tokens are enough to find calls, they are also there within the arguments of macros, which no parser reads, and in a file whose syntax is
//! newer than the parser.

use proc_macro2::extra::invalidate_current_thread_spans;
use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

/// How deep braces may be nested; the compiler takes as many.
const DEEPEST: usize = 128;

/// One token.
#[derive(Debug)]
pub(super) enum Token {
    /// An identifier or a key word.
    Name(String, usize),
    /// One character of an operator.
    Sign(char),
    /// A literal as it is written.
    Literal(String, usize),
    Group(Group),
}

/// What is in parentheses, brackets or braces.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) delimiter: Delimiter,
    pub(super) tokens: Vec<Token>,
}

impl Token {
    /// An identifier or key word; empty for anything else.
    pub(super) fn name(&self) -> &str {
        if let Token::Name(name, _) = self { name } else { "" }
    }

    pub(super) fn is(&self, sign: char) -> bool {
        matches!(self, Token::Sign(own) if *own == sign)
    }

    pub(super) fn group(&self, delimiter: Delimiter) -> Option<&Group> {
        if let Token::Group(group) = self { Some(group).filter(|group| group.delimiter == delimiter) } else { None }
    }
}

/// The name at an index; empty where there is none.
pub(super) fn name_at(tokens: &[Token], index: usize) -> &str {
    tokens.get(index).map_or("", Token::name)
}

/// Whether a sign is at an index.
pub(super) fn is_at(tokens: &[Token], index: usize, sign: char) -> bool {
    tokens.get(index).is_some_and(|token| token.is(sign))
}

/// Whether `::` is at an index.
pub(super) fn is_path_at(tokens: &[Token], index: usize) -> bool {
    is_at(tokens, index, ':') && is_at(tokens, index + 1, ':')
}

/// The parts between the commas of one level; none for no tokens.
pub(super) fn elements(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts: Vec<&[Token]> = tokens.split(|token| token.is(',')).collect();
    if parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// Reads a source; lines count from 1.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(source: &str) -> Result<Vec<Token>, String> {
    let is_script = source.starts_with("#!") && !source.trim_start_matches("#!").trim_start().starts_with('[');
    // The line end stays, so that lines keep their numbers.
    let source = if is_script { source.find('\n').map_or("", |end| &source[end..]) } else { source };
    let tokens = match source.parse::<TokenStream>() {
        Ok(stream) => convert(stream, 0).ok_or_else(|| "its braces are nested too deeply".to_owned()),
        Err(error) => Err(format!("line {}: it cannot be read as Rust", line(error.span()))),
    };
    // The texts of all files would be kept until the end.
    invalidate_current_thread_spans();
    tokens
}

fn line(span: Span) -> usize {
    span.start().line
}

/// `None`: it is too deep.
fn convert(stream: TokenStream, depth: usize) -> Option<Vec<Token>> {
    if depth > DEEPEST {
        return None;
    }
    let token = |token| {
        Some(match token {
            TokenTree::Ident(name) => Token::Name(name.to_string(), line(name.span())),
            TokenTree::Punct(sign) => Token::Sign(sign.as_char()),
            TokenTree::Literal(literal) => Token::Literal(literal.to_string(), line(literal.span())),
            TokenTree::Group(group) => {
                let (delimiter, stream) = (group.delimiter(), group.stream());
                // With the group alive the stream would be copied.
                drop(group);
                Token::Group(Group { delimiter, tokens: convert(stream, depth + 1)? })
            }
        })
    };
    stream.into_iter().map(token).collect()
}
