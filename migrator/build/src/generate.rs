//! Writes a checked directory as Rust.

use std::fmt::Write;
use std::ops::Range;

use crate::set::{Block, Environment, Migration, SchemaFacts, Script, Set, Settings, Statement, StatementKind};

/// How many statements one constant holds. The compiler's time for one grows with the square of its length.
const CHUNK: usize = 256;

/// What the expression starts with.
const PRELUDE: &str = "{
use ::migrator_engine::embedded as e;
";

/// What follows where there are statements; where there is none the compiler would find it unused. A large file has
/// 100,000 statements: as that many struct expressions they cost the compiler four times as much as when constants put
/// them together.
const JOIN: &str = "\
const fn join<const N: usize>(places: [[usize; 2]; N], sums: [&'static str; N]) -> [e::Statement; N] {
    let mut table = [const { e::Statement { range: 0..0, kind: e::StatementKind::Plain, checksum: \"\" } }; N];
    let mut i = 0;
    while i < N {
        table[i].range = places[i][0]..places[i][1];
        table[i].checksum = sums[i];
        i += 1;
    }
    table
}
";

/// One Rust expression of the type `::migrator_engine::embedded::Embedded`, for a `static`: it allocates nothing.
pub fn generate(set: &Set) -> String {
    let texts = set.migrations.iter().map(|migration| migration.text.len());
    let scripts = set.repeatables.iter().chain(&set.seeds).chain(&set.checks).map(|script| script.text.len());
    let mut out = String::with_capacity(texts.chain(scripts).sum::<usize>() * 2 + 4096);
    out.push_str(PRELUDE);
    if has_statements(set) {
        out.push_str(JOIN);
    }
    out.push_str("e::Embedded { migrations: ");
    list(&mut out, &set.migrations, migration);
    for (name, scripts) in [("repeatables", &set.repeatables), ("seeds", &set.seeds), ("checks", &set.checks)] {
        field(&mut out, name);
        list(&mut out, scripts, script);
    }
    field(&mut out, "facts");
    list(&mut out, &set.facts, facts);
    field(&mut out, "settings");
    settings(&mut out, &set.settings);
    field(&mut out, "digest");
    string(&mut out, &set.digest);
    out.push_str(" } }\n");
    out
}

fn has_statements(set: &Set) -> bool {
    let blocks = set.migrations.iter().flat_map(|migration| std::iter::once(&migration.up).chain(&migration.down));
    let scripts = set.repeatables.iter().chain(&set.seeds).chain(&set.checks);
    let mut lists = blocks.map(|block| &block.statements).chain(scripts.map(|script| &script.statements));
    lists.any(|statements| !statements.is_empty())
}

fn field(out: &mut String, name: &str) {
    out.push_str(", ");
    out.push_str(name);
    out.push_str(": ");
}

fn list<T>(out: &mut String, items: &[T], write: fn(&mut String, &T)) {
    out.push_str("&[");
    for item in items {
        write(out, item);
        out.push_str(",\n");
    }
    out.push(']');
}

fn option<T>(out: &mut String, value: Option<&T>, write: fn(&mut String, &T)) {
    match value {
        Some(value) => {
            out.push_str("::core::option::Option::Some(");
            write(out, value);
            out.push(')');
        }
        None => out.push_str("::core::option::Option::None"),
    }
}

fn migration(out: &mut String, migration: &Migration) {
    out.push_str("e::Migration { version: ");
    string(out, &migration.version);
    put(out, format_args!(", number: {}", migration.number));
    let texts = [("name", &migration.name), ("file", &migration.file), ("text", &migration.text)];
    for (name, text) in texts.into_iter().chain([("checksum", &migration.checksum)]) {
        field(out, name);
        string(out, text);
    }
    field(out, "up");
    block(out, &migration.up);
    field(out, "down");
    option(out, migration.down.as_ref(), block);
    out.push_str(" }");
}

fn block(out: &mut String, block: &Block) {
    out.push_str("e::Block { range: ");
    range(out, &block.range);
    put(out, format_args!(", transaction: {}", block.transaction));
    let number = |out: &mut String, ms: &u64| put(out, format_args!("{ms}"));
    field(out, "lock_timeout_ms");
    option(out, block.lock_timeout_ms.as_ref(), number);
    field(out, "statement_timeout_ms");
    option(out, block.statement_timeout_ms.as_ref(), number);
    field(out, "statements");
    statements(out, &block.statements);
    out.push_str(" }");
}

/// A slice of statements: constants of equal size, joined, without what the last one has too many.
fn statements(out: &mut String, statements: &[Statement]) {
    if statements.is_empty() {
        out.push_str("&[]");
        return;
    }
    let size = statements.len().min(CHUNK);
    out.push_str("{\n");
    let chunks = statements.chunks(size);
    let count = chunks.len();
    for (number, statements) in chunks.enumerate() {
        put(out, format_args!("const C{number}: [e::Statement; {size}] = "));
        chunk(out, statements, size);
        out.push_str(";\n");
    }
    out.push('[');
    for number in 0..count {
        put(out, format_args!("C{number}, "));
    }
    put(out, format_args!("].as_flattened().split_at({}).0 }}", statements.len()));
}

/// Places and checksums of a few statements, filled up to `size`, and the kinds that are not plain one by one.
fn chunk(out: &mut String, statements: &[Statement], size: usize) {
    let missing = size - statements.len();
    out.push_str("{ #[allow(unused_mut)] let mut t = join([");
    for Range { start, end } in statements.iter().map(|statement| &statement.range) {
        put(out, format_args!("[{start},{end}],"));
    }
    out.push_str(&"[0,0],".repeat(missing));
    out.push_str("], [");
    for statement in statements {
        put(out, format_args!("\"{}\",", statement.checksum));
    }
    out.push_str(&"\"\",".repeat(missing));
    out.push_str("]);\n");
    for (index, statement) in statements.iter().enumerate() {
        if statement.kind != StatementKind::Plain {
            put(out, format_args!("t[{index}].kind = e::StatementKind::"));
            kind(out, &statement.kind);
            out.push_str(";\n");
        }
    }
    out.push_str("t }");
}

fn kind(out: &mut String, kind: &StatementKind) {
    match kind {
        StatementKind::Plain => out.push_str("Plain"),
        StatementKind::Begin => out.push_str("Begin"),
        StatementKind::Commit => out.push_str("Commit"),
        StatementKind::Set => out.push_str("Set"),
        StatementKind::SetTransaction => out.push_str("SetTransaction"),
        StatementKind::Alone => out.push_str("Alone"),
        StatementKind::MayCommit => out.push_str("MayCommit"),
        StatementKind::Concurrently => out.push_str("Concurrently"),
        StatementKind::Idempotent => out.push_str("Idempotent"),
        StatementKind::CreateIndexConcurrently { index, table, unique, rest } => {
            named(out, "CreateIndexConcurrently", &[("index", index), ("table", table)]);
            put(out, format_args!(", unique: {unique}, rest: {rest} }}"));
        }
        StatementKind::DropIndexConcurrently { index } => {
            named(out, "DropIndexConcurrently", &[("index", index)]);
            out.push_str(" }");
        }
        StatementKind::ReindexConcurrently { object, name } => {
            named(out, "ReindexConcurrently", &[("name", name)]);
            put(out, format_args!(", object: e::ReindexObject::{object:?} }}"));
        }
        StatementKind::DetachConcurrently { table, partition } => {
            named(out, "DetachConcurrently", &[("table", table), ("partition", partition)]);
            out.push_str(" }");
        }
    }
}

/// A variant up to its last text field; the brace is left open.
fn named(out: &mut String, variant: &str, fields: &[(&str, &String)]) {
    out.push_str(variant);
    for (number, (name, value)) in fields.iter().enumerate() {
        out.push_str(if number == 0 { " { " } else { ", " });
        out.push_str(name);
        out.push_str(": ");
        string(out, value);
    }
}

fn script(out: &mut String, script: &Script) {
    out.push_str("e::Script { name: ");
    string(out, &script.name);
    for (name, text) in [("file", &script.file), ("text", &script.text), ("checksum", &script.checksum)] {
        field(out, name);
        string(out, text);
    }
    field(out, "statements");
    statements(out, &script.statements);
    out.push_str(" }");
}

fn facts(out: &mut String, facts: &SchemaFacts) {
    put(out, format_args!("e::SchemaFacts {{ major: {}", facts.major));
    for (name, text) in [("file", &facts.file), ("text", &facts.text)] {
        field(out, name);
        string(out, text);
    }
    out.push_str(" }");
}

fn settings(out: &mut String, settings: &Settings) {
    out.push_str("e::Settings { history_schema: ");
    string(out, &settings.history_schema);
    field(out, "history_table");
    string(out, &settings.history_table);
    field(out, "history_writers");
    list(out, &settings.history_writers, |out, role| string(out, role));
    let numbers = [
        ("lock_timeout_ms", settings.lock_timeout_ms),
        ("retry_for_ms", settings.retry_for_ms),
        ("statement_timeout_ms", settings.statement_timeout_ms),
    ];
    for (name, number) in numbers {
        put(out, format_args!(", {name}: {number}"));
    }
    let start_after: Option<i64> = settings.start_after.as_ref().and_then(|version| version.parse().ok());
    field(out, "start_after");
    option(out, start_after.as_ref(), |out, number| put(out, format_args!("{number}")));
    put(out, format_args!(", refuse_ahead: {}, drift_owners: {}", settings.refuse_ahead, settings.drift_owners));
    field(out, "drift_ignore");
    list(out, &settings.drift_ignore, |out, pattern| string(out, pattern));
    field(out, "environments");
    list(out, &settings.environments, environment);
    out.push_str(" }");
}

fn environment(out: &mut String, environment: &Environment) {
    out.push_str("e::Environment { name: ");
    string(out, &environment.name);
    put(out, format_args!(", approval: {}, down: {}, seeds: ", environment.approval, environment.down));
    option(out, environment.seeds.as_ref(), |out, seeds| list(out, seeds, |out, seed| string(out, seed)));
    out.push_str(" }");
}

fn range(out: &mut String, range: &Range<usize>) {
    put(out, format_args!("{}..{}", range.start, range.end));
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(arguments);
}

/// A string literal. Line ends stay as they are, which keeps the file readable; what the compiler would refuse or change
/// inside a literal is escaped, also the characters that change the direction of text.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '"' | '\\' => true,
            '\n' | '\t' => false,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
            _ => character.is_control(),
        };
        if escape {
            out.push_str(&text[plain..at]);
            put(out, format_args!("{}", character.escape_default()));
            plain = at + character.len_utf8();
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::set::ReindexObject;

    #[test]
    fn escapes_what_the_compiler_would_refuse_or_change() {
        let mut out = String::new();
        string(&mut out, "a\"b\\c\nd\te\rf\0g\u{202e}h\u{85}ä🙂");
        expect![[r#"
            "a\"b\\c
            d	e\rf\u{0}g\u{202e}h\u{85}ä🙂""#]]
        .assert_eq(&out);
    }

    #[test]
    fn writes_every_field() {
        let statement =
            |start: usize, kind| Statement { range: start..start + 4, kind, checksum: format!("sum of {start}") };
        let index = StatementKind::CreateIndexConcurrently {
            index: "i\"x".to_owned(),
            table: "t".to_owned(),
            unique: true,
            rest: 40,
        };
        let detach = StatementKind::DetachConcurrently { table: "t".to_owned(), partition: "t_2025".to_owned() };
        let reindex = StatementKind::ReindexConcurrently { object: ReindexObject::Table, name: "t".to_owned() };
        let block = Block {
            range: 14..40,
            transaction: false,
            lock_timeout_ms: Some(5),
            statement_timeout_ms: None,
            statements: vec![
                statement(14, StatementKind::Plain),
                statement(20, index),
                statement(26, detach),
                statement(32, reindex),
            ],
        };
        let environment =
            Environment { name: "test".to_owned(), approval: true, down: false, seeds: Some(vec!["test".to_owned()]) };
        let set = Set {
            migrations: vec![Migration {
                version: "001".to_owned(),
                number: 1,
                name: "x".to_owned(),
                file: "db/migrations/001_x.sql".to_owned(),
                text: "-- migrate:up\n".to_owned(),
                checksum: "sum".to_owned(),
                up: block,
                down: None,
            }],
            repeatables: Vec::new(),
            seeds: Vec::new(),
            checks: Vec::new(),
            facts: vec![SchemaFacts {
                major: 15,
                file: "db/schema.facts.15".to_owned(),
                text: "# schema facts\n".to_owned(),
            }],
            settings: Settings {
                drift_ignore: vec!["table tmp_*".to_owned()],
                environments: vec![environment],
                ..Settings::default()
            },
            digest: "digest".to_owned(),
        };
        let text = generate(&set);
        expect![[r##"
            e::Embedded { migrations: &[e::Migration { version: "001", number: 1, name: "x", file: "db/migrations/001_x.sql", text: "-- migrate:up
            ", checksum: "sum", up: e::Block { range: 14..40, transaction: false, lock_timeout_ms: ::core::option::Option::Some(5), statement_timeout_ms: ::core::option::Option::None, statements: {
            const C0: [e::Statement; 4] = { #[allow(unused_mut)] let mut t = join([[14,18],[20,24],[26,30],[32,36],], ["sum of 14","sum of 20","sum of 26","sum of 32",]);
            t[1].kind = e::StatementKind::CreateIndexConcurrently { index: "i\"x", table: "t", unique: true, rest: 40 };
            t[2].kind = e::StatementKind::DetachConcurrently { table: "t", partition: "t_2025" };
            t[3].kind = e::StatementKind::ReindexConcurrently { name: "t", object: e::ReindexObject::Table };
            t };
            [C0, ].as_flattened().split_at(4).0 } }, down: ::core::option::Option::None },
            ], repeatables: &[], seeds: &[], checks: &[], facts: &[e::SchemaFacts { major: 15, file: "db/schema.facts.15", text: "# schema facts
            " },
            ], settings: e::Settings { history_schema: "public", history_table: "schema_migrations", history_writers: &[], lock_timeout_ms: 500, retry_for_ms: 600000, statement_timeout_ms: 0, start_after: ::core::option::Option::None, refuse_ahead: false, drift_owners: false, drift_ignore: &["table tmp_*",
            ], environments: &[e::Environment { name: "test", approval: true, down: false, seeds: ::core::option::Option::Some(&["test",
            ]) },
            ] }, digest: "digest" } }
        "##]].assert_eq(text.strip_prefix(PRELUDE).unwrap().strip_prefix(JOIN).unwrap());
    }

    #[test]
    fn long_lists_are_joined_from_constants_of_equal_size() {
        let statement = |at| Statement { range: at..at, kind: StatementKind::Plain, checksum: String::new() };
        let mut out = String::new();
        statements(&mut out, &(0..CHUNK + 1).map(statement).collect::<Vec<_>>());
        assert_eq!(out.matches("const C").count(), 2);
        assert_eq!(out.matches("join([[").count(), 2);
        assert_eq!(out.matches("[0,0],").count(), CHUNK);
        assert!(out.ends_with("[C0, C1, ].as_flattened().split_at(257).0 }"), "{out}");
    }
}
