//! The tokens of a file with their bytes.
//!
//! The only module that touches `squawk-lexer`: it has kinds of our own, so that checksums do not depend on the library,
//! and it mends the two places where the library's tokens are not the server's (operators, continued escape strings).

use std::ops::Range;

use squawk_lexer::{LiteralKind, TokenKind};

/// What a token is. The numbers go into checksums: they never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A key word or an unquoted identifier.
    Word = 1,
    /// `"x"`, also `U&"x"`.
    Quoted = 2,
    /// `'x'`, also with the prefixes `N`, `B`, `X` and `U&`.
    Text = 3,
    /// `E'x'`, or the continuation of one.
    Escape = 4,
    /// `$$x$$`
    Dollar = 5,
    /// A number.
    Number = 6,
    /// `$1`
    Parameter = 7,
    /// One operator as the server reads it: `<=`, `@>`.
    Operator = 8,
    /// `(`, `)`, `[`, `]`, `{`, `}`, `,`, `.`, `:`, `;`
    Punctuation = 9,
    /// A character that no statement can hold, such as a backslash.
    Unknown = 10,
}

/// A token that is neither white space nor a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    /// The byte at which it starts.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The byte after it.
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Its bytes.
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    /// What it says; `text` is the text that it was cut from.
    pub fn text(self, text: &str) -> &str {
        &text[self.range()]
    }
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its bytes.
    pub range: Range<usize>,
    /// True for `/* */`.
    pub block: bool,
}

