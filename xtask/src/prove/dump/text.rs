//! What pg_dump says, without what differs from run to run and from machine to machine.

use std::time::Duration;

use migrator_engine::client::plain_identifier;
use similar::{ChangeTag, TextDiff};

/// So many lines of a difference are shown.
const SHOWN: usize = 20;

/// Files that have nothing to do with each other are not worth a longer search for what they have in common.
const LONGEST_SEARCH: Duration = Duration::from_secs(2);

const MARK: &str = "-- Schema of PostgreSQL ";

/// Takes the noise out of a dump. Only above the first object and below the last one: a function's body may hold any line.
pub(crate) fn clean(dump: &[u8], major: &str) -> Vec<u8> {
    let lines: Vec<&[u8]> = dump.split_inclusive(|byte| *byte == b'\n').collect();
    let first = lines.iter().position(|line| line.starts_with(b"-- Name: ")).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| line.starts_with(b"-- PostgreSQL database dump complete"));
    let end = end.unwrap_or(lines.len()).max(first);
    let mut out: Vec<u8> = Vec::with_capacity(dump.len());
    for (index, line) in lines.iter().enumerate() {
        let outside = index < first || index > end;
        let noise: &[&[u8]] = &[b"\\restrict ", b"\\unrestrict ", b"-- Dumped by ", b"SET transaction_timeout "];
        if outside && noise.iter().any(|noise| line.starts_with(noise)) {
            continue;
        }
        if outside && line.starts_with(b"-- Dumped from ") {
            out.extend(format!("{MARK}{major}, written by `cargo xtask dump`\n").into_bytes());
        } else if !(outside && *line == b"\n" && out.ends_with(b"\n\n")) {
            out.extend_from_slice(line);
        }
    }
    while out.ends_with(b"\n\n") {
        out.pop();
    }
    out
}

/// The applied versions as dbmate writes them at the end of its dump.
pub(super) fn versions(schema: &str, table: &str, versions: &[&str]) -> String {
    let rows: Vec<String> = versions.iter().map(|version| format!("    ('{version}')")).collect();
    let insert = match rows.is_empty() {
        true => String::new(),
        false => {
            let table = format!("{}.{}", plain_identifier(schema), plain_identifier(table));
            format!("\nINSERT INTO {table} (version) VALUES\n{};\n", rows.join(",\n"))
        }
    };
    format!("\n\n--\n-- Dbmate schema migrations\n--\n{insert}")
}

/// The major release in the first line of a file of facts.
pub(super) fn major_of_facts(facts: &[u8]) -> Option<String> {
    let text = str::from_utf8(facts).ok()?;
    let (major, _) = text.strip_prefix("# schema facts of PostgreSQL ")?.split_once(" at ")?;
    Some(major.to_owned())
}

/// The major release that a schema was written with.
pub(super) fn major_of_schema(schema: &[u8]) -> Option<String> {
    let lines = schema.split(|byte| *byte == b'\n').take(20);
    let mark = lines.filter_map(|line| str::from_utf8(line).ok()?.strip_prefix(MARK)).next()?;
    Some(mark.split(',').next().unwrap_or_default().to_owned())
}

/// The first lines in which two versions of a file differ. `old`: what is committed.
pub(super) fn difference(name: &str, old: Option<&[u8]>, new: &[u8]) -> String {
    let Some(old) = old else { return format!("{name} is missing") };
    // What cannot be seen is shown as it is written: two lines must not look the same and differ.
    let lines = |bytes: &[u8]| -> Vec<String> {
        let lines = bytes.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).replace('\r', "\\r"));
        lines
            .map(|line| match line.ends_with([' ', '\t']) {
                true => format!("{line}$"),
                false => line,
            })
            .collect()
    };
    let changes = changes(&lines(old), &lines(new));
    let mut shown = vec![format!("{name} is not what the migrations produce:")];
    shown.extend(changes.iter().take(SHOWN).cloned());
    if changes.len() > SHOWN {
        shown.push(format!("... {} more lines", changes.len() - SHOWN));
    }
    shown.join("\n")
}

