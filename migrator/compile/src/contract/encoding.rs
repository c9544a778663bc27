//! M007: a file that is not UTF-8 with LF line endings.

use crate::code::Meaning;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::source::Source;

pub(crate) const RULE: Rule = Rule::reading(&Meaning::error("M007", "unsupported encoding"));

const UTF8: &str = "save it as UTF-8 without a byte order mark";

pub(crate) fn byte_order_mark(file: &str) -> Problem {
    Problem::whole(RULE.code, file, "the file starts with a byte order mark", UTF8)
}

pub(crate) fn utf16(file: &str) -> Problem {
    Problem::whole(RULE.code, file, "the file is UTF-16", UTF8)
}

/// `source` has a replacement character where the file has the byte.
pub(crate) fn not_utf8(source: &Source, at: usize, byte: u8) -> Problem {
    source.problem(RULE.code, at, format!("byte 0x{byte:02X} is not valid UTF-8"), UTF8)
}

pub(crate) fn nul(source: &Source, at: usize) -> Problem {
    source.problem(RULE.code, at, "found a NUL character, which the server cannot store", "remove it")
}

pub(crate) fn carriage_return(source: &Source, at: usize) -> Problem {
    let help = "save the file with LF line endings; in a literal, write `E'\\r'`";
    source.problem(RULE.code, at, "found a carriage return without a line feed", help)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use crate::read::encoding::decode;

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
                db/migrations/001_x.sql:2:3: byte 0xE4 is not valid UTF-8 [M007]; help: save it as UTF-8 without a byte order mark"#]],
        );
        check(
            b"a\0b",
            expect![[r#"
                db/migrations/001_x.sql:1:2: found a NUL character, which the server cannot store [M007]; help: remove it"#]],
        );
        check(
            b"a\rb\r",
            expect![[
                r#"db/migrations/001_x.sql:1:2: found a carriage return without a line feed [M007]; help: save the file with LF line endings; in a literal, write `E'\r'`"#
            ]],
        );
    }
}
