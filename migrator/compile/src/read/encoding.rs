//! From bytes to text: UTF-8 without a byte order mark, LF line ends, no NUL.

use crate::problem::{Code, Problem};
use crate::source::Source;

/// Reads a file's bytes; CRLF becomes LF, so that a checkout on Windows gives the same text.
pub(crate) fn decode(file: &str, bytes: Vec<u8>) -> Result<Source, Problem> {
    let utf8_help = "save it as UTF-8 without a byte order mark";
    let whole = |message: &str, help: &str| Problem::whole(Code::Encoding, file, message, help);
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        return Err(whole("the file starts with a byte order mark", utf8_help));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || is_bare_utf16(&bytes) {
        return Err(whole("the file is UTF-16", utf8_help));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            // The bad byte becomes one character at the same place.
            let source = Source::new(file, String::from_utf8_lossy(error.as_bytes()));
            let message = format!("byte 0x{:02X} is not UTF-8", error.as_bytes()[at]);
            return Err(source.problem(Code::Encoding, at, message, utf8_help));
        }
    };
    let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text };
    let source = Source::new(file, text);
    if let Some(at) = source.text.find('\0') {
        let message = "there is a NUL character, which the server cannot store";
        return Err(source.problem(Code::Encoding, at, message, "remove it"));
    }
    if let Some(at) = source.text.find('\r') {
        let message = "there is a carriage return without a line feed";
        let help = "save the file with LF line ends; in a literal write `E'\\r'`";
        return Err(source.problem(Code::Encoding, at, message, help));
    }
    Ok(source)
}

/// UTF-16 without a byte order mark: the first character is ASCII, hence one of its two bytes 0.
fn is_bare_utf16(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, c, d, ..] if (*a == 0) != (*b == 0) && (*a == 0) == (*c == 0) && (*b == 0) == (*d == 0))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expect: Expect) {
        let shown = match decode("db/migrations/001_x.sql", bytes.to_vec()) {
            Ok(source) => format!("{:?}", source.text),
            Err(problem) => problem.to_string(),
        };
        expect.assert_eq(&shown);
    }

    #[test]
    fn line_ends_become_lf() {
        check(b"a\r\nb\n", expect![[r#""a\nb\n""#]]);
        check("ä\u{feff}".as_bytes(), expect![[r#""ä\u{feff}""#]]);
        check(b"", expect![[r#""""#]]);
    }

    #[test]
    fn refuses_other_encodings_and_names_the_cure() {
        check(
            b"\xEF\xBB\xBFa",
            expect![[r#"
                db/migrations/001_x.sql: the file starts with a byte order mark [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"\xFF\xFEa\0",
            expect![[r#"
                db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"-\0-\0",
            expect![[r#"
                db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"\0-\0-",
            expect![[r#"
                db/migrations/001_x.sql: the file is UTF-16 [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"a\nb \xE4 c",
            expect![[r#"
                db/migrations/001_x.sql:2:3: byte 0xE4 is not UTF-8 [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"a\0b",
            expect![[r#"
                db/migrations/001_x.sql:1:2: there is a NUL character, which the server cannot store [M007]; help: remove it"#]],
        );
        check(
            b"a\rb\r",
            expect![[
                r#"db/migrations/001_x.sql:1:2: there is a carriage return without a line feed [M007]; help: save the file with LF line ends; in a literal write `E'\r'`"#
            ]],
        );
    }
}
