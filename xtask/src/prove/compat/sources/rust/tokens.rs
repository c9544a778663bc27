//! A Rust source as a tree of tokens.

/// What encloses a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Parenthesis,
    Bracket,
    Brace,
}

/// One token, and the byte where it starts. Comments and lifetimes are none.
#[derive(Debug)]
pub(super) enum Token<'a> {
    /// An identifier or a key word.
    Name(&'a str, usize),
    /// One character of an operator.
    Sign(u8),
    /// A literal as it is written.
    Literal(&'a str, usize),
    Group(Group<'a>),
}

/// What is in parentheses, brackets or braces.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) delimiter: Delimiter,
    pub(super) tokens: Vec<Token<'a>>,
    /// Whether a name that [`takes_statement`] is anywhere in it: most groups have none, and need not be looked into.
    pub(super) asks: bool,
}

/// Whether something of this name may be given a statement.
pub(super) fn takes_statement(name: &str) -> bool {
    // The first byte says it of most names.
    match name.as_bytes() {
        [b'q' | b'e' | b'p' | b'f', ..] => {
            let is_fetch = matches!(name, "fetch" | "fetch_all" | "fetch_many" | "fetch_one" | "fetch_optional");
            is_fetch
                || name == "from_string"
                || name == "from_sql_and_values"
                || ["query", "execute", "prepare"].iter().any(|start| name.starts_with(start))
        }
        [b'b' | b'c' | b'r' | b's' | b'Q', ..] => {
            matches!(
                name,
                "batch_execute"
                    | "copy_in"
                    | "copy_out"
                    | "raw_sql"
                    | "simple_query"
                    | "simple_query_raw"
                    | "sql_query"
                    | "QueryBuilder"
            )
        }
        _ => false,
    }
}

/// Whether a source has a name, or a part of one, that [`takes_statement`]: one without it need not be cut into tokens.
pub(super) fn may_ask(source: &str) -> bool {
    ["query", "execute", "prepare", "fetch", "from_s", "copy_", "raw_sql", "QueryBuilder"]
        .iter()
        .any(|part| source.contains(part))
}

impl<'a> Token<'a> {
    /// An identifier or key word; empty for anything else.
    pub(super) fn name(&self) -> &'a str {
        if let Token::Name(name, _) = self { name } else { "" }
    }

    pub(super) fn is(&self, sign: u8) -> bool {
        matches!(self, Token::Sign(own) if *own == sign)
    }

    pub(super) fn group(&self, delimiter: Delimiter) -> Option<&Group<'a>> {
        if let Token::Group(group) = self { Some(group).filter(|group| group.delimiter == delimiter) } else { None }
    }
}

/// The name at an index; empty where there is none.
pub(super) fn name_at<'a>(tokens: &[Token<'a>], index: usize) -> &'a str {
    tokens.get(index).map_or("", Token::name)
}

/// Whether a sign is at an index.
pub(super) fn is_at(tokens: &[Token<'_>], index: usize, sign: u8) -> bool {
    tokens.get(index).is_some_and(|token| token.is(sign))
}

/// Whether `::` is at an index.
pub(super) fn is_path_at(tokens: &[Token<'_>], index: usize) -> bool {
    is_at(tokens, index, b':') && is_at(tokens, index + 1, b':')
}

/// The parts between the commas of one level; none for no tokens.
pub(super) fn elements<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut parts: Vec<&[Token<'a>]> = tokens.split(|token| token.is(b',')).collect();
    if parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    parts
}

/// The index after `<..>`, or the same where none is.
pub(super) fn after_types(tokens: &[Token<'_>], index: usize) -> usize {
    let mut depth = 0usize;
    for at in index..tokens.len() {
        if is_at(tokens, at, b'<') {
            depth += 1;
        } else if depth > 0 && is_at(tokens, at, b'>') && !is_at(tokens, at - 1, b'-') {
            depth -= 1;
        }
        if depth == 0 {
            return if at == index { index } else { at + 1 };
        }
    }
    index
}

/// The lines of a source.
pub(super) struct Lines {
    /// The bytes at which they start.
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(source: &str) -> Lines {
        let ends = source.match_indices('\n').map(|(end, _)| end + 1);
        Lines { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line of a byte, counted from 1.
    pub(super) fn at(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// The byte at which a line starts, which is counted from 1.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts[line - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_with_a_name_that_takes_a_statement_may_ask() {
        for name in [
            "fetch_one",
            "from_string",
            "from_sql_and_values",
            "query_as",
            "execute_raw",
            "prepare",
            "batch_execute",
            "copy_in",
            "copy_out",
            "raw_sql",
            "simple_query_raw",
            "sql_query",
            "QueryBuilder",
        ] {
            assert!(takes_statement(name) && may_ask(&format!("a.{name}(b)")), "{name}");
        }
        assert!(!may_ask("fn main() { format!(\"{}\", 1); }"));
    }
}
