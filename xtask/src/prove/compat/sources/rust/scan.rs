//! Cuts a Rust source into tokens.
//!
//! Tokens are enough to find calls: they are there also within the arguments of macros, which no parser reads, and in a file whose syntax is
//! newer than the parser. They are made here because developers build their tasks without optimisation, where `proc_macro2` takes seconds
//! for a large workspace. The tests compare with it.

use super::tokens::{Delimiter, Group, Lines, Token, takes_statement};

/// How deep braces may be nested; the compiler takes as many.
const DEEPEST: usize = 128;

/// Reads a source.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn scan(source: &str) -> Result<Vec<Token<'_>>, String> {
    let is_script = source.starts_with("#!") && !source[2..].trim_start().starts_with('[');
    let at = if is_script { source.find('\n').unwrap_or(source.len()) } else { 0 };
    let mut scanner =
        Scanner { source, bytes: source.as_bytes(), at, open: Vec::new(), tokens: Vec::new(), asks: false };
    while let Some(byte) = scanner.bytes.get(scanner.at) {
        if let Err(at) = scanner.token(*byte) {
            return Err(format!("line {}: it cannot be read as Rust", Lines::of(source).at(at)));
        }
        if scanner.open.len() > DEEPEST {
            return Err("its braces are nested too deeply".to_owned());
        }
    }
    match scanner.open.last() {
        Some(open) => Err(format!("line {}: it cannot be read as Rust", Lines::of(source).at(open.start))),
        None => Ok(scanner.tokens),
    }
}

/// What is around a group that has not ended.
struct Open<'a> {
    /// The byte that ends the group.
    end: u8,
    /// The byte where it starts.
    start: usize,
    /// What is before it.
    tokens: Vec<Token<'a>>,
    asks: bool,
}

struct Scanner<'a> {
    source: &'a str,
    bytes: &'a [u8],
    /// The next byte.
    at: usize,
    /// The groups around it.
    open: Vec<Open<'a>>,
    tokens: Vec<Token<'a>>,
    /// Whether a name so far in this group takes a statement.
    asks: bool,
}

