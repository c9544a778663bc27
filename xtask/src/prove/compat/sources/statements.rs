//! Statements that a server has recorded: a log, the rows of pg_stat_statements as CSV, or just statements.

mod csv;
mod log;
mod recorded;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

use self::csv::Record;
use self::recorded::Statement;
use super::found::{Found, Harvest};
use super::sql;
use crate::prove::compat::query::Place;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 << 20;

/// What pg_stat_statements shows of others' statements.
const HIDDEN: &str = "<insufficient privilege>";

/// In a log in CSV, the columns are fixed: which one the severity is, and which one the message.
const SEVERITY: usize = 11;
const MESSAGE: usize = 13;

/// Reads the file in the form that it has. Its parameters are `$1` already.
///
/// # Errors
/// It cannot be read, or has a size that no one meant.
pub(super) fn read(file: &Path, harvest: &mut Harvest) -> Result<()> {
    let mut bytes = Vec::new();
    File::open(file)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        bail!("it has more than {} MiB\nhelp: take a part of it, or the rows of pg_stat_statements", LARGEST >> 20);
    }
    // A log may have texts in several encodings.
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    let text = text.trim_start_matches('\u{feff}');
    let name = file.display().to_string();
    let statements = match form(text) {
        Form::Plain => {
            sql::read(&name, text, harvest);
            return Ok(());
        }
        Form::Rows { column } => rows(text, column),
        Form::CsvLog => csv::records(text).into_iter().filter_map(logged).collect(),
        Form::JsonLog => text.lines().enumerate().filter_map(|(index, line)| logged_as_json(line, index + 1)).collect(),
        Form::Log => log::statements(text),
    };
    let hidden = statements.iter().filter(|statement| statement.text.trim() == HIDDEN).count();
    if hidden > 0 {
        let help = "have a member of pg_read_all_stats export it";
        harvest.unreadable(&name, format!("{hidden} statements of other roles are hidden: {help}"));
    }
    for Statement { text, line } in &statements {
        for (start, statement) in sql::statements(text) {
            let line = line + text[..start].matches('\n').count();
            let place = Place { file: name.clone(), line };
            harvest.query(Found { text: statement.to_owned(), name: None, place, declared: None });
        }
    }
    Ok(())
}

enum Form {
    /// CSV with a column of this index that has the texts.
    Rows {
        column: usize,
    },
    CsvLog,
    JsonLog,
    Log,
    Plain,
}