/// A whole file in tokens.
#[derive(Debug, Default)]
pub struct Lexed {
    /// Everything but white space and comments.
    pub tokens: Vec<Token>,
    /// The comments, in order.
    pub comments: Vec<Comment>,
    /// Where a literal or comment starts that the file does not end, and what it is.
    pub unterminated: Option<(usize, &'static str)>,
}

impl Lexed {
    /// The tokens inside a byte range.
    pub fn within(&self, range: &Range<usize>) -> &[Token] {
        let from = self.tokens.partition_point(|token| token.start() < range.start);
        let to = self.tokens.partition_point(|token| token.start() < range.end);
        &self.tokens[from..to]
    }
}

/// Cuts a text into tokens. Takes any text up to 4 GiB and never fails: anything that is not a token is [`Kind::Unknown`].
pub fn lex(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut start = 0;
    while start < text.len() {
        start = lex_until_continuation(text, start, &mut lexed);
    }
    lexed
}

/// Lexes from `start` to the end, or to the end of a continued escape string, after which the library has to be set up anew.
fn lex_until_continuation(text: &str, start: usize, lexed: &mut Lexed) -> usize {
    // The run of adjacent operator characters that is not yet cut into operators.
    let mut run = start..start;
    let mut at = start;
    for token in squawk_lexer::tokenize(&text[start..]) {
        let range = at..at + token.len as usize;
        at = range.end;
        if is_operator(token.kind) {
            if run.is_empty() {
                run.start = range.start;
            }
            run.end = range.end;
            continue;
        }
        flush(text, &mut run, lexed);
        push(token.kind, &range, lexed);
        if matches!(token.kind, TokenKind::Literal { kind: LiteralKind::EscStr { terminated: true } })
            && let Some(end) = continue_escape(text, range.end, lexed)
        {
            return end;
        }
    }
    flush(text, &mut run, lexed);
    text.len()
}

fn push(kind: TokenKind, range: &Range<usize>, lexed: &mut Lexed) {
    use LiteralKind::{BitStr, ByteStr, DollarQuotedString, EscStr, Int, NationalStr, Numeric, Str, UnicodeEscStr};
    let (kind, terminated, what) = match kind {
        TokenKind::Whitespace | TokenKind::Eof => return,
        TokenKind::LineComment => return lexed.comments.push(Comment { range: range.clone(), block: false }),
        TokenKind::BlockComment { terminated } => {
            lexed.comments.push(Comment { range: range.clone(), block: true });
            if !terminated {
                lexed.unterminated = Some((range.start, "block comment"));
            }
            return;
        }
        TokenKind::Ident => (Kind::Word, true, ""),
        TokenKind::QuotedIdent { terminated, .. } => (Kind::Quoted, terminated, "quoted identifier"),
        TokenKind::PositionalParam { .. } => (Kind::Parameter, true, ""),
        TokenKind::Literal { kind } => match kind {
            Int { .. } | Numeric { .. } => (Kind::Number, true, ""),
            EscStr { terminated } => (Kind::Escape, terminated, "string"),
            DollarQuotedString { terminated } => (Kind::Dollar, terminated, "dollar-quoted string"),
            Str { terminated }
            | NationalStr { terminated }
            | ByteStr { terminated }
            | BitStr { terminated }
            | UnicodeEscStr { terminated } => (Kind::Text, terminated, "string"),
        },
        TokenKind::Unknown => (Kind::Unknown, true, ""),
        _ => (Kind::Punctuation, true, ""),
    };
    if !terminated {
        lexed.unterminated = Some((range.start, what));
    }
    push_token(kind, range.start, range.end, lexed);
}

fn push_token(kind: Kind, start: usize, end: usize, lexed: &mut Lexed) {
    lexed.tokens.push(Token { kind, start: start as u32, end: end as u32 });
}

/// The characters of which the server builds operators.
fn is_operator(kind: TokenKind) -> bool {
    use TokenKind::{
        And, At, Backtick, Bang, Caret, Eq, Gt, Lt, Minus, Or, Percent, Plus, Pound, Question, Slash, Star, Tilde,
    };
    matches!(
        kind,
        And | At
            | Backtick
            | Bang
            | Caret
            | Eq
            | Gt
            | Lt
            | Minus
            | Or
            | Percent
            | Plus
            | Pound
            | Question
            | Slash
            | Star
            | Tilde
    )
}

/// Cuts a run of operator characters as the server does: the longest operator, but `+` and `-` at its end belong to
/// what follows, unless the operator holds a character that no operator of the standard has. `a*-1` is `a * -1`, `a@-1`
/// is not.
fn flush(text: &str, run: &mut Range<usize>, lexed: &mut Lexed) {
    let characters = &text.as_bytes()[run.clone()];
    let Some(last) = characters.len().checked_sub(1) else { return };
    let special = |c: &u8| b"~!@#%^&|`?".contains(c);
    let mut length = characters.len();
    if !characters[..last].iter().any(special) {
        while length > 1 && matches!(characters[length - 1], b'+' | b'-') {
            length -= 1;
        }
    }
    push_token(Kind::Operator, run.start, run.start + length, lexed);
    // What was cut off holds signs alone, each of which is an operator.
    for sign in run.start + length..run.end {
        push_token(Kind::Operator, sign, sign + 1, lexed);
    }
    run.start = run.end;
}

/// An escape string goes on in the next line: `E'a'`, line end, `'b\'c'` is one literal to the server, with escapes in
/// both parts. The library reads the second part as a plain string, which would end at the wrong quote.
fn continue_escape(text: &str, from: usize, lexed: &mut Lexed) -> Option<usize> {
    let mut start = from;
    let mut line_end = false;
    for token in squawk_lexer::tokenize(&text[from..]) {
        let end = start + token.len as usize;
        match token.kind {
            TokenKind::Whitespace => line_end |= text[start..end].contains('\n'),
            TokenKind::LineComment => {}
            TokenKind::Literal { kind: LiteralKind::Str { .. } } if line_end => break,
            _ => return None,
        }
        start = end;
    }
    if start >= text.len() {
        return None;
    }
    // The comments in between belong to no token any more.
    let mut at = from;
    for token in squawk_lexer::tokenize(&text[from..start]) {
        push(token.kind, &(at..at + token.len as usize), lexed);
        at += token.len as usize;
    }
    let mut bytes = text.bytes().enumerate().skip(start + 1).peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' if bytes.next_if(|&(_, next)| next == b'\'').is_some() => {}
            b'\'' => {
                push_token(Kind::Escape, start, at + 1, lexed);
                return Some(continue_escape(text, at + 1, lexed).unwrap_or(at + 1));
            }
            _ => {}
        }
    }
    lexed.unterminated = Some((start, "string"));
    push_token(Kind::Escape, start, text.len(), lexed);
    Some(text.len())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Expect) {
        let lexed = lex(text);
        let tokens: Vec<String> =
            lexed.tokens.iter().map(|token| format!("{:?} {}", token.kind, token.text(text))).collect();
        let comments = lexed.comments.iter().map(|comment| format!("comment {}", &text[comment.range.clone()]));
        let unterminated = lexed.unterminated.map(|(at, what)| format!("unterminated {what} at {at}"));
        let lines: Vec<String> = tokens.into_iter().chain(comments).chain(unterminated).collect();
        expect.assert_eq(&lines.join(" | "));
    }

    #[test]
    fn keeps_literals_whole() {
        check(
            "SELECT 'a;b', \"c\"\"d\" $$e;f$$",
            expect![[r#"Word SELECT | Text 'a;b' | Punctuation , | Quoted "c""d" | Dollar $$e;f$$"#]],
        );
        check(
            "$a$ $$ $b$ $a$ E'a\\'b' N'x' U&'y'",
            expect![[r#"Dollar $a$ $$ $b$ $a$ | Escape E'a\'b' | Text N'x' | Text U&'y'"#]],
        );
    }

    #[test]
    fn a_backslash_escapes_nothing_in_a_plain_string() {
        check(r"'a\' 'b'", expect![[r#"Text 'a\' | Text 'b'"#]]);
    }

    #[test]
    fn cuts_operators_as_the_server_does() {
        check("a*-1", expect!["Word a | Operator * | Operator - | Number 1"]);
        check("a@-1", expect!["Word a | Operator @- | Number 1"]);
        check("a*-+-1", expect!["Word a | Operator * | Operator - | Operator + | Operator - | Number 1"]);
        check("--+", expect!["comment --+"]);
        check("+-@- 1", expect!["Operator +-@- | Number 1"]);
        check("a @ -1", expect!["Word a | Operator @ | Operator - | Number 1"]);
        check("a <= b::int", expect!["Word a | Operator <= | Word b | Punctuation : | Punctuation : | Word int"]);
        check("a+--x", expect!["Word a | Operator + | comment --x"]);
        check("a=>b", expect!["Word a | Operator => | Word b"]);
    }

    #[test]
    fn follows_a_continued_escape_string() {
        check(
            "E'a' -- c\n 'b\\'c'\n'd' x",
            expect![[r#"
            Escape E'a' | Escape 'b\'c' | Escape 'd' | Word x | comment -- c"#]],
        );
        check("E'a' 'b'", expect!["Escape E'a' | Text 'b'"]);
        check("E'a'\n'b\\'", expect![[r#"Escape E'a' | Escape 'b\' | unterminated string at 5"#]]);
    }

    #[test]
    fn names_what_is_not_ended() {
        check("'a", expect!["Text 'a | unterminated string at 0"]);
        check("\"a", expect![[r#"Quoted "a | unterminated quoted identifier at 0"#]]);
        check("$x$ a $y$", expect!["Dollar $x$ a $y$ | unterminated dollar-quoted string at 0"]);
        check("/* /* */", expect!["comment /* /* */ | unterminated block comment at 0"]);
    }

    /// What lies between tokens and comments is white space and nothing else.
    fn assert_complete(text: &str) {
        let lexed = lex(text);
        let mut parts: Vec<Range<usize>> = lexed.tokens.iter().map(|token| token.range()).collect();
        parts.extend(lexed.comments.iter().map(|comment| comment.range.clone()));
        parts.sort_by_key(|range| range.start);
        let mut at = 0;
        for part in parts {
            assert!(text[at..part.start].chars().all(|c| c.is_ascii_whitespace() || c == '\u{b}'), "{text:?}");
            at = part.end;
        }
        assert!(text[at..].chars().all(|c| c.is_ascii_whitespace() || c == '\u{b}'), "{text:?}");
    }

    proptest! {
        #[test]
        fn tokens_and_comments_cover_any_text(text in "\\PC{0,60}") {
            assert_complete(&text);
        }

        #[test]
        fn tokens_and_comments_cover_quotes_and_comments(text in r#"([Ee$'"\\/*;:=+@ab\n -]|--|\$\$|\$a\$){0,40}"#) {
            assert_complete(&text);
        }
    }
}
