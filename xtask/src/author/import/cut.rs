//! Takes statements out of a text, and nothing else.

use std::ops::Range;

use migrator_sql::{Lexed, Words};

/// The bytes of a statement with the semicolon that ends it.
pub(crate) fn statement_with_end(words: &Words<'_>, lexed: &Lexed) -> Range<usize> {
    let range = words.range();
    let after = lexed.tokens.partition_point(|token| token.start() < range.end);
    match lexed.tokens.get(after).filter(|token| token.text(words.text) == ";") {
        Some(semicolon) => range.start..semicolon.end(),
        None => range,
    }
}

/// The text without these ranges, which ascend. Lines that hold nothing else leave an empty line, so that the others keep their numbers.
pub(crate) fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        kept.push_str(&text[at..range.start]);
        kept.extend(text[range.clone()].chars().filter(|c| *c == '\n'));
        at = range.end;
        // White space up to the end of the line goes with it.
        let rest = &text[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if rest[blank..].starts_with('\n') || rest.len() == blank {
            at += blank;
        }
    }
    kept.push_str(&text[at..]);
    kept
}

#[cfg(test)]
mod tests {
    use migrator_sql::{lex, split};

    use super::*;

    #[test]
    fn other_lines_keep_their_numbers() {
        let text = "-- a\nBEGIN; \nSELECT 1; COMMIT /* b */ ;\n-- c\n";
        let lexed = lex(text);
        let statements = split(text, &lexed.tokens);
        let ranges = [0, 2].map(|at| statement_with_end(&statements[at], &lexed));
        assert_eq!(without(text, &ranges), "-- a\n\nSELECT 1; \n-- c\n");
    }
}