fn form(text: &str) -> Form {
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with('{') && serde_json::from_str::<Value>(first).is_ok() {
        return Form::JsonLog;
    }
    let record = csv::records(first).into_iter().next().map(|record| record.fields).unwrap_or_default();
    if let Some(column) = record.iter().position(|field| field.trim().eq_ignore_ascii_case("query")) {
        return Form::Rows { column };
    }
    if record.len() > MESSAGE
        && record
            .get(SEVERITY)
            .is_some_and(|severity| severity.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
    {
        return Form::CsvLog;
    }
    if text.lines().any(log::is_of_log) { Form::Log } else { Form::Plain }
}

/// The rows of pg_stat_statements.
fn rows(text: &str, column: usize) -> Vec<Statement> {
    let statement = |mut record: Record| {
        let has_text = column < record.fields.len();
        has_text.then(|| Statement { text: record.fields.swap_remove(column), line: record.line })
    };
    csv::records(text).into_iter().skip(1).filter_map(statement).collect()
}

/// The statement in a record of a log in CSV.
fn logged(record: Record) -> Option<Statement> {
    let text = log::statement(record.fields.get(MESSAGE)?)?.to_owned();
    Some(Statement { text, line: record.line })
}

/// The statement in a line of a log in JSON.
fn logged_as_json(text: &str, line: usize) -> Option<Statement> {
    let entry: Value = serde_json::from_str(text).ok()?;
    Some(Statement { text: log::statement(entry["message"].as_str()?)?.to_owned(), line })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(content: impl AsRef<[u8]>, expected: Expect) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s");
        fs::write(&file, content).unwrap();
        let mut harvest = Harvest::default();
        read(&file, &mut harvest).unwrap();
        let found = harvest.merged();
        let queries = found.queries.iter().map(|query| {
            let lines: Vec<String> = query.places.iter().map(|place| place.line.to_string()).collect();
            format!("{} {:?}", lines.join(","), query.text)
        });
        let unreadable = found.unreadable.iter().map(|(_, why)| why.clone());
        expected.assert_eq(&queries.chain(unreadable).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn pg_stat_statements() {
        check(
            "calls,query\r\n1,\"SELECT \"\"a\"\"\r\nFROM t WHERE b = $1\"\r\n2,COMMIT\r\n3,<insufficient privilege>\r\n4,SELECT $1\r\n5\r\n",
            expect![[r#"
                2 "SELECT \"a\"\nFROM t WHERE b = $1"
                6 "SELECT $1"
                1 statements of other roles are hidden: have a member of pg_read_all_stats export it"#]],
        );
    }

    #[test]
    fn a_log_in_text() {
        check(
            "2026-01-02 03:04:05.678 UTC [12] app@db LOG:  statement: SELECT 1\n\
             2026-01-02 03:04:05.678 UTC [12] LOG:  duration: 0.123 ms  execute <unnamed>: SELECT a\n\t\tFROM t\n\tWHERE b = $1\n\
             2026-01-02 03:04:05.678 UTC [12] DETAIL:  parameters: $1 = 'x'\n\t'y'\n\
             2026-01-02 03:04:05.678 UTC [12] LOG:  duration: 4.2 ms\n\
             2026-01-02 03:04:05.678 UTC [12] ERROR:  relation \"t\" does not exist\n\
             2026-01-02 03:04:05.678 UTC [12] STATEMENT:  SELECT 2\n\
             LOG:  execute s1/p1: SELECT 1\n\
             2026-01-02 [12] LOG:  statement: BEGIN; SELECT 3;\n\tSELECT 4\n",
            expect![[r#"
                1,10 "SELECT 1"
                2 "SELECT a\n\tFROM t\nWHERE b = $1"
                11 "SELECT 3"
                12 "SELECT 4""#]],
        );
    }

    #[test]
    fn a_log_in_csv_and_in_json() {
        let record = |message: &str| {
            format!(
                "2026,\"u\",\"d\",1,\"h\",a.1,1,\"SELECT\",2026,1/1,0,LOG,00000,\"{message}\",,,,,,,,,\"psql\",\"b\",,0\n"
            )
        };
        check(
            record("statement: SELECT \"\"a\"\"\n FROM t")
                + &record("checkpoint starting")
                + &record("duration: 1 ms  parse x: SELECT 2"),
            expect![[r#"
                1 "SELECT \"a\"\n FROM t"
                4 "SELECT 2""#]],
        );
        check(
            "{\"error_severity\":\"LOG\",\"message\":\"statement: SELECT 1\\nFROM t\"}\n{\"message\":1}\n{x\n\n{\"message\":\"execute a: SELECT 2\"}",
            expect![[r#"
                1 "SELECT 1\nFROM t"
                5 "SELECT 2""#]],
        );
    }

    #[test]
    fn plain_statements_and_anything_else() {
        check(
            "\u{feff}SELECT 1;\nSELECT a, b FROM t; x",
            expect![[r#"
            1 "SELECT 1"
            2 "SELECT a, b FROM t""#]],
        );
        check("", expect![""]);
        check([0, 159, 255, b'"', b',', b'\n'], expect!["line 1: unterminated quoted identifier"]);
        check("SELECT '\0'", expect!["line 1: a query has a NUL character"]);
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert!(read(Path::new("/nowhere"), &mut Harvest::default()).is_err());
    }
}
