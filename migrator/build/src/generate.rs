//! Writes a checked directory as Rust.

use std::fmt::Write;
use std::ops::Range;

use crate::set::{Block, Environment, Migration, Script, Set, Settings, Statement, StatementKind};

/// One Rust expression of the type `::migrator_engine::embedded::Embedded`, for a `static`: it allocates nothing.
pub fn generate(set: &Set) -> String {
    let texts = set.migrations.iter().map(|migration| migration.text.len());
    let scripts = set.repeatables.iter().chain(&set.seeds).chain(&set.checks).map(|script| script.text.len());
    let mut out = String::with_capacity(texts.chain(scripts).sum::<usize>() * 2 + 4096);
    // The items are visible in this block only; every path in it is short, which matters for 100,000 statements.
    out.push_str("{ use ::migrator_engine::embedded as e;\n");
    out.push_str("use e::StatementKind as K; use ::core::option::Option::{None, Some};\n");
    out.push_str("e::Embedded { migrations: ");
    list(&mut out, &set.migrations, migration);
    for (name, scripts) in [("repeatables", &set.repeatables), ("seeds", &set.seeds), ("checks", &set.checks)] {
        field(&mut out, name);
        list(&mut out, scripts, script);
    }
    field(&mut out, "settings");
    settings(&mut out, &set.settings);
    field(&mut out, "digest");
    string(&mut out, &set.digest);
    out.push_str(" } }\n");
    out
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
    match &migration.down {
        Some(down) => {
            out.push_str("Some(");
            block(out, down);
            out.push(')');
        }
        None => out.push_str("None"),
    }
    out.push_str(" }");
}

fn block(out: &mut String, block: &Block) {
    out.push_str("e::Block { range: ");
    range(out, &block.range);
    put(out, format_args!(", transaction: {}", block.transaction));
    put(out, format_args!(", lock_timeout_ms: {:?}", block.lock_timeout_ms));
    put(out, format_args!(", statement_timeout_ms: {:?}, statements: ", block.statement_timeout_ms));
    list(out, &block.statements, statement);
    out.push_str(" }");
}

fn statement(out: &mut String, statement: &Statement) {
    out.push_str("e::Statement { range: ");
    range(out, &statement.range);
    out.push_str(", kind: K::");
    match &statement.kind {
        StatementKind::Plain => out.push_str("Plain"),
        StatementKind::Begin => out.push_str("Begin"),
        StatementKind::Commit => out.push_str("Commit"),
        StatementKind::Set => out.push_str("Set"),
        StatementKind::MayCommit => out.push_str("MayCommit"),
        StatementKind::Concurrently => out.push_str("Concurrently"),
        StatementKind::CreateIndexConcurrently { index, table } => {
            out.push_str("CreateIndexConcurrently { index: ");
            string(out, index);
            field(out, "table");
            string(out, table);
            out.push_str(" }");
        }
        StatementKind::DropIndexConcurrently { index } => {
            out.push_str("DropIndexConcurrently { index: ");
            string(out, index);
            out.push_str(" }");
        }
    }
    field(out, "checksum");
    string(out, &statement.checksum);
    out.push_str(" }");
}

fn script(out: &mut String, script: &Script) {
    out.push_str("e::Script { name: ");
    string(out, &script.name);
    for (name, text) in [("file", &script.file), ("text", &script.text), ("checksum", &script.checksum)] {
        field(out, name);
        string(out, text);
    }
    field(out, "statements");
    list(out, &script.statements, statement);
    out.push_str(" }");
}

fn settings(out: &mut String, settings: &Settings) {
    out.push_str("e::Settings { history_schema: ");
    string(out, &settings.history_schema);
    field(out, "history_table");
    string(out, &settings.history_table);
    let numbers = [
        ("lock_timeout_ms", settings.lock_timeout_ms),
        ("retry_for_ms", settings.retry_for_ms),
        ("statement_timeout_ms", settings.statement_timeout_ms),
    ];
    for (name, number) in numbers {
        put(out, format_args!(", {name}: {number}"));
    }
    put(out, format_args!(", refuse_ahead: {}, environments: ", settings.refuse_ahead));
    list(out, &settings.environments, environment);
    out.push_str(" }");
}

fn environment(out: &mut String, environment: &Environment) {
    out.push_str("e::Environment { name: ");
    string(out, &environment.name);
    put(out, format_args!(", approval: {}, down: {}, seeds: ", environment.approval, environment.down));
    match &environment.seeds {
        Some(seeds) => {
            out.push_str("Some(");
            list(out, seeds, |out, seed| string(out, seed));
            out.push(')');
        }
        None => out.push_str("None"),
    }
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

    #[test]
    fn escapes_what_the_compiler_would_refuse_or_change() {
        let mut out = String::new();
        string(&mut out, "a\"b\\c\nd\te\rf\0g\u{202e}h\u{85}ä🙂");
        expect![[r#"
            "a\"b\\c
            d	e\rf\u{0}g\u{202e}h\u{85}ä🙂""#]]
        .assert_eq(&out);
    }
}
