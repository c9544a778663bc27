//! Makes text from outside safe to print to a terminal, to a log, and to a CI system that reads annotations from it.
//!
//! Text of a server, a file or a name may contain escape sequences that repaint a terminal, characters that reverse the text,
//! and line ends that let it forge a line: `error: ...`, `::error::...`.

use std::borrow::Cow;

/// Several lines: every line after the first starts with `indent`, unprintable characters are escaped, final line ends dropped.
pub fn lines<'a>(text: &'a str, indent: &str) -> Cow<'a, str> {
    let text = text.trim_end_matches(['\r', '\n']);
    escape(text, |escaped, line_end| {
        escaped.push('\n');
        // No trailing white space on an empty line.
        if !line_end.starts_with(['\r', '\n']) {
            escaped.push_str(indent);
        }
    })
}

/// One line: a line end is shown as `\n`, every other unprintable character as `\u{1b}`.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, |escaped, _| escaped.push_str("\\n"))
}

/// A text that may have lines of its own, such as a file: only unprintable characters are escaped.
pub fn text(text: &str) -> Cow<'_, str> {
    escape(text, |escaped, _| escaped.push('\n'))
}

/// JSON with any text in its strings: escapes, in the form of JSON, what JSON itself does not.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match is_unprintable(character) {
            true => {
                character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")))
            }
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// `line_end` gets the text after the line end that it writes.
fn escape<'a>(text: &'a str, line_end: impl Fn(&mut String, &str)) -> Cow<'a, str> {
    if !text.contains(|character| character == '\n' || is_unprintable(character)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let end = if rest.starts_with("\r\n") { 2 } else { character.len_utf8() };
        rest = &rest[end..];
        match character {
            '\r' if end == 2 => line_end(&mut escaped, rest),
            '\n' => line_end(&mut escaped, rest),
            character if is_unprintable(character) => escaped.extend(character.escape_default()),
            character => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

/// Control characters except the tab and the line end, characters that change the direction of text, line separators, invisible
/// marks.
fn is_unprintable(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        character => character.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_terminal_would_obey_is_escaped() {
        let sequences = ["\u{1b}[2J", "\u{9b}31m", "\u{7f}", "\u{7}", "\r", "\u{202e}", "\u{2028}", "\u{2066}", "\0"];
        for sequence in sequences {
            for shown in [line(sequence), lines(&format!("{sequence}."), "  "), text(sequence)] {
                assert!(shown.starts_with('\\'), "{sequence:?}: {shown:?}");
                assert!(!shown.contains(is_unprintable), "{sequence:?}: {shown:?}");
            }
        }
        assert_eq!(line("a\u{1b}[31mb\tc"), "a\\u{1b}[31mb\tc");
    }

    #[test]
    fn no_line_from_outside_begins_at_the_first_column() {
        assert_eq!(lines("a\nerror: b\r\n::error::c\n\nd\n", "  "), "a\n  error: b\n  ::error::c\n\n  d");
        assert_eq!(line("a\nerror: b\r\nc\n"), "a\\nerror: b\\nc\\n");
        assert_eq!(lines("a\u{2028}error: b\u{85}c\rd", "  "), "a\\u{2028}error: b\\u{85}c\\rd");
    }

    #[test]
    fn json_stays_json() {
        assert_eq!(json("{\"a\":\"\u{9b}\u{202e}\u{e0001}ä\"}"), "{\"a\":\"\\u009b\\u202e\\udb40\\udc01ä\"}");
        assert!(matches!(json("{\"a\": 1}\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_can_be_printed_stays_as_it_is() {
        for ordinary in ["", "Zoë 東京 👩\u{200d}👩", "e\u{301}\tx", "a \\n b"] {
            assert!(matches!(line(ordinary), Cow::Borrowed(same) if same == ordinary));
            assert!(matches!(lines(ordinary, "  "), Cow::Borrowed(same) if same == ordinary));
        }
        assert_eq!(text("SELECT 1;\r\n\u{1b}\n"), "SELECT 1;\n\\u{1b}\n");
    }
}
