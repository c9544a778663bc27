//! Cuts a Rust source into a tree of tokens.
//!
//! Tokens are enough to find calls: they are there also within the arguments of macros, which no parser reads, and in a file whose syntax is
//! newer than the parser.

use proc_macro2::extra::invalidate_current_thread_spans;
use proc_macro2::{LexError, LineColumn, Span, TokenStream, TokenTree};

use super::tokens::{Delimiter, Group, Lines, Token, takes_statement};

/// More nested groups than any source has; those who go through them have a stack with an end. `proc_macro2` itself keeps to the heap.
const DEEPEST: usize = 128;

/// The tokens of a source.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn scan(source: &str) -> Result<Vec<Token<'_>>, String> {
    let tokens = read(source);
    // For the places of tokens, `proc_macro2` keeps the text of each source, and counts the characters of all in 32 bits.
    invalidate_current_thread_spans();
    tokens
}

fn read(source: &str) -> Result<Vec<Token<'_>>, String> {
    let code = start_of_code(source);
    let tokens: TokenStream = source[code..].parse().map_err(|error: LexError| {
        let line = source[..code].matches('\n').count() + error.span().start().line;
        format!("line {line}: it cannot be read as Rust")
    })?;
    let source = &source[code..];
    let lines = source.is_ascii().then(|| Lines::of(source));
    let (tokens, _) = Tree { source, code, lines, depth: 0 }.level(tokens)?;
    Ok(tokens)
}

/// The byte after what may be before the tokens of a file: a byte order mark, a line for the shell, a manifest between `---`.
fn start_of_code(source: &str) -> usize {
    let mut rest = source.strip_prefix('\u{feff}').unwrap_or(source);
    if rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[') {
        rest = rest.find('\n').map_or("", |end| &rest[end..]);
    }
    let manifest = rest.trim_start();
    let dashes = manifest.len() - manifest.trim_start_matches('-').len();
    if dashes >= 3 {
        let (fence, inner) = manifest.split_at(dashes);
        let end = inner.match_indices(fence).find(|(at, _)| inner[..*at].ends_with('\n'));
        rest = end.map_or(rest, |(at, _)| &inner[at + dashes..]);
    }
    source.len() - rest.len()
}

/// What makes our tree from that of `proc_macro2`.
struct Tree<'a> {
    /// From where the tokens start.
    source: &'a str,
    /// The byte of the file where that is.
    code: usize,
    /// Its lines, if each character is a byte.
    lines: Option<Lines>,
    /// How many groups are around.
    depth: usize,
}

impl<'a> Tree<'a> {
    /// The tokens of one level, and whether a name on it or below takes a statement.
    ///
    /// # Errors
    /// There are too many levels.
    fn level(&mut self, tokens: TokenStream) -> Result<(Vec<Token<'a>>, bool), String> {
        if self.depth > DEEPEST {
            return Err("its braces are nested too deeply".to_owned());
        }
        let (mut level, mut asks) = (Vec::new(), false);
        let mut tokens = tokens.into_iter();
        while let Some(token) = tokens.next() {
            match token {
                // A lifetime, which says nothing about calls.
                TokenTree::Punct(sign) if sign.as_char() == '\'' => drop(tokens.next()),
                // A comment that documents something: it is given as `#[doc = ".."]` or `#![doc = ".."]`.
                TokenTree::Punct(sign) if sign.as_char() == '#' && self.written(sign.span()).0.starts_with('/') => {
                    if let Some(TokenTree::Punct(_)) = tokens.next() {
                        tokens.next();
                    }
                }
                TokenTree::Punct(sign) => level.extend(u8::try_from(sign.as_char()).map(Token::Sign)),
                TokenTree::Ident(name) => {
                    let (written, start) = self.written(name.span());
                    let name = written.strip_prefix("r#").unwrap_or(written);
                    asks |= takes_statement(name);
                    level.push(Token::Name(name, start + written.len() - name.len()));
                }
                TokenTree::Literal(literal) => {
                    let (written, start) = self.written(literal.span());
                    level.push(Token::Literal(written, start));
                }
                TokenTree::Group(group) => {
                    let group = self.group(group)?;
                    asks |= group.asks;
                    level.push(Token::Group(group));
                }
            }
        }
        Ok((level, asks))
    }