impl<'a> Scanner<'a> {
    /// Takes a token, or what is none.
    ///
    /// # Errors
    /// The byte where something starts that has no end, or ends that has no start.
    fn token(&mut self, byte: u8) -> Result<(), usize> {
        let start = self.at;
        self.at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'/' if self.is_next(b'/') => self.at = self.find(start, b'\n').unwrap_or(self.bytes.len()),
            b'/' if self.is_next(b'*') => self.comment(start)?,
            b'"' => self.string(start)?,
            b'\'' => self.quote(start)?,
            b'0'..=b'9' => self.number(start),
            b'(' => self.begin(b')', start),
            b'[' => self.begin(b']', start),
            b'{' => self.begin(b'}', start),
            b')' => self.end(Delimiter::Parenthesis, byte, start)?,
            b']' => self.end(Delimiter::Bracket, byte, start)?,
            b'}' => self.end(Delimiter::Brace, byte, start)?,
            _ if is_name(byte) => self.name(start)?,
            sign => self.tokens.push(Token::Sign(sign)),
        }
        Ok(())
    }

    fn is_next(&self, byte: u8) -> bool {
        self.bytes.get(self.at) == Some(&byte)
    }

    /// Where a byte is next, which no other character contains.
    fn find(&self, from: usize, byte: u8) -> Option<usize> {
        // The standard library is optimised in every build.
        self.source.get(from..)?.find(char::from(byte)).map(|at| from + at)
    }

    fn begin(&mut self, end: u8, start: usize) {
        let (tokens, asks) = (std::mem::take(&mut self.tokens), std::mem::take(&mut self.asks));
        self.open.push(Open { end, start, tokens, asks });
    }

    fn end(&mut self, delimiter: Delimiter, byte: u8, start: usize) -> Result<(), usize> {
        let around = self.open.pop_if(|open| open.end == byte).ok_or(start)?;
        let tokens = std::mem::replace(&mut self.tokens, around.tokens);
        self.tokens.push(Token::Group(Group { delimiter, tokens, asks: self.asks }));
        self.asks |= around.asks;
        Ok(())
    }

    /// A name, or a literal that begins with letters.
    fn name(&mut self, start: usize) -> Result<(), usize> {
        self.skip_name();
        let name = &self.source[start..self.at];
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        let is_quoted = self.bytes.get(self.at + hashes) == Some(&b'"');
        match name {
            "b" if self.is_next(b'\'') => {
                self.at += 1;
                self.quote(start)
            }
            "b" | "c" if is_quoted && hashes == 0 => {
                self.at += 1;
                self.string(start)
            }
            "r" | "br" | "cr" if is_quoted => self.raw_string(start, hashes),
            "r" if hashes == 1 && self.bytes.get(self.at + 1).is_some_and(|byte| is_name(*byte)) => {
                self.at += 1;
                let start = self.at;
                self.skip_name();
                self.tokens.push(Token::Name(&self.source[start..self.at], start));
                Ok(())
            }
            _ => {
                self.asks |= takes_statement(name);
                self.tokens.push(Token::Name(name, start));
                Ok(())
            }
        }
    }

    fn skip_name(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| is_name(*byte) || byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// `12`, `0x1f_u8`, `1.5e-3`; not the dot of `1..2` and of `1.max(2)`.
    fn number(&mut self, start: usize) {
        self.skip_name();
        let is_range_or_field = self.bytes.get(self.at + 1).is_some_and(|byte| *byte == b'.' || is_name(*byte));
        if self.is_next(b'.') && !is_range_or_field {
            self.at += 1;
            self.skip_name();
        }
        let is_hexadecimal = self.bytes[start..].starts_with(b"0x");
        let has_exponent = matches!(self.bytes[self.at - 1], b'e' | b'E') && !is_hexadecimal;
        if has_exponent
            && matches!(self.bytes.get(self.at), Some(b'+' | b'-'))
            && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit)
        {
            self.at += 1;
            self.skip_name();
        }
        self.tokens.push(Token::Literal(&self.source[start..self.at], start));
    }

    /// A string, from after its first quote on.
    fn string(&mut self, start: usize) -> Result<(), usize> {
        let mut from = self.at;
        loop {
            let quote = self.find(from, b'"').ok_or(start)?;
            let escapes = self.bytes[self.at..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
            from = quote + 1;
            if escapes % 2 == 0 {
                break;
            }
        }
        self.literal(start, from);
        Ok(())
    }

    /// A raw string, from its hashes on.
    fn raw_string(&mut self, start: usize, hashes: usize) -> Result<(), usize> {
        let mut from = self.at + hashes + 1;
        loop {
            from = self.find(from, b'"').ok_or(start)? + 1;
            let end = self.bytes.get(from..from + hashes);
            if end.is_some_and(|end| end.iter().all(|byte| *byte == b'#')) {
                break;
            }
        }
        self.literal(start, from + hashes);
        Ok(())
    }

    /// A character or a lifetime, from after its quote on.
    fn quote(&mut self, start: usize) -> Result<(), usize> {
        let is_escape = self.is_next(b'\\');
        let character = self.source[self.at..].chars().next().ok_or(start)?;
        let after = self.at + character.len_utf8();
        if is_escape {
            // What is escaped may be a quote.
            let escaped = self.source.get(after..).and_then(|rest| rest.chars().next()).ok_or(start)?;
            let end = self.find(after + escaped.len_utf8(), b'\'').ok_or(start)?;
            self.literal(start, end + 1);
        } else if self.bytes.get(after) == Some(&b'\'') {
            self.literal(start, after + 1);
        } else {
            // A lifetime says nothing about calls.
            self.skip_name();
        }
        Ok(())
    }

    fn literal(&mut self, start: usize, end: usize) {
        self.at = end;
        self.tokens.push(Token::Literal(&self.source[start..end], start));
    }

    /// A comment in which there may be others.
    fn comment(&mut self, start: usize) -> Result<(), usize> {
        let mut depth = 1;
        self.at += 1;
        while depth > 0 {
            let byte = *self.bytes.get(self.at).ok_or(start)?;
            self.at += 1;
            if byte == b'*' && self.is_next(b'/') {
                depth -= 1;
                self.at += 1;
            } else if byte == b'/' && self.is_next(b'*') {
                depth += 1;
                self.at += 1;
            }
        }
        Ok(())
    }
}

