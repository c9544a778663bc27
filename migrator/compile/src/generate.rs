//! Writes a checked directory as Rust.

use std::fmt::Write;
use std::ops::Range;

use migrator_model::{
    Block, Environment, Imported, List, Migration, Options, Origin, SchemaFacts, Script, Set, Settings, Statement,
    StatementKind, Text,
};

/// The number of statements in one constant. The time to compile one grows with the square of its length.
const ROW: usize = 256;

/// The start of the expression.
const PRELUDE: &str = "{
use ::migrator_engine::model as e;
use ::std::borrow::Cow::Borrowed as B;
#[allow(unused_imports)]
use ::std::option::Option::Some as S;
";

/// One Rust expression of the type `::migrator_engine::model::Set`, for a `static`: it allocates nothing.
///
/// It calls constructors instead of writing struct literals, and leaves out defaults: a field that the engine does not know yet
/// does no harm until it is used. Every list is a static: a reference to a temporary value would not live long enough. Every item
/// of a list is a constant: the time to compile many calls in one body grows faster than their number.
pub fn generate(set: &Set) -> String {
    let texts = set.migrations.iter().map(|migration| migration.text.len());
    let scripts = set.scripts().map(|script| script.text.len());
    let mut out = Writer { out: String::with_capacity(texts.chain(scripts).sum::<usize>() * 2 + 4096), written: 0 };
    out.push(PRELUDE);
    let blocks = set.migrations.iter().flat_map(Migration::blocks).map(|block| &block.statements);
    let lists = blocks.chain(set.scripts().map(|script| &script.statements));
    out.statements(&lists.flat_map(|statements| statements.iter()).collect::<Vec<_>>());
    out.push("e::Set::new(");
    out.text(&set.digest);
    out.push(")");
    out.with_list("migrations", "e::Migration", &set.migrations, Writer::migration);
    out.with_list("repeatables", "e::Script", &set.repeatables, Writer::script);
    out.with_list("seeds", "e::Script", &set.seeds, Writer::script);
    out.with_list("checks", "e::Script", &set.checks, Writer::script);
    out.with_list("facts", "e::SchemaFacts", &set.facts, Writer::facts);
    out.push("\n.with_settings(");
    out.settings(&set.settings);
    out.push(")");
    if let Some(origin) = &set.origin {
        out.push("\n.with_origin(S(");
        out.origin(origin);
        out.push("))");
    }
    out.push("\n}\n");
    out.out
}