/// The lines that only one of them has, in order, with a sign.
fn changes(old: &[String], new: &[String]) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (refs(old), refs(new));
    let difference = TextDiff::configure().timeout(LONGEST_SEARCH).diff_slices(&old, &new);
    let changed = difference.iter_all_changes().filter_map(|change| match change.tag() {
        ChangeTag::Equal => None,
        ChangeTag::Delete => Some(format!("- {}", change.value())),
        ChangeTag::Insert => Some(format!("+ {}", change.value())),
    });
    changed.collect()
}

fn refs(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped from database version 17.2 (Debian)\n\
        -- Dumped by pg_dump version 17.2\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n\n--\n\
        -- Name: f(); Type: FUNCTION\n--\n\nCREATE FUNCTION f() AS '\n\\restrict x\n-- Dumped by me  \r\n\n\nSET transaction_timeout = 0;\n\
        -- PostgreSQL database dump complete\n';\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n";

    #[test]
    fn noise_is_removed_around_the_objects_and_nothing_within_them() {
        let clean = clean(DUMP.as_bytes(), "17");
        expect![[r#"
            --
            -- PostgreSQL database dump
            --

            -- Schema of PostgreSQL 17, written by `cargo xtask dump`

            SET statement_timeout = 0;

            --
            -- Name: f(); Type: FUNCTION
            --

            CREATE FUNCTION f() AS '
            \restrict x
            -- Dumped by me__<CR>


            SET transaction_timeout = 0;
            -- PostgreSQL database dump complete
            ';


            --
            -- PostgreSQL database dump complete
            --
        "#]]
        .assert_eq(&String::from_utf8(clean.clone()).unwrap().replace("  \r", "__<CR>"));
        assert_eq!(major_of_schema(&clean).as_deref(), Some("17"));
        assert_eq!(major_of_schema(DUMP.as_bytes()), None);
        assert_eq!(super::clean(&clean, "17"), clean, "nothing is left to do");
    }

    #[test]
    fn versions_are_written_as_dbmate_writes_them() {
        expect![[r#"


            --
            -- Dbmate schema migrations
            --

            INSERT INTO ops."Done" (version) VALUES
                ('001'),
                ('002');
        "#]]
        .assert_eq(&versions("ops", "Done", &["001", "002"]));
        assert!(!versions("public", "schema_migrations", &[]).contains("INSERT"));
    }

    #[test]
    fn a_difference_shows_the_lines_that_differ_and_what_cannot_be_seen() {
        expect![[r#"
            db/schema.sql is not what the migrations produce:
            - at 1
            + at 2
            - b
            + b $
            + b\r
            + new
            - e"#]]
        .assert_eq(&difference("db/schema.sql", Some(b"at 1\na\nb\nc\nd\ne"), b"at 2\na\nb \nb\r\nc\nnew\nd"));
        let shown = difference("f", Some(b""), "x\n".repeat(25).as_bytes());
        assert!(shown.ends_with("+ x\n... 5 more lines"), "{shown}");
        assert_eq!(difference("f", None, b"x"), "f is missing");
    }

    #[test]
    fn files_without_anything_in_common_are_compared_at_once() {
        let text = |word: &str| (0..4_000).map(|n| format!("{word} {n}\n")).collect::<String>();
        let shown = difference("f", Some(text("a").as_bytes()), text("b").as_bytes());
        assert!(shown.ends_with("- a 19\n... 7980 more lines"), "{shown}");
    }

    #[test]
    fn the_release_is_read_from_the_first_line_of_the_facts() {
        let major = |text: &str| major_of_facts(text.as_bytes());
        assert_eq!(major("# schema facts of PostgreSQL 15 at 013; x\n").as_deref(), Some("15"));
        assert_eq!(major("no drift\n"), None);
    }
}
