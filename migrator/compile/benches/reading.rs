//! How long it takes to read and check files, compared with the parser alone on the same text in the same run.
//!
//! `cargo bench --package migrator-build`; each figure is the best of five.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

use migrator_build::load_file;
use squawk_syntax::SourceFile;

fn main() {
    report("100,000 rows", &rows(100_000));
    report("one INSERT of 100,000 rows", &values(100_000));
    report("20,000 different statements", &definitions(5_000));
    report("functions and comments", &bodies(10_000));
}

fn report(name: &str, block: &str) {
    let text = format!("-- migrate:up\n{block}\n-- migrate:down\n");
    let megabytes = text.len() as f64 / 1e6;
    let ours = best(|| {
        let loaded = load_file("migrations/001_x.sql", black_box(text.as_bytes()));
        assert!(loaded.is_ok(), "{name}: {loaded:?}");
    });
    // In parts: a whole file needs much memory, which takes time.
    let parser = best(|| {
        for part in parts(block) {
            assert_eq!(SourceFile::parse(black_box(part)).errors(), []);
        }
    });
    println!(
        "{name}: {megabytes:.1} MB in {:.2} s, {:.2} s per 10 MB; the parser alone {:.2} s: ratio {:.2}",
        ours.as_secs_f64(),
        ours.as_secs_f64() / megabytes * 10.0,
        parser.as_secs_f64(),
        ours.as_secs_f64() / parser.as_secs_f64()
    );
}

fn best(work: impl Fn()) -> Duration {
    let once = || {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}

/// About 16 KB each, split after a line that ends a statement.
fn parts(text: &str) -> Vec<&str> {
    let end_of_statement = if text.contains("$body$;\n") { "$body$;\n" } else { ";\n" };
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.get(16_384..).and_then(|after| after.find(end_of_statement)) {
        let (part, after) = rest.split_at(16_384 + end + end_of_statement.len());
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

fn rows(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(
            text,
            "INSERT INTO core.notes (id, author, body, made) VALUES ({n}, {}, 'note number {n}', DEFAULT);",
            n % 97
        );
        text
    })
}

fn values(count: usize) -> String {
    let rows: Vec<String> = (0..count).map(|n| format!("({n}, {}, 'note number {n}', DEFAULT)", n % 97)).collect();
    format!("INSERT INTO core.notes (id, author, body, made) VALUES\n{};", rows.join(",\n"))
}

fn definitions(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let columns: String = (0..n % 13).map(|column| format!(", column_{column} text NOT NULL DEFAULT ''")).collect();
        let _ = writeln!(
            text,
            "CREATE TABLE core.table_{n} (id bigint PRIMARY KEY{columns});\n\
             CREATE INDEX table_{n}_idx ON core.table_{n} (id) WHERE id > {n};\n\
             ALTER TABLE core.table_{n} ADD COLUMN note text CHECK (length(note) < {n} AND note <> 'x');\n\
             COMMENT ON TABLE core.table_{n} IS 'what it is for: {n}';"
        );
        text
    })
}

fn bodies(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(
            text,
            "-- why this function exists, and who has asked for it in which year, number {n}\n\
             CREATE FUNCTION core.function_{n}(input text) RETURNS text LANGUAGE plpgsql AS $body$\n\
             BEGIN\n    -- the body is text to the parser\n    IF input IS NULL THEN RETURN 'nothing {n}'; END IF;\n\
                 RETURN upper(input) || ';';\nEND\n$body$;"
        );
        text
    })
}