struct Writer {
    out: String,
    /// The number of statements of the table that earlier blocks and scripts have taken.
    written: usize,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.out.write_fmt(arguments);
    }

    fn text(&mut self, text: &Text) {
        self.push("B(");
        string(&mut self.out, text);
        self.push(")");
    }

    /// A call that sets one field.
    fn with(&mut self, field: &str, value: impl std::fmt::Display) {
        self.put(format_args!(".with_{field}({value})"));
    }

    /// The same for a list that is not empty.
    fn with_list<T: Clone>(&mut self, field: &str, of: &str, items: &List<T>, write: fn(&mut Writer, &T)) {
        if !items.is_empty() {
            self.put(format_args!("\n.with_{field}("));
            self.list(of, items, write);
            self.push(")");
        }
    }

    fn list<T>(&mut self, of: &str, items: &[T], write: fn(&mut Writer, &T)) {
        self.push("{\n");
        for (number, item) in items.iter().enumerate() {
            self.put(format_args!("const C{number}: {of} = "));
            write(self, item);
            self.push(";\n");
        }
        self.put(format_args!("static L: [{of}; {}] = [", items.len()));
        for number in 0..items.len() {
            self.put(format_args!("C{number},"));
        }
        self.push("]; B(&L) }");
    }

    fn texts(&mut self, texts: &List<Text>) {
        self.list("::std::borrow::Cow<'static, str>", texts, Writer::text);
    }

    fn with_texts(&mut self, field: &str, texts: &List<Text>) {
        if !texts.is_empty() {
            self.put(format_args!(".with_{field}("));
            self.texts(texts);
            self.push(")");
        }
    }

    fn migration(&mut self, migration: &Migration) {
        self.push("e::Migration::new(");
        self.text(&migration.version);
        self.put(format_args!(", {}", migration.number));
        for value in [&migration.name, &migration.file, &migration.text, &migration.checksum] {
            self.push(", ");
            self.text(value);
        }
        self.push(", ");
        self.block(&migration.up);
        self.push(")");
        if let Some(down) = &migration.down {
            self.push(".with_down(S(");
            self.block(down);
            self.push("))");
        }
    }

    fn block(&mut self, block: &Block) {
        self.put(format_args!("e::Block::new({}..{}, ", block.range.start, block.range.end));
        self.options(block.options);
        self.push(", ");
        self.part(block.statements.len());
        self.push(")");
    }

    fn options(&mut self, options: Options) {
        self.push("e::Options::new()");
        if !options.transaction {
            self.with("transaction", false);
        }
        for (name, ms) in options.durations() {
            if let Some(ms) = ms {
                self.with(&format!("{name}_ms"), ms);
            }
        }
    }

    fn script(&mut self, script: &Script) {
        self.push("e::Script::new(");
        for value in [&script.name, &script.file, &script.text, &script.checksum] {
            self.text(value);
            self.push(", ");
        }
        self.part(script.statements.len());
        self.push(")");
    }

    /// The next statements of the table.
    fn part(&mut self, count: usize) {
        if count == 0 {
            return self.push("B(&[])");
        }
        let (start, end) = (self.written, self.written + count);
        self.put(format_args!("e::Statement::part(&T, {start}, {end})"));
        self.written = end;
    }

    /// The table of all statements, in rows of equal size.
    fn statements(&mut self, statements: &[&Statement]) {
        if statements.is_empty() {
            return;
        }
        let size = statements.len().min(ROW);
        let rows = statements.chunks(size);
        let count = rows.len();
        for (number, statements) in rows.enumerate() {
            self.put(format_args!("const R{number}: [e::Statement; {size}] = "));
            self.row(statements, size);
            self.push(";\n");
        }
        self.put(format_args!("static T: [[e::Statement; {size}]; {count}] = ["));
        for number in 0..count {
            self.put(format_args!("R{number},"));
        }
        self.push("];\n");
    }

    /// Ranges and checksums of a few statements, padded to `size`, then each kind that is not plain.
    fn row(&mut self, statements: &[&Statement], size: usize) {
        let missing = size - statements.len();
        let all_plain = statements.iter().all(|statement| statement.kind == StatementKind::Plain);
        if !all_plain {
            self.push("{ let mut t = ");
        }
        self.push("e::Statement::row([");
        for Range { start, end } in statements.iter().map(|statement| &statement.range) {
            self.put(format_args!("[{start},{end}],"));
        }
        self.push(&"[0,0],".repeat(missing));
        self.push("], [");
        for statement in statements {
            self.put(format_args!("\"{}\",", statement.checksum));
        }
        self.push(&"\"\",".repeat(missing));
        self.push("])");
        if all_plain {
            return;
        }
        self.push(";\n");
        for (index, statement) in statements.iter().enumerate() {
            if statement.kind != StatementKind::Plain {
                self.put(format_args!("t[{index}].set_kind(e::StatementKind::"));
                self.kind(&statement.kind);
                self.push(");\n");
            }
        }
        self.push("t }");
    }

    fn kind(&mut self, kind: &StatementKind) {
        match kind {
            StatementKind::CreateIndexConcurrently { index, table, unique, rest } => {
                self.call("create_index_concurrently", &[index, table]);
                self.put(format_args!("{unique}, {rest})"));
            }
            StatementKind::DropIndexConcurrently { index } => {
                self.call("drop_index_concurrently", &[index]);
                self.push(")");
            }
            StatementKind::ReindexConcurrently { object, name } => {
                self.call("reindex_concurrently", &[name]);
                self.put(format_args!("e::ReindexObject::{object:?})"));
            }
            StatementKind::DetachConcurrently { table, partition } => {
                self.call("detach_concurrently", &[table, partition]);
                self.push(")");
            }
            // Kinds without fields are written by their names.
            kind => self.put(format_args!("{kind:?}")),
        }
    }

    /// A call up to its last text, without the closing parenthesis.
    fn call(&mut self, name: &str, texts: &[&Text]) {
        self.put(format_args!("{name}("));
        for text in texts {
            self.text(text);
            self.push(", ");
        }
    }

    fn facts(&mut self, facts: &SchemaFacts) {
        self.put(format_args!("e::SchemaFacts::new({}, ", facts.major));
        self.text(&facts.file);
        self.push(", ");
        self.text(&facts.text);
        self.push(")");
    }

    fn origin(&mut self, origin: &Origin) {
        self.put(format_args!("e::Origin::new(e::Tool::{:?})", origin.tool));
        for (field, files) in [("migrations", &origin.migrations), ("repeatables", &origin.repeatables)] {
            if !files.is_empty() {
                self.put(format_args!("\n.with_{field}({{\n"));
                self.imported(files);
                self.put(format_args!("e::Imported::part(&F, {}) }})", files.len()));
            }
        }
    }

    /// The table of all checksums and that of all files, in rows of equal size.
    fn imported(&mut self, files: &[Imported]) {
        let sums: Vec<&str> = files.iter().flat_map(|file| &*file.checksums).map(|sum| &**sum).collect();
        let size = sums.len().clamp(1, ROW);
        let rows = sums.chunks(size);
        self.put(format_args!("static K: [[e::Text; {size}]; {}] = [\n", rows.len()));
        for sums in rows {
            self.push("e::Imported::texts([");
            sums.iter().for_each(|sum| self.literal(sum));
            self.push(&"\"\",".repeat(size - sums.len()));
            self.push("]),\n");
        }
        self.push("];\n");
        let size = files.len().min(ROW);
        let rows = files.chunks(size);
        self.put(format_args!("static F: [[e::Imported; {size}]; {}] = [\n", rows.len()));
        let mut start = 0;
        for files in rows {
            let missing = size - files.len();
            self.push("e::Imported::row([");
            for file in files {
                self.push("[");
                [&file.ours, &file.source, &file.name, &file.file].into_iter().for_each(|text| self.literal(text));
                self.push("],");
            }
            self.push(&"[\"\",\"\",\"\",\"\"],".repeat(missing));
            self.push("], &K, [");
            for file in files {
                let end = start + file.checksums.len();
                self.put(format_args!("[{start},{end}],"));
                start = end;
            }
            self.push(&"[0,0],".repeat(missing));
            self.push("]),\n");
        }
        self.push("];\n");
    }

    /// A text in a list.
    fn literal(&mut self, text: &str) {
        string(&mut self.out, text);
        self.push(",");
    }

    fn settings(&mut self, settings: &Settings) {
        let usual = Settings::new();
        self.push("e::Settings::new()");
        for (field, value, usual) in [
            ("history_schema", &settings.history_schema, &usual.history_schema),
            ("history_table", &settings.history_table, &usual.history_table),
        ] {
            if value != usual {
                self.put(format_args!(".with_{field}("));
                self.text(value);
                self.push(")");
            }
        }
        self.with_texts("history_writers", &settings.history_writers);
        for (field, value, usual) in [
            ("lock_timeout_ms", settings.lock_timeout_ms, usual.lock_timeout_ms),
            ("retry_for_ms", settings.retry_for_ms, usual.retry_for_ms),
            ("statement_timeout_ms", settings.statement_timeout_ms, usual.statement_timeout_ms),
        ] {
            if value != usual {
                self.with(field, value);
            }
        }
        self.with_texts("required_headers", &settings.required_headers);
        if let Some(number) = settings.start_after {
            self.with("start_after", format_args!("S({number})"));
        }
        self.with_texts("allow", &settings.allow);
        if settings.dbmate != usual.dbmate {
            self.with("dbmate", format_args!("e::Level::{:?}", settings.dbmate));
        }
        for (field, value) in [("refuse_ahead", settings.refuse_ahead), ("drift_owners", settings.drift_owners)] {
            if value {
                self.with(field, true);
            }
        }
        self.with_texts("drift_ignore", &settings.drift_ignore);
        self.with_list("environments", "e::Environment", &settings.environments, Writer::environment);
    }

    fn environment(&mut self, environment: &Environment) {
        self.push("e::Environment::new(");
        self.text(&environment.name);
        self.push(")");
        self.with("approval", environment.approval);
        self.with("down", environment.down);
        if let Some(seeds) = &environment.seeds {
            self.push(".with_seeds(S(");
            self.texts(seeds);
            self.push("))");
        }
    }
}

/// A string literal. Line ends are kept, so that the file stays readable. Characters that the compiler would reject or change
/// in a literal are escaped, and so are those that change the direction of text.
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
            out.extend(character.escape_default());
            plain = at + character.len_utf8();
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests;