    fn group(&mut self, group: proc_macro2::Group) -> Result<Group<'a>, String> {
        let delimiter = match group.delimiter() {
            proc_macro2::Delimiter::Parenthesis => Delimiter::Parenthesis,
            proc_macro2::Delimiter::Bracket => Delimiter::Bracket,
            // A group without signs comes only from a macro.
            proc_macro2::Delimiter::Brace | proc_macro2::Delimiter::None => Delimiter::Brace,
        };
        let tokens = group.stream();
        // While it is there too, to go through its tokens copies them.
        drop(group);
        self.depth += 1;
        let (tokens, asks) = self.level(tokens)?;
        self.depth -= 1;
        Ok(Group { delimiter, tokens, asks })
    }

    /// A token as it is written, and the byte where it starts.
    fn written(&self, span: Span) -> (&'a str, usize) {
        let bytes = match &self.lines {
            Some(lines) => {
                let byte = |at: LineColumn| lines.start(at.line) + at.column;
                byte(span.start())..byte(span.end())
            }
            // It searches for the byte of each character: as long as the parser takes.
            None => span.byte_range(),
        };
        (&self.source[bytes.clone()], self.code + bytes.start)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// One word for each token, without lifetimes and comments.
    fn words(tokens: &[Token<'_>], into: &mut String) {
        for token in tokens {
            match token {
                Token::Name(text, _) | Token::Literal(text, _) => write!(into, "{text} ").unwrap(),
                Token::Sign(sign) => write!(into, "{} ", char::from(*sign)).unwrap(),
                Token::Group(group) => {
                    write!(into, "{:?} ", group.delimiter).unwrap();
                    words(&group.tokens, into);
                    into.push_str("end ");
                }
            }
        }
    }

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let mut here = String::new();
        words(&scan(source).unwrap(), &mut here);
        assert_eq!(here.trim_end(), expected, "{source}");
    }

    #[test]
    fn a_source_is_a_tree_of_tokens() {
        check("fn f<'a>(a: &'a [u8; 2]) -> ! {}", "fn f < > Parenthesis a : & Bracket u8 ; 2 end end - > ! Brace end");
        check("'x: loop { break 'r#x }", ": loop Brace break end");
        check("'a' '\\'' '(' b'\\'' b\"x\\\"\" c\"y\"", "'a' '\\'' '(' b'\\'' b\"x\\\"\" c\"y\"");
        check("\"\" \"a\\\\\" \"ü\" ü", "\"\" \"a\\\\\" \"ü\" ü");
        check("r#\"a\"b\"# r##\"a\"#b\"## br\"\\\" r#type", "r#\"a\"b\"# r##\"a\"#b\"## br\"\\\" type");
        check("1.5e-3 1..2 1.max(2) x.0 -1", "1.5e-3 1 . . 2 1 . max Parenthesis 2 end x . 0 - 1");
        check("// a ' \" (\n/* b /* ' */ \" ( */ x /**/ y", "x y");
        check("//! a\n/// query(\n#[b] c(/** d */ e, /*! f */)", "# Bracket b end c Parenthesis e , end");
        check("", "");
    }

    #[test]
    fn what_is_before_the_tokens_is_left_out() {
        check("#![a]", "# ! Bracket a end");
        check("#!\n[a]", "# ! Bracket a end");
        check("#!/bin/x ('", "");
        check("\u{feff}#!/bin/x ('\n---cargo\n[(ü\n---\nü", "ü");
        check("\n-----\n---\n('\n-----\na", "a");
        check("- --a", "- - - a");
        let source = "\u{feff}#!/x\n---\nü\n---\nä(ö)";
        let tokens = scan(source).unwrap();
        assert!(matches!(&tokens[..], [Token::Name("ä", start), _] if source[*start..] == *"ä(ö)"), "{tokens:?}");
        assert_eq!(scan(&source[..source.len() - 1]).unwrap_err(), "line 5: it cannot be read as Rust");
    }

    #[test]
    fn a_group_asks_with_what_is_in_it() {
        let tokens = scan("{ (a) { b.query(c) } }").unwrap();
        let [Token::Group(group)] = &tokens[..] else { panic!("{tokens:?}") };
        let [Token::Group(without), Token::Group(with)] = &group.tokens[..] else { panic!("{tokens:?}") };
        assert!(group.asks && with.asks && !without.asks);
    }

    #[test]
    fn what_does_not_match_is_an_error() {
        for (source, line) in [
            ("a\n(", 2),
            ("\n)", 2),
            ("(\n]", 2),
            ("\n\"a", 2),
            ("r#\"a\"", 1),
            ("/* /* */", 1),
            ("'", 1),
            ("'\\", 1),
            ("b'\\x", 1),
            ("[(]", 1),
            ("\n\\", 2),
        ] {
            assert_eq!(scan(source).unwrap_err(), format!("line {line}: it cannot be read as Rust"), "{source}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let nested = |depth| format!("{}{}", "(".repeat(depth), ")".repeat(depth));
        assert!(scan(&nested(DEEPEST)).is_ok());
        for depth in [DEEPEST + 1, 1_000_000] {
            assert_eq!(scan(&nested(depth)).unwrap_err(), "its braces are nested too deeply");
        }
        assert_eq!(scan(&"(".repeat(1_000_000)).unwrap_err(), "line 1: it cannot be read as Rust");
    }

    #[test]
    fn any_text_is_read_or_refused() {
        let characters = ['\'', '"', '\\', 'r', '#', 'b', '(', ')', '/', '*', '\n', 'ü', '0', '.', 'e', '-', ' '];
        let mut state = 1u64;
        for _ in 0..20_000 {
            let text: String = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    characters[(state >> 33) as usize % characters.len()]
                })
                .collect();
            let _ = scan(&text);
        }
    }
}