/// Whether a name may begin with it. Letters beyond ASCII are not told from other characters there.
fn is_name(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::path::Path;

    use proc_macro2::{TokenStream, TokenTree};

    use super::*;

    /// One word for each token, without lifetimes and comments.
    fn ours(tokens: &[Token<'_>], into: &mut String) {
        for token in tokens {
            match token {
                Token::Name(text, _) | Token::Literal(text, _) => write!(into, "{text} ").unwrap(),
                Token::Sign(sign) => write!(into, "{} ", char::from(*sign)).unwrap(),
                Token::Group(group) => {
                    write!(into, "{:?} ", group.delimiter).unwrap();
                    ours(&group.tokens, into);
                    into.push_str("end ");
                }
            }
        }
    }

    fn theirs(tokens: TokenStream, into: &mut String) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(sign) if sign.as_char() == '\'' => drop(tokens.next()),
                // A comment that documents something.
                TokenTree::Punct(sign) if sign.as_char() == '#' => {
                    let inner = tokens.next_if(|next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == '!'));
                    if tokens.next_if(|next| next.to_string().starts_with("[doc =")).is_none() {
                        into.push_str(if inner.is_some() { "# ! " } else { "# " });
                    }
                }
                TokenTree::Group(group) => {
                    write!(into, "{:?} ", group.delimiter()).unwrap();
                    theirs(group.stream(), into);
                    into.push_str("end ");
                }
                TokenTree::Ident(name) => write!(into, "{} ", name.to_string().trim_start_matches("r#")).unwrap(),
                token => write!(into, "{token} ").unwrap(),
            }
        }
    }

    #[track_caller]
    fn check(source: &str) {
        let (mut here, mut there) = (String::new(), String::new());
        ours(&scan(source).unwrap(), &mut here);
        theirs(source.parse().unwrap(), &mut there);
        assert_eq!(here, there, "{source}");
    }

    #[test]
    fn the_tokens_are_those_of_proc_macro2() {
        for source in [
            "fn f<'a>(a: &'a str, b: &'_ [u8; 2]) -> ! { 'x: loop { break 'x } }",
            r#"'a' '\'' '\\' '"' '\u{41}' 'ü' b'a' b'\'' b'"' '(' ')' "" "\"" "\\" "a\\\"b" b"x\"" c"y" r"\" br"\" cr"x""#,
            r###"r#"a"b"# r##"a"#b"## br#"""# r#fn r#type "#" r"" "###,
            "1 1.5 1e3 1.5e-3 1E+3f64 0x1f_u8 0xe+1 0b1 1..2 1.max(2) x.0 1_000 1u8 (1.) 2.;",
            "// a ' \" (\n/* b /* ' */ \" ( */ x /**/ y /// d\n//! e\n",
            "a::<B<C>>(d)?; #[x = \"y\"] $z @ ~ |e| &&f..=g => h -> i; ü(äö_1)",
            "",
        ] {
            check(source);
        }
    }

    #[test]
    fn the_sources_here_have_the_tokens_of_proc_macro2() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/prove")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    check(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
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
        ] {
            assert_eq!(scan(source).unwrap_err(), format!("line {line}: it cannot be read as Rust"), "{source}");
        }
        let deep = "(".repeat(1_000_000);
        assert_eq!(scan(&deep).unwrap_err(), "its braces are nested too deeply");
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
